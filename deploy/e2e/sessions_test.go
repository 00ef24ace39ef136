package e2e

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// heldProbes are sessions of the agent: one without traffic, one with Pings, and a feed.
func heldProbes(base string) []map[string]any {
	probe := func(name string, session map[string]any) map[string]any {
		session["reconnect"] = map[string]any{"min": "100ms", "max": "1s"}
		return map[string]any{"name": name, "url": base + "/" + name, "interval": "1s", "timeout_ms": 5000, "session": session}
	}
	return []map[string]any{
		probe("quiet", map[string]any{}),
		probe("pinged", map[string]any{"ping_interval": "500ms"}),
		probe("feed", map[string]any{"sequence": "seq", "sent_at": "ts"}),
	}
}

// TestSessionsOfAgent has the agent hold three sessions through HAProxy, which cuts, loses its back end, drains and is
// killed. The metrics, log records and traces that the Collector received tell of each end that the packets have, once.
func TestSessionsOfAgent(t *testing.T) {
	t.Parallel()
	upstream := lab.FreeAddr(t)
	back, front := startHeldServer(t, upstream), frontHAProxy(t, upstream)
	front.serve(t)
	packets := startCapture(t, front.addr)
	c := newCollector(t)
	c.start(t)
	config := newSettings(t, c)
	config.OTLP["logs"], config.OTLP["traces"] = true, true
	config.Probes = heldProbes("ws://" + front.addr)
	agent := startAgent(t, config)
	told := func(name, what string, metric string, n uint64) {
		t.Helper()
		lab.Eventually(t, heldLimit, fmt.Sprintf("%s: %s", name, what), func() (bool, string) {
			agent.Running(t)
			got := countOf(c.received(t).latest(metric, name))
			return got >= n, fmt.Sprint(got)
		})
	}
	told("quiet", "three idle cuts", "wsprobe.session.downtime", 3)
	back.Kill(t)
	told("feed", "the end of the back end", "wsprobe.session.duration", 1)
	startHeldServer(t, upstream)
	told("feed", "an open", "wsprobe.session.downtime", 1)
	told("pinged", "an open", "wsprobe.session.downtime", 1)
	front.process.Signal(t, front.drain)
	told("pinged", "the end of a drain", "wsprobe.session.duration", 2)
	front.process.Exit(t, 30*time.Second)
	front.serve(t)
	told("pinged", "an open after it", "wsprobe.session.downtime", 2)
	told("feed", "an open after it", "wsprobe.session.downtime", 2)
	stopAgent(t, agent)

	conns, got, records, spans := packets.connections(t), c.received(t), c.records(t), c.spans(t)
	for _, probe := range config.Probes {
		name := probe["name"].(string)
		t.Run(name, func(t *testing.T) {
			ends := endsOf(conns["/"+name], &holding{counts: name == "feed"})
			checkSessionMetrics(t, got, name, conns["/"+name], ends)
			checkSessionRecords(t, records, name, ends)
			checkSessionSpans(t, spans, name, conns["/"+name], ends)
			t.Logf("%d sessions", len(ends))
		})
	}
}

// endsOf returns the ends of connections.
func endsOf(conns []*wireConn, h *holding) (ends []wireEnd) {
	for _, c := range conns {
		end, _ := c.end(h)
		ends = append(ends, end)
	}
	return ends
}

// countOf and sumOf add up series: the counts of histograms, and the values of counters or the sums of histograms.
func countOf(points []point) (n uint64) {
	for _, p := range points {
		n += p.count
	}
	return n
}

func sumOf(points []point) (sum float64) {
	for _, p := range points {
		sum += p.value
	}
	return sum
}

// checkSessionMetrics compares counts and sums with those of the packets. What is under way at the stop may be left out.
func checkSessionMetrics(t *testing.T, got received, name string, conns []*wireConn, ends []wireEnd) {
	t.Helper()
	near := func(metric string, count int, seconds float64) {
		t.Helper()
		points := got.latest(metric, name)
		if n := countOf(points); n != uint64(count) {
			t.Errorf("%s: %d, the packets have %d", metric, n, count)
		}
		if sum := sumOf(points); math.Abs(sum-seconds) > float64(count)*apart.Seconds() {
			t.Errorf("%s: %.3f s in all, the packets have %.3f s", metric, sum, seconds)
		}
	}
	var lived, down float64
	var messages, lost float64
	byEnd := map[string]int{}
	for i, end := range ends {
		lived += end.LifetimeMS / 1000
		messages += float64(end.Messages)
		lost += float64(end.Lost)
		if i > 0 {
			down += conns[i].opened.Sub(ends[i-1].at).Seconds()
		}
		byEnd[fmt.Sprint(end.name(), end.Code)]++
	}
	near("wsprobe.session.duration", len(ends), lived)
	near("wsprobe.session.downtime", len(ends)-1, down)
	for _, p := range got.latest("wsprobe.session.duration", name) {
		key := fmt.Sprint(p.attributes["wsprobe.session.end"], p.attributes["wsprobe.session.close_code"])
		if byEnd[key] != int(p.count) {
			t.Errorf("%d sessions ended by %s, the packets have %v", p.count, key, byEnd)
		}
	}
	for metric, want := range map[string]float64{"wsprobe.session.message.received": messages, "wsprobe.session.message.lost": lost} {
		if sum := sumOf(got.latest(metric, name)); sum > want || sum < want-1 {
			t.Errorf("%s: %v, the packets have %v", metric, sum, want)
		}
	}
	changes := got.of("wsprobe.connection_success", name)
	for i := range ends {
		at := func(when time.Time, value float64) bool {
			return slices.ContainsFunc(changes, func(p point) bool { return p.value == value && p.end.Sub(when).Abs() < apart })
		}
		if !at(conns[i].opened, 1) || !ends[i].planned && !at(ends[i].at, 0) {
			t.Errorf("session %d: no point of connection_success at its open or its end", i+1)
		}
	}
}

// name is the end as wsprobe calls it.
func (e wireEnd) name() string {
	if e.planned {
		return "stop"
	}
	return e.Cause
}

// checkSessionRecords compares the log records with the ends that nobody planned, in order.
func checkSessionRecords(t *testing.T, records []plog.LogRecord, name string, ends []wireEnd) {
	t.Helper()
	var told []map[string]any
	for _, r := range records {
		if a := r.Attributes().AsRaw(); r.EventName() == "wsprobe.session.ended" && a["wsprobe.name"] == name {
			told = append(told, a)
		}
	}
	unplanned := slices.DeleteFunc(slices.Clone(ends), func(e wireEnd) bool { return e.planned })
	if len(told) != len(unplanned) {
		t.Fatalf("%d records of ends, the packets have %d", len(told), len(unplanned))
	}
	for i, want := range unplanned {
		a := told[i]
		got := fmt.Sprint(a["wsprobe.session.end"], a["wsprobe.close.code"], a["wsprobe.session.messages"], a["wsprobe.session.bytes.in"], a["wsprobe.session.pongs"])
		if got != fmt.Sprint(want.Cause, want.Code, want.Messages, want.BytesIn, want.Pongs) {
			t.Errorf("record %d: %v, the packets have %+v", i+1, a, want)
		}
		for key, ms := range map[string]float64{"lifetime": want.LifetimeMS, "idle.in": want.IdleInMS, "idle.out": want.IdleOutMS} {
			if told, ok := a["wsprobe.session."+key].(float64); !ok || math.Abs(told-ms) > millis(apart) {
				t.Errorf("record %d: %s %v ms, the packets have %.1f ms", i+1, key, a["wsprobe.session."+key], ms)
			}
		}
	}
}

// checkSessionSpans wants one trace of each session, from its attempt to its end.
func checkSessionSpans(t *testing.T, traces map[string][]span, name string, conns []*wireConn, ends []wireEnd) {
	t.Helper()
	var sessions []span
	for _, trace := range traces {
		for _, s := range trace {
			if s.Name() == "session "+name && s.text("wsprobe.session.end") != "" {
				sessions = append(sessions, s)
			}
		}
	}
	slices.SortFunc(sessions, func(a, b span) int { return a.EndTimestamp().AsTime().Compare(b.EndTimestamp().AsTime()) })
	if len(sessions) != len(ends) {
		t.Fatalf("%d spans of sessions, the packets have %d", len(sessions), len(ends))
	}
	for i, s := range sessions {
		if s.text("wsprobe.session.end") != ends[i].name() || s.EndTimestamp().AsTime().Sub(ends[i].at).Abs() > apart ||
			s.StartTimestamp().AsTime().Sub(conns[i].opened).Abs() > apart {
			t.Errorf("span %d: %v to %v, %v; the packets have %+v", i+1, s.StartTimestamp().AsTime(), s.EndTimestamp().AsTime(), s.Attributes().AsRaw(), ends[i])
		}
	}
}
