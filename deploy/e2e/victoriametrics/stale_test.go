package victoriametrics

import (
	"fmt"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestLatencyEndsWithTheValue wants an instant query to show no latency of a probe once its runs measure none, or
// once the agent has stopped, though a query looks back for minutes; other probes keep theirs.
func TestLatencyEndsWithTheValue(t *testing.T) {
	t.Parallel()
	d, e := startDatabase(t), lab.NewEndpoint(t)
	agent := lab.StartAgent(t, lab.Settings{
		"agent":    map[string]any{"listen": ""},
		"otlp":     d.otlp("1s"),
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   []map[string]any{e.RoundTrip("steady", lab.Echo), e.RoundTrip("dying", lab.Echo)},
	})
	show := func(name string, want int) {
		t.Helper()
		for _, metric := range []string{"wsprobe_round_trip_latency_milliseconds", "wsprobe_handshake_latency_milliseconds"} {
			d.await(t, fmt.Sprintf("%s{wsprobe_name=%q}", metric, name), func(s []sample) bool { return len(s) == want })
		}
	}
	show("steady", 1)
	show("dying", 1)
	e.SetDown("dying", true)
	show("dying", 0)
	show("steady", 1)
	e.SetDown("dying", false)
	show("dying", 1)
	agent.Stop(t, lab.StopLimit)
	show("steady", 0)
	show("dying", 0)
	d.CheckAnswers(t)
}
