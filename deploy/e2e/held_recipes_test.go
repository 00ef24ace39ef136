package e2e

import (
	"testing"
	"time"

	"github.com/centrifugal/centrifuge"
)

// holdTime is longer than the heartbeats of every recipe, and than any server waits for a missing one: Mosquitto waits
// for 45 s.
const holdTime = 50 * time.Second

// heldRecipes are the examples that hold a session, with the servers that they are for. At least so many wanted messages
// and heartbeats come.
var heldRecipes = []struct {
	file, server string
	start        func(t *testing.T) started
	wanted       int
	beats        map[string]int // by probe
}{
	{"held-feed.yaml", "ws", fromNode("feed.mjs"), 100, nil},
	{"held-graphql.yaml", "graphql-ws", fromNode("graphql.mjs"), 50, map[string]int{"graphql-subscription": 2}},
	{"held-socket.io.yaml", "Socket.IO", fromNode("socketio.mjs"), 50, nil},
	{"held-signalr.yaml", "Microsoft's client library", fromNode("signalr.mjs"), 2, map[string]int{"signalr-held-method": 3}},
	{"held-mqtt.yaml", "aedes", func(t *testing.T) started {
		_, addr := startNode(t, "mqtt.mjs")
		return started{url: "ws://" + addr}
	}, 50, map[string]int{"mqtt-held": 2}},
	{"held-mqtt.yaml", "Mosquitto", fromAddr(startMosquitto), 0, map[string]int{"mqtt-held": 2}},
	{"held-centrifugo.yaml", "centrifuge", func(t *testing.T) started {
		pings := centrifuge.PingPongConfig{PingInterval: 25 * time.Second, PongTimeout: 8 * time.Second}
		return started{url: "ws://" + serveCentrifuge(t, 10*time.Second, pings).addr}
	}, 50, nil},
}

// TestHeldRecipes holds the session of every recipe as it stands, but for its host, for longer than its heartbeats. It
// must last, hear the wanted messages and lose none.
func TestHeldRecipes(t *testing.T) {
	t.Parallel()
	for _, recipe := range heldRecipes {
		t.Run(recipe.file+"/"+recipe.server, func(t *testing.T) {
			t.Parallel()
			server := recipe.start(t)
			path, names, n := pointedAt(t, recipe.file, server.url)
			var held []*holding
			for _, name := range names {
				held = append(held, holdProbe(t, path, name, "--for", holdTime.String()))
			}
			for _, h := range held {
				if code := h.process.Exit(t, holdTime+time.Minute); code != 0 {
					t.Errorf("%s: exit code %d, want 0 for a session that lasted", h.path, code)
				}
				got := last(h.events(t))
				if got.Event != "summary" || !got.Held || got.Wanted < recipe.wanted || got.Beats < recipe.beats[h.path] || got.Lost != 0 {
					t.Errorf("%s: got %+v, want %d messages and %d heartbeats", h.path, got, recipe.wanted, recipe.beats[h.path])
				}
				t.Logf("%s: %d wanted messages, %d heartbeats in %v", h.path, got.Wanted, got.Beats, holdTime)
			}
			if server.left != nil { // it has seen one connection of each probe
				server.left(t, n, "1001")
			}
		})
	}
}
