package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// serverEnds are ends that servers are known for, each with the owner of the table that must be named. Times are as
// short as the servers allow.
var serverEnds = map[string]struct {
	start   func(t *testing.T) deployed
	path    string
	flags   []string
	do      func(t *testing.T, s *stay) // absent: the end comes by itself, again and again
	by      ending
	says    string // the reason in the close frame
	verdict []string
	limit   string
	owner   string
}{
	"RabbitMQ, idle": {
		start: func(t *testing.T) deployed {
			return deployed{addr: startRabbitMQ(t, "web_stomp.ws_opts.idle_timeout = 3000")}
		},
		path: "/ws", by: ending{"close", 1000}, limit: "idle", owner: "RabbitMQ web_mqtt and web_stomp",
	},
	"Mojolicious, idle": {
		start: func(t *testing.T) deployed { return startMojolicious(t, "IDLE=3") },
		path:  "/held", by: byFIN, limit: "idle", owner: "Mojolicious",
	},
	"nghttpx, idle": {
		start: func(t *testing.T) deployed {
			return startNghttpx(t, "--frontend-read-timeout=3", "--backend-read-timeout=3")
		},
		path: "/held", by: byFIN, limit: "idle", owner: "nghttpx",
	},
	"Socket.IO, pings without an answer": {
		start: func(t *testing.T) deployed { return terminated(startNode(t, "socketio.mjs", "0", "1500")) },
		path:  "/socket.io/?EIO=4&transport=websocket", by: ending{"close", 1005}, limit: "lifetime", owner: "Socket.IO",
	},
	"graphql-ws, no connection_init": {
		start: func(t *testing.T) deployed { return terminated(startNode(t, "graphql.mjs")) },
		path:  "/graphql", flags: []string{"--protocol", "graphql-transport-ws"},
		by: ending{"close", 4408}, says: "Connection initialisation timeout", limit: "lifetime", owner: "graphql-ws",
	},
	"Centrifugo, no connect command": {
		start: startCentrifuge, path: "/held", by: ending{"close", 3502}, says: "stale", limit: "lifetime", owner: "Centrifugo",
	},
	"Centrifugo, pings without an answer": {
		start: startCentrifuge, path: "/held", flags: []string{"--send", `{"id":1,"connect":{}}`}, do: wait,
		by: ending{"close", 3012}, says: "no pong", verdict: []string{"unheard"}, owner: "Centrifugo",
	},
	"Centrifugo, stop": {
		start: startCentrifuge, path: "/held", flags: []string{"--send", `{"id":1,"connect":{}}`, "--answer", "{}={}"}, do: replace,
		by: ending{"close", 3001}, says: "shutdown", verdict: []string{"drained"}, owner: "Centrifugo",
	},
	"websockets, a client that stands still": {
		start: func(t *testing.T) deployed { return terminated(startPythonEcho(t, "1")) },
		path:  "/held", do: freeze,
		by: ending{"close", 1011}, says: "keepalive ping timeout", verdict: []string{"unheard"}, owner: "websockets and Uvicorn",
	},
	"Uvicorn, a client that stands still": {
		start: func(t *testing.T) deployed { return startUvicorn(t, "websockets") },
		path:  "/held", do: freeze,
		by: ending{"close", 1011}, says: "keepalive ping timeout", verdict: []string{"unheard"}, owner: "websockets and Uvicorn",
	},
	"Uvicorn with wsproto, stop": {
		start: func(t *testing.T) deployed { return startUvicorn(t, "wsproto") },
		path:  "/held", do: replace, by: ending{"close", 1012}, verdict: []string{"drained"}, owner: "Uvicorn with wsproto",
	},
	"NATS, stop": {
		start: func(t *testing.T) deployed {
			s := startNATS(t)
			return deployed{strings.TrimPrefix(s.WebsocketURL(), "ws://"), func(*testing.T) { s.Shutdown() }}
		},
		path: "/held", flags: []string{"--send", "CONNECT {\"verbose\":false}\r\n"}, do: replace,
		by: ending{"close", 1001}, says: "Server Shutdown", verdict: []string{"drained"}, owner: "NATS",
	},
	"prosody, stop": {
		start: func(t *testing.T) deployed { return terminated(startProsody(t)) },
		path:  "/xmpp-websocket", do: replace,
		flags: []string{"--protocol", "xmpp", "--send", `<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="localhost" version="1.0"/>`},
		by:    ending{"close", 1000}, says: "Stream closed", verdict: []string{"unknown"}, owner: "prosody",
	},
	"ws, stop": { // like most servers it says nothing
		start: func(t *testing.T) deployed { return terminated(startNode(t, "held.mjs")) },
		path:  "/feed", flags: []string{"--sequence", "seq"}, do: replace, by: byFIN, verdict: []string{"replaced"},
	},
}

// stay is a session at a server, with another server that may take its place.
type stay struct {
	*holding
	now   deployed
	relay *relay
	start func(t *testing.T) deployed
}

// wait leaves it to the server.
func wait(*testing.T, *stay) {}

// freeze keeps the client from answering for as long as a server with short times waits.
func freeze(t *testing.T, s *stay) {
	t.Helper()
	s.stood = true
	s.process.Signal(t, syscall.SIGSTOP)
	lab.Wait(t, 5*time.Second)
	s.process.Signal(t, syscall.SIGCONT)
}

// replace deploys anew: another server takes the new connections, and the old one stops.
func replace(t *testing.T, s *stay) {
	t.Helper()
	s.relay.to.Store(s.start(t).addr)
	s.now.stop(t)
}

// TestEndsOfServers holds a session at each server until it ends as the server is known for. The end that is told is
// the one that the packets have, and the owner is named.
func TestEndsOfServers(t *testing.T) {
	t.Parallel()
	for name, test := range serverEnds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stay{now: test.start(t), start: test.start}
			s.relay = startRelay(t, s.now.addr)
			packets := startCapture(t, s.relay.addr)
			s.holding = startHold(t, "ws://"+s.relay.addr+test.path, test.flags...)
			s.await(t, 0, "an open", opens)
			found := func(e heldEvent) bool {
				return slices.ContainsFunc(test.verdict, func(v string) bool { return explains(v)(e) })
			}
			if test.do == nil {
				found = habitual(test.limit)
			} else {
				lab.Wait(t, time.Second)
				test.do(t, s)
			}
			s.await(t, 0, "the end", func(e heldEvent) bool { return test.by.is(e) && (test.says == "" || e.CloseReason == test.says) })
			n := s.await(t, 0, "its finding", found)
			if finding := s.events(t)[n-1]; test.owner != "" && !finding.names(test.owner) {
				t.Errorf("%s is not among the owners: %+v", test.owner, finding)
			}
			s.await(t, n, "an open behind it", opens)
			s.holding.stop(t)
			s.checkAgainst(t, packets.connections(t)[s.path])
		})
	}
}
