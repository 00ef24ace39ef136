package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// target is a probe of TestRun with what must be reported about it, run after run.
type target struct {
	probe     map[string]any
	port      int64
	path      string
	success   float64
	reason    string
	errorType string
	handshake bool     // the socket opens, so there is a handshake latency
	roundTrip bool     // a matching reply comes
	phases    []string // that end
}

func (p target) name() string { return p.probe["name"].(string) }

// attributes returns those of every metric of the probe, with extra ones given as key, value, ...
func (p target) attributes(extra ...string) map[string]any {
	interpretation := "handshake_latency"
	if i, ok := p.probe["interpretation"].(string); ok {
		interpretation = i
	}
	a := map[string]any{
		"wsprobe.name":           p.name(),
		"wsprobe.interpretation": interpretation,
		"server.address":         "127.0.0.1",
		"server.port":            p.port,
		"url.scheme":             "ws",
		"url.path":               p.path,
		"wsprobe.location":       "e2e",
	}
	if labels, ok := p.probe["labels"].(map[string]string); ok {
		for k, v := range labels {
			a[k] = v
		}
	}
	for i := 0; i+1 < len(extra); i += 2 {
		a[extra[i]] = extra[i+1]
	}
	return a
}

// targets returns the probes of TestRun: two that NATS answers as expected, one that it answers
// otherwise, a bare handshake, a port where nothing listens and an endpoint that says nothing.
func targets(t *testing.T, nats natsServer, silent *silentServer) []target {
	natsURL := nats.WebsocketURL() + "/nats"
	natsPort := port(t, natsURL)
	closed := closedPort(t)
	labelled := roundTrip("round trip", natsURL)
	labelled["labels"] = map[string]string{"team": "messaging", "Tier": "1"}
	mismatch := roundTrip("mismatch", natsURL)
	mismatch["expect_message"] = "NEVER SENT"
	mismatch["timeout_ms"] = 300
	pong := map[string]any{
		"name": "pong", "url": natsURL, "interpretation": "round_trip_latency", "ping_mode": "frame",
	}
	answered := []string{"connect", "upgrade", "round_trip", "close"}
	opened := []string{"connect", "upgrade", "close"}
	return []target{
		{probe: labelled, port: natsPort, path: "/nats", success: 1, reason: "ok", handshake: true, roundTrip: true, phases: answered},
		{probe: pong, port: natsPort, path: "/nats", success: 1, reason: "ok", handshake: true, roundTrip: true, phases: answered},
		{probe: mismatch, port: natsPort, path: "/nats", success: 1, handshake: true,
			reason: "ws_reply_mismatch", errorType: "reply_mismatch", phases: opened},
		{probe: map[string]any{"name": "handshake", "url": natsURL},
			port: natsPort, path: "/nats", success: 1, reason: "ok", handshake: true, phases: opened},
		{probe: map[string]any{"name": "closed", "url": "ws://" + closed + "/", "interpretation": "connection_success"},
			port: port(t, "ws://"+closed), path: "/", reason: "ws_open_failed", errorType: "connection_refused"},
		{probe: map[string]any{"name": "silent", "url": "ws://" + silent.addr + "/", "timeout_ms": 300},
			port: port(t, "ws://"+silent.addr), path: "/",
			reason: "ws_handshake_timeout", errorType: "upgrade_timeout", phases: []string{"connect"}},
	}
}

// TestRun lets the agent probe every target for some seconds, stops it, and reads what the Collector got.
func TestRun(t *testing.T) {
	const runs = 5
	nats, silent := startNATS(t), startSilent(t)
	all := targets(t, nats, silent)
	c := newCollector(t)
	c.start(t)

	config := newSettings(t, c)
	for _, p := range all {
		config.Probes = append(config.Probes, p.probe)
	}
	// Its first run is still under way when the agent is told to stop.
	config.Probes = append(config.Probes, map[string]any{
		"name": "stuck", "url": "ws://" + startSilent(t).addr, "timeout_ms": 30_000,
	})
	agent := startAgent(t, config, "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test")

	for _, p := range all {
		lab.Eventually(t, 30*time.Second, fmt.Sprintf("%d runs of %q in the Collector", runs, p.name()), func() (bool, string) {
			agent.Running(t)
			n := len(c.received(t).of("wsprobe.connection_success", p.name()))
			return n >= runs, fmt.Sprintf("%d", n)
		})
	}
	checkReadiness(t, config, http.StatusOK)
	stopped := stopAgent(t, agent)
	got := c.received(t)
	t.Logf("%d requests with %d points", got.requests, len(got.points))

	t.Run("resource", func(t *testing.T) { checkResource(t, got) })
	t.Run("metrics", func(t *testing.T) { checkMetrics(t, got) })
	t.Run("agent", func(t *testing.T) { checkAgent(t, got, len(config.Probes)) })
	for _, p := range all {
		t.Run("probe/"+p.name(), func(t *testing.T) {
			checkSuccess(t, got, p, stopped)
			checkLatencies(t, got, p)
			checkTotals(t, got, p)
		})
	}
	t.Run("sent once", func(t *testing.T) { checkSentOnce(t, got) })
	t.Run("cancelled by the stop", func(t *testing.T) {
		if points := got.of("wsprobe.connection_success", "stuck"); len(points) != 0 {
			t.Errorf("the run that the stop cancelled was reported: %v", points)
		}
	})
	t.Run("as NATS saw it", func(t *testing.T) { checkConnections(t, got, all, nats) })
}
