package prometheus

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// sessions are probes that hold sessions: one that nothing happens to, one that is cut when idle, one that goes deaf,
// one that is renewed.
func sessions(target string) []map[string]any {
	hold := func(name, path string, session map[string]any) map[string]any {
		session["reconnect"] = map[string]any{"min": "100ms", "max": "200ms"}
		return map[string]any{"name": name, "url": "ws://" + target + path, "session": session}
	}
	return []map[string]any{
		hold("steady", "/echo", map[string]any{"ping_interval": "500ms"}),
		hold("cut", "/idle-cut?after=3s", map[string]any{}),
		hold("deaf", "/feed-deaf?every=200ms&messages=5", map[string]any{"ping_interval": "500ms", "max_silence": "3s"}),
		hold("renewed", "/echo", map[string]any{"ping_interval": "500ms", "max_lifetime": "4s"}),
	}
}

// TestSessionsAreStored holds sessions for a while and wants Prometheus to refuse no request, to have the changes of each
// session once, and to show no latency of a session that is down.
func TestSessionsAreStored(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	target := lab.FreeAddr(t)
	lab.StartProgram(t, "target", "--listen", target)
	agent := lab.StartAgent(t, lab.Settings{
		"agent":    map[string]any{"listen": "", "location": "lab"},
		"otlp":     b.otlp("1s"),
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   sessions(target),
	})
	lab.Wait(t, 30*time.Second)
	one := func(metric, name string) string { return fmt.Sprintf("%s{wsprobe_name=%q}", metric, name) }
	holds := func(expr string, right func(float64) bool) {
		t.Helper()
		b.await(t, expr, func(v promql.Vector) bool { return len(v) == 1 && right(v[0].F) })
	}
	is := func(want float64) func(float64) bool { return func(got float64) bool { return got == want } }
	above := func(bound float64) func(float64) bool { return func(got float64) bool { return got > bound } }
	for _, name := range []string{"steady", "renewed"} {
		holds(one("wsprobe_session_open", name), is(1))
		holds("min_over_time("+one("wsprobe_success", name)+"[30s])", is(1))
		holds("sum(min_over_time("+one("wsprobe_connection_success", name)+"[30s]))", is(1))
		holds(one("wsprobe_round_trip_latency_milliseconds", name), above(0))
	}
	holds(`sum(wsprobe_session_duration_seconds_count{wsprobe_name="renewed", wsprobe_session_end="lifetime"})`, above(4))
	holds(`sum(wsprobe_session_duration_seconds_count{wsprobe_name="cut", wsprobe_session_end="fin"})`, above(4))
	holds(`sum(wsprobe_session_duration_seconds_count{wsprobe_name="deaf", wsprobe_session_end="silence"})`, above(3))
	holds("sum(min_over_time("+one("wsprobe_connection_success", "cut")+"[30s]))", is(1)) // ok 1 + lost 0
	holds("avg_over_time("+one("wsprobe_success", "deaf")+"[30s])", func(got float64) bool { return got < 1 })
	agent.Stop(t, lab.StopLimit)
	b.await(t, one("wsprobe_round_trip_latency_milliseconds", "steady"), func(v promql.Vector) bool { return len(v) == 0 })
	b.CheckAnswers(t)
	b.checkRequests(t)
	b.checkEnds(t, "cut", "fin")
	b.checkEnds(t, "deaf", "silence")
}

// checkEnds compares the points of what is down with the number of ends: each end of a session is stored once.
func (b *backend) checkEnds(t *testing.T, name, end string) {
	t.Helper()
	zeros := map[int64]bool{}
	b.samples(t, "wsprobe_session_open", func(series labels.Labels, at time.Time, v float64) {
		if series.Get("wsprobe_name") == name && v == 0 {
			zeros[at.UnixMilli()] = true
		}
	})
	var ended float64
	b.samples(t, "wsprobe_session_duration_seconds_count", func(series labels.Labels, _ time.Time, v float64) {
		if series.Get("wsprobe_name") == name && series.Get("wsprobe_session_end") == end {
			ended = max(ended, v)
		}
	})
	// An interval can pass while a session is down, which is a second point.
	if n := float64(len(zeros)); n < ended || n > ended+4 {
		t.Errorf("%s: %v points of a closed session, and %v ends", name, n, ended)
	}
}
