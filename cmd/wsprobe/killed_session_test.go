package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestKilledAgentEndsNoSession: an agent that is killed with an open session, and started again, tells of no end and of no
// time without a session that the server is to blame for.
func TestKilledAgentEndsNoSession(t *testing.T) {
	endpoint := wstest.Start(wstest.Echo)
	t.Cleanup(endpoint.Close)
	var points receiver.Inbox[receiver.Point]
	records := make(chan receiver.Record, 10_000)
	address := listenFor(t, "grpc", &receiver.Receiver{Point: points.Add, Record: func(r receiver.Record) { records <- r }})
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	text := fmt.Sprintf(`agent: {listen: ""}
otlp: {endpoint: "http://%s", interval: 1s, logs: true}
probes:
  - {name: held, url: "%s", interval: 1s, session: {ping_interval: 200ms}}
`, address, endpoint.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	agent, _ := startAgent(t, file)
	awaitPoints(t, &points, 3, receiver.Of("wsprobe.success", "held"))
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait() // it says that it was killed
	before := len(points.Where(receiver.Of("wsprobe.success", "held")))
	agent, _ = startAgent(t, file)
	awaitPoints(t, &points, before+3, receiver.Of("wsprobe.success", "held"))
	if ends := points.Where(receiver.Of("wsprobe.session.duration", "held")); len(ends) > 0 {
		t.Errorf("an end is told: %v", ends)
	}
	for _, metric := range []string{"wsprobe.success", "wsprobe.connection_success", "wsprobe.session.open"} {
		for _, p := range points.Where(receiver.Of(metric, "held")) {
			if p.Value != 1 {
				t.Errorf("%s", pointLine(p))
			}
		}
	}
	stopAgent(t, agent)
	select {
	case r := <-records:
		t.Errorf("a record tells of %s", r.Event)
	default:
	}
}
