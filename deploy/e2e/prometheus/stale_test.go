package prometheus

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestLatencyEndsWithTheValue wants an instant query to show no latency of a probe once its runs measure none, or
// once the agent has stopped, though Prometheus' look-back is five minutes; other probes keep theirs.
func TestLatencyEndsWithTheValue(t *testing.T) {
	t.Parallel()
	b, e := newBackend(t), lab.NewEndpoint(t)
	agent := lab.StartAgent(t, lab.Settings{
		"agent":    map[string]any{"listen": ""},
		"otlp":     b.otlp("1s"),
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   []map[string]any{e.RoundTrip("steady", lab.Echo), e.RoundTrip("dying", lab.Echo)},
	})
	latencies := []string{"wsprobe_round_trip_latency_milliseconds", "wsprobe_handshake_latency_milliseconds"}
	show := func(name string, want int) {
		t.Helper()
		for _, metric := range latencies {
			expr := fmt.Sprintf("%s{wsprobe_name=%q}", metric, name)
			b.await(t, expr, func(v promql.Vector) bool { return len(v) == want })
		}
	}
	show("steady", 1)
	show("dying", 1)
	e.SetDown("dying", true)
	b.await(t, `wsprobe_connection_success{wsprobe_name="dying", wsprobe_reason="ws_open_failed"}`, func(v promql.Vector) bool {
		return len(v) == 1 && v[0].F == 0
	})
	show("dying", 0)
	show("steady", 1)
	e.SetDown("dying", false)
	show("dying", 1)
	agent.Stop(t, lab.StopLimit)
	show("steady", 0)
	show("dying", 0)
	b.CheckAnswers(t)
}

// await waits until an instant query has the answer that is wanted. Its limit is far below the look-back.
func (b *backend) await(t *testing.T, expr string, right func(promql.Vector) bool) {
	t.Helper()
	lab.Eventually(t, 30*time.Second, expr, func() (bool, string) {
		got := b.query(t, expr)
		return right(got), fmt.Sprint(got)
	})
}
