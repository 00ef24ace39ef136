package e2e

import (
	"os"
	"testing"
	"time"
)

// serverDefaults are the limits of servers and proxies as they come, with the owner that the first end must name. The
// times are those of the table of owners.
var serverDefaults = map[string]struct {
	start func(t *testing.T) deployed
	path  string
	flags []string
	by    ending
	limit string
	after time.Duration // or up to 7 s later, because some look at intervals
	owner string
}{
	"nginx":       {func(t *testing.T) deployed { return unlimited(t, frontNginx, "proxy_read_timeout 3s;") }, "/quiet", nil, byFIN, "idle", time.Minute, "nginx"},
	"Apache":      {func(t *testing.T) deployed { return unlimited(t, frontApache, "\nTimeout 3\n") }, "/quiet", nil, byFIN, "idle", time.Minute, "Apache httpd"},
	"nghttpx":     {func(t *testing.T) deployed { return startNghttpx(t) }, "/quiet", nil, byFIN, "idle", time.Minute, "nghttpx"},
	"Mojolicious": {func(t *testing.T) deployed { return startMojolicious(t) }, "/quiet", nil, byFIN, "idle", 30 * time.Second, "Mojolicious"},
	"RabbitMQ": {func(t *testing.T) deployed { return deployed{addr: startRabbitMQ(t)} }, "/ws", nil, ending{"close", 1000}, "idle", time.Minute,
		"RabbitMQ web_mqtt and web_stomp"},
	"aedes": {func(t *testing.T) deployed { return terminated(startNode(t, "mqtt.mjs")) }, "/", []string{"--protocol", "mqtt"}, byFIN, "idle", 30 * time.Second, "aedes"},
	"Mosquitto": {func(t *testing.T) deployed { return deployed{addr: startMosquitto(t)} }, "/mqtt", []string{"--protocol", "mqtt"}, byFIN, "lifetime",
		90 * time.Second, "mosquitto"},
	"Socket.IO": {func(t *testing.T) deployed { return terminated(startNode(t, "socketio.mjs")) }, "/socket.io/?EIO=4&transport=websocket", nil,
		ending{"close", 1005}, "lifetime", 45 * time.Second, "Socket.IO"},
	"graphql-ws": {func(t *testing.T) deployed { return terminated(startNode(t, "graphql.mjs")) }, "/graphql", []string{"--protocol", "graphql-transport-ws"},
		ending{"close", 4408}, "lifetime", 3 * time.Second, "graphql-ws"},
}

// unlimited is a proxy without a line of its configuration, so that its default holds, with a server behind it.
func unlimited(t *testing.T, start func(t *testing.T, upstream string) *front, line string) deployed {
	t.Helper()
	_, upstream := startNode(t, "held.mjs")
	f := start(t, upstream)
	change(t, f.config, line, "\n")
	f.serve(t)
	return deployed{addr: f.addr}
}

// TestDefaultsOfServers holds a session until the default limit of each server ends it. The end is the one of the table
// of owners, and its first finding names the owner.
func TestDefaultsOfServers(t *testing.T) {
	if os.Getenv("WSPROBE_E2E_LONG") == "" {
		t.Skip("it takes two minutes: WSPROBE_E2E_LONG is not set (make e2e-long sets it)")
	}
	for name, test := range serverDefaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := test.start(t).addr
			packets := startCapture(t, addr)
			h := startHold(t, "ws://"+addr+test.path, test.flags...)
			h.await(t, 0, "an open", opens)
			n := h.await(t, 0, "the end", func(e heldEvent) bool { return e.Event == "end" })
			if got := h.events(t)[n-1]; !test.by.is(got) || got.LifetimeMS < millis(test.after-apart) || got.LifetimeMS > millis(test.after+7*time.Second) {
				t.Errorf("got %+v, want %v after %v", got, test.by, test.after)
			}
			n = h.await(t, n, "its finding", func(e heldEvent) bool { return e.Event == "finding" })
			if got := h.events(t)[n-1]; got.Verdict != "limit_reached" || got.Limit != test.limit || !got.names(test.owner) {
				t.Errorf("got %+v, want the %s limit of %s", got, test.limit, test.owner)
			}
			h.await(t, n, "the next open", opens)
			h.stop(t)
			h.checkAgainst(t, packets.connections(t)[h.path])
		})
	}
}
