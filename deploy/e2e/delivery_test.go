package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestCollectorDown starts the agent before its Collector. The runs of the meantime must arrive once the
// Collector does, each with its own time.
func TestCollectorDown(t *testing.T) {
	const before, after = 4, 3
	nats := startNATS(t)
	c := newCollector(t)
	config := newSettings(t, c)
	config.Probes = append(config.Probes, roundTrip("chat", nats.WebsocketURL()))
	agent := startAgent(t, config)
	lab.Eventually(t, 30*time.Second, fmt.Sprintf("%d runs without a Collector", before), func() (bool, string) {
		agent.Running(t)
		n := nats.connections(t)
		return n >= before, fmt.Sprintf("%d", n)
	})
	checkReadiness(t, config, http.StatusServiceUnavailable) // alive, as a restart would only lose what it keeps
	up := time.Now()
	c.start(t)
	lab.Eventually(t, 60*time.Second, fmt.Sprintf("%d runs with a Collector", after), func() (bool, string) {
		agent.Running(t)
		r := c.received(t)
		return endedAfter(r, up) >= after, fmt.Sprintf("%d of %d points are newer", endedAfter(r, up), len(r.of("wsprobe.connection_success", "chat")))
	})
	checkReadiness(t, config, http.StatusOK)
	stopAgent(t, agent)
	got := c.received(t)

	points := got.of("wsprobe.connection_success", "chat")
	// The run that was under way when the server counted its connection may have ended after up.
	if old := len(points) - endedAfter(got, up); old < before-1 {
		t.Errorf("%d runs from before the Collector arrived, want at least %d", old, before-1)
	}
	checkComplete(t, got, nats)
	checkSentOnce(t, got)
	deferred := map[string]any{"wsprobe.export.outcome": "deferred"}
	if n := total(got, "wsprobe.agent.export.requests", deferred); n < 1 {
		t.Errorf("wsprobe.agent.export.requests %v: got %v, want some", deferred, n)
	}
	if n := total(got, "wsprobe.agent.export.point.dropped", nil); n != 0 {
		t.Errorf("wsprobe.agent.export.point.dropped: got %v, want 0", n)
	}
}

// endedAfter counts the runs of the probe "chat" that ended after a time.
func endedAfter(r received, at time.Time) int {
	n := 0
	for _, p := range r.of("wsprobe.connection_success", "chat") {
		if p.end.After(at) {
			n++
		}
	}
	return n
}

// TestFlushAtStop exports only once an hour, but for the early first export: what arrives besides that is what the agent
// sends when it is stopped.
func TestFlushAtStop(t *testing.T) {
	const more = 3
	nats := startNATS(t)
	c := newCollector(t)
	c.start(t)
	config := newSettings(t, c)
	config.OTLP["interval"] = "1h"
	config.Probes = append(config.Probes, roundTrip("chat", nats.WebsocketURL()))
	agent := startAgent(t, config)
	awaitRuns(t, agent, nats, 1)
	checkReadiness(t, config, http.StatusOK)
	early := len(c.received(t).of("wsprobe.connection_success", "chat"))
	awaitRuns(t, agent, nats, early+more)
	if n := len(c.received(t).of("wsprobe.connection_success", "chat")); n != early || n == 0 {
		t.Errorf("%d runs arrived early, then %d before the stop, want the same", early, n)
	}
	stopAgent(t, agent)
	checkComplete(t, c.received(t), nats)
}

// awaitRuns waits until the server has seen so many connections.
func awaitRuns(t *testing.T, agent *lab.Process, nats natsServer, runs int) {
	t.Helper()
	lab.Eventually(t, 30*time.Second, fmt.Sprintf("%d runs", runs), func() (bool, string) {
		agent.Running(t)
		n := nats.connections(t)
		return n >= runs, fmt.Sprintf("%d", n)
	})
}

// checkComplete compares the runs of the probe "chat" that arrived with the connections that the server saw:
// every run is there, a second after the one before, and in the total. The stop can cancel the last.
func checkComplete(t *testing.T, got received, nats natsServer) {
	t.Helper()
	points := got.of("wsprobe.connection_success", "chat")
	if seen := nats.connections(t); len(points) != seen && len(points) != seen-1 {
		t.Errorf("%d runs arrived of the %d that NATS saw", len(points), seen)
	}
	for i := 1; i < len(points); i++ {
		checkSpacing(t, points[i-1], points[i])
	}
	totals := got.latest("wsprobe.runs", "chat")
	if len(totals) != 1 || totals[0].value != float64(len(points)) {
		t.Errorf("wsprobe.runs: got %v, want %d", totals, len(points))
	}
}
