package prometheus

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// perRun are the metrics with one sample for each run, whatever its result is.
var perRun = []string{"wsprobe_connection_success", "wsprobe_success"}

const manyProbes = 600

// many returns the settings of 600 probes with the default interval of exports.
func many(b *backend, e *lab.Endpoint) lab.Settings {
	return lab.Settings{
		"agent":    map[string]any{"listen": "", "location": "lab"},
		"otlp":     b.otlp("10s"),
		"defaults": map[string]any{"interval": "10s", "timeout_ms": 5000},
		"probes":   e.Many(manyProbes),
	}
}

// TestEveryRunIsStored probes for a while with a receiver that is there, away for 20 s, or away for 60 s, and wants
// Prometheus to refuse no request and to have every run once.
func TestEveryRunIsStored(t *testing.T) {
	t.Parallel()
	unavailable := func(_ *testing.T, b *backend) { b.SetUnavailable(true) }
	available := func(_ *testing.T, b *backend) { b.SetUnavailable(false) }
	refuse := func(t *testing.T, b *backend) { b.Refuse(t) }
	accept := func(t *testing.T, b *backend) { b.Accept(t) }
	for _, test := range []struct {
		name        string
		outage      time.Duration
		begin, over func(*testing.T, *backend)
	}{
		{name: "without an outage"},
		{"after 20 s of status 503", 20 * time.Second, unavailable, available},
		{"after 20 s of refused connections", 20 * time.Second, refuse, accept},
		{"after 60 s of status 503", time.Minute, unavailable, available},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, e := newBackend(t), lab.NewEndpoint(t)
			agent := lab.StartAgent(t, many(b, e))
			const before = 25 * time.Second
			lab.Wait(t, before)
			if test.outage > 0 {
				test.begin(t, b)
				lab.Wait(t, test.outage)
				test.over(t, b)
			}
			lab.Wait(t, *length-before-test.outage)
			b.stop(t, agent, e, func(lab.Visit) bool { return true })
		})
	}
}

// stop waits until the backlog is stored, stops the agent and checks what Prometheus has got of it. Of the runs that
// ended before the stop, those that match must be stored.
func (b *backend) stop(t *testing.T, agent *lab.Process, e *lab.Endpoint, must func(lab.Visit) bool) {
	t.Helper()
	agent.Running(t)
	e.AwaitStored(t, func() map[string]int { return b.stored(t, perRun[0]) }, must)
	ended := lab.EndedBefore(time.Now().Add(-lab.InFlight))
	agent.Stop(t, lab.StopLimit)
	b.CheckAnswers(t)
	for _, metric := range perRun {
		e.CheckStored(t, metric, b.stored(t, metric), func(v lab.Visit) bool { return ended(v) && must(v) })
	}
	b.checkRequests(t)
}
