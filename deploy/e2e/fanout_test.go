package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// startHoldOf runs `wsprobe hold` with a probe of held-fan-out.yaml against a server, with a heartbeat every 200 ms.
func startHoldOf(t *testing.T, probe, url string) *holding {
	t.Helper()
	path, _, _ := pointedAt(t, "held-fan-out.yaml", url)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	if err := yaml.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Probes {
		session := p["session"].(map[string]any)
		session["reconnect"] = map[string]any{"min": "100ms", "max": "1s"}
		session["heartbeat"].(map[string]any)["interval"] = "200ms"
	}
	return holdProbe(t, s.write(t), probe)
}

// beats waits for more heartbeats, without an end meanwhile.
func (h *holding) beats(t *testing.T, skipped, more int) (events int) {
	t.Helper()
	for events = skipped; more > 0; more-- {
		events = h.await(t, events, "a heartbeat", func(e heldEvent) bool { return e.Event == "heartbeat" || e.Event == "end" })
		if e := h.events(t)[events-1]; e.Event == "end" {
			t.Fatalf("%+v", e)
		}
	}
	return events
}

// TestHeldFanOut holds the sessions of held-fan-out.yaml for longer than the heartbeats of their servers, which ask each
// connection by itself. It then has the server cut the subscriber's connection: that is the end of the session, and the
// next one delivers again.
func TestHeldFanOut(t *testing.T) {
	t.Run("NATS", func(t *testing.T) {
		t.Parallel()
		s := startNATS(t, func(o *server.Options) { o.PingInterval, o.MaxPingsOut = time.Second, 1 })
		h := startHoldOf(t, "nats-held", s.WebsocketURL())
		told := h.beats(t, 0, 25)
		z, err := s.Connz(&server.ConnzOptions{Subscriptions: true})
		if err != nil || len(z.Conns) != 2 {
			t.Fatalf("%v, %+v", err, z)
		}
		for _, c := range z.Conns {
			if c.NumSubs == 1 {
				if err := s.DisconnectClientByID(c.Cid); err != nil {
					t.Fatal(err)
				}
			}
		}
		told = h.await(t, told, "the end of the subscriber's connection", func(e heldEvent) bool { return e.Event == "end" && e.Connection == "subscriber" })
		h.beats(t, h.await(t, told, "an open", opens), 3)
		h.stop(t)
		if ends := h.ended(t); len(ends) != 2 || ends[1].Cause != "stop" {
			t.Errorf("%+v", ends)
		}
	})
	t.Run("Socket.IO", func(t *testing.T) {
		t.Parallel()
		node, addr := startNode(t, "socketio.mjs", "0", "1000")
		h := startHoldOf(t, "socket.io-held", "ws://"+addr)
		h.beats(t, 0, 25)
		h.stop(t)
		if ends := h.ended(t); len(ends) != 1 || ends[0].Cause != "stop" {
			t.Errorf("%+v", ends)
		}
		lab.Eventually(t, heldLimit, "both connections closed with 1001", func() (bool, string) {
			return strings.Count(node.Output(), "closed 1001") == 2, node.Output()
		})
	})
}
