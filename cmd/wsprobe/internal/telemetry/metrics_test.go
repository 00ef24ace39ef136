package telemetry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

func TestTableIsWhole(t *testing.T) {
	names := map[string]bool{}
	for _, m := range Metrics() {
		if m.Name == "" || m.Kind == "" || m.Description == "" {
			t.Errorf("incomplete: %+v", m)
		}
		if names[m.Name] {
			t.Errorf("%s stands there twice", m.Name)
		}
		names[m.Name] = true
		ofAgent := slices.ContainsFunc([]string{"wsprobe.agent.", "wsprobe.stream.", "wsprobe.feed.", "wsprobe.discovery."}, func(branch string) bool {
			return strings.HasPrefix(m.Name, branch)
		})
		if m.PerProbe == ofAgent {
			t.Errorf("%s: is it about a probe or about the agent?", m.Name)
		}
	}
	// A name that is also the beginning of another cannot be both a value and a branch of a tree.
	for name := range names {
		for other := range names {
			if strings.HasPrefix(other, name+".") {
				t.Errorf("%s is a namespace of %s", name, other)
			}
		}
	}
}

func TestTableIsACopy(t *testing.T) {
	Metrics()[metrics.Runs].Attributes[0] = "changed"
	Metrics()[metrics.Runs].Name = "changed"
	if got := Metrics()[metrics.Runs]; got.Name != "wsprobe.runs" || got.Attributes[0] != "wsprobe.reason" {
		t.Errorf("got %+v", got)
	}
}

// TestPointsAreAsTheTableSays makes every metric have a point and compares kind, unit and attributes.
func TestPointsAreAsTheTableSays(t *testing.T) {
	telemetry := newTest(t, Options{InFlight: func() int { return 3 }, Logs: true, Traces: true, Streams: streams, Feed: clients, Discovery: sources}, new(stub))
	target := chat()
	target.Labels = nil
	target.Name, target.Interval = "never", time.Nanosecond
	telemetry.probe(target)
	target.Name, target.Interval = "chat", time.Hour
	series := telemetry.probe(target)
	certified := good(midnight, time.Millisecond)
	certified.CertificateExpiry = midnight.Add(time.Hour)
	series.Record(certified, probehealth.Degraded)
	series.Record(refused(midnight), unjudged)
	series.Maintain(midnight, metrics.Outside)
	target.Name = "feed"
	holdAndLose(telemetry.probe(target), midnight)
	telemetry.ObserveStart(time.Millisecond)
	telemetry.ObserveSkip("overlap", 1)
	telemetry.ObserveProbeRequest(200)
	telemetry.ObserveConfigLoad(ConfigLoad{At: midnight, Took: time.Millisecond, OK: true})
	telemetry.self.build = buildAttributes("1.2.3", "go1.26", "c0ffee", "https://wsprobe.example.com/")
	telemetry.observer(otlp.Metrics).Answered(outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE"}, 0)
	telemetry.observer(otlp.Metrics).SpoolFailed("no_space")
	telemetry.metrics.Add(outbox.Batch{At: time.Now()})

	seen := map[string]bool{}
	for _, m := range produce(t, telemetry).Families {
		row := rowOf(t, m.Name)
		seen[m.Name] = true
		if m.Kind != row.Kind || m.Unit != row.Unit || m.Description != row.Description {
			t.Errorf("%s: a %s in %q, want a %s in %q", m.Name, m.Kind, m.Unit, row.Kind, row.Unit)
		}
		want := slices.Clone(row.Attributes)
		if row.PerProbe {
			want = append(want, metrics.ProbeKeys()...)
		}
		slices.Sort(want)
		union := map[string]bool{}
		for _, p := range m.Points {
			set := p.Attributes
			for _, a := range set.Attributes {
				union[a.Key] = true
			}
			_, failed := set.Value("error.type")
			if n := len(set.Attributes); n != len(want) && (n != len(want)-1 || failed) {
				t.Errorf("%s: a point with %v, want %v", m.Name, set.Attributes, want)
			}
			if _, whole := p.Value.Whole(); whole == (row.Kind == metrics.Gauge || row.Kind == metrics.Histogram) || (p.Distribution != nil) != (row.Kind == metrics.Histogram) {
				t.Errorf("%s: a %s with the point %+v", m.Name, row.Kind, p)
			}
		}
		if got := slices.Sorted(maps.Keys(union)); !slices.Equal(got, want) {
			t.Errorf("%s: attributes %v, want %v", m.Name, got, want)
		}
	}
	for _, row := range Metrics() {
		if !seen[row.Name] {
			t.Errorf("%s was not exported", row.Name)
		}
	}
}

// streams are the numbers of a stream that has met everything.
func streams() []StreamStats {
	return []StreamStats{{
		Name: "wall", Open: 1, Established: 3, Failed: map[Pair]int64{{"ws_open_failed", "connection_refused"}: 2},
		Shutdown: map[Pair]int64{{"server", "1012"}: 1, {"network", ""}: 1},
		Received: 100, Sent: 90, Resent: 4, Discarded: map[string]int64{"buffer_full": 3}, BufferFailures: map[string]int64{"no_space": 1},
		Messages: 95, Bytes: 95_000, Buffered: 7, BufferSize: 7000, BufferAge: time.Second,
	}}
}

func clients() FeedStats {
	return FeedStats{Clients: 2, Dropped: map[string]int64{"slow": 1}, Refused: map[string]int64{"foreign": 1}}
}

// sources are the numbers of a source of targets.
func sources() []DiscoveryStats {
	return []DiscoveryStats{{Name: "pods", Targets: 12, Rejected: map[string]int{"duplicate": 2, "invalid": 0}, Succeeded: 40, Failed: 3, Age: 1500 * time.Millisecond}}
}

// TestDiscoveryIsCounted holds the points of a source of targets.
func TestDiscoveryIsCounted(t *testing.T) {
	got := make(map[string]string)
	for _, m := range produce(t, newTest(t, Options{Discovery: sources}, new(stub))).Families {
		for _, p := range m.Points {
			text := func(key string) string {
				if value, ok := p.Attributes.Value(key); ok {
					return value.String()
				}
				return ""
			}
			if text("wsprobe.discovery.name") == "pods" {
				got[m.Name+" "+text("wsprobe.discovery.cause")+text("wsprobe.discovery.outcome")] = fmt.Sprint(p.Value.Float())
			}
		}
	}
	want := map[string]string{"wsprobe.discovery.targets ": "12", "wsprobe.discovery.rejected duplicate": "2", "wsprobe.discovery.rejected invalid": "0",
		"wsprobe.discovery.looks success": "40", "wsprobe.discovery.looks failure": "3", "wsprobe.discovery.age ": "1.5"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestStreamsAreCounted holds the points of a stream, and those of the one that clients read.
func TestStreamsAreCounted(t *testing.T) {
	telemetry := newTest(t, Options{Streams: streams, Feed: clients}, new(stub))
	got := produce(t, telemetry)
	for want, value := range map[string]int64{
		"wsprobe.stream.connections.established": 3, "wsprobe.stream.connections.open": 1, "wsprobe.stream.events.received": 100,
		"wsprobe.stream.events.sent": 90, "wsprobe.stream.events.resent": 4, "wsprobe.stream.events.discarded": 3,
		"wsprobe.stream.events.buffered": 7, "wsprobe.stream.buffer.size": 7000, "wsprobe.stream.messages.sent": 95,
		"wsprobe.stream.bytes.sent": 95_000, "wsprobe.feed.client.connected": 2,
	} {
		found := false
		for _, m := range got.Families {
			if m.Name != want {
				continue
			}
			found = true
			if n, whole := m.Points[0].Value.Whole(); len(m.Points) != 1 || !whole || n != value {
				t.Errorf("%s: %+v, want %d", want, m.Points, value)
			}
		}
		if !found {
			t.Errorf("no %s", want)
		}
	}
}

func rowOf(t *testing.T, name string) metrics.Metric {
	t.Helper()
	for _, row := range Metrics() {
		if row.Name == name {
			return row
		}
	}
	t.Fatalf("%s is not in the table", name)
	return metrics.Metric{}
}

func TestAgentCountsItself(t *testing.T) {
	telemetry := newTest(t, Options{InFlight: func() int { return 3 }}, new(stub))
	telemetry.probe(chat())
	telemetry.probe(chat())
	telemetry.ObserveStart(2 * time.Millisecond)
	telemetry.ObserveStart(3 * time.Millisecond)
	telemetry.ObserveSkip("overlap", 1)
	telemetry.ObserveSkip("missed", 4)
	telemetry.ObserveSkip("missed", 1)
	telemetry.ObserveOverload()
	telemetry.ObserveOverload()
	telemetry.observer(otlp.Metrics).Answered(outbox.Answer{Outcome: outbox.Accepted}, 50)
	telemetry.observer(otlp.Metrics).Answered(outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE"}, 0)
	telemetry.observer(otlp.Metrics).Dropped(outbox.DropQueueFull, 7)
	scope := produce(t, telemetry)

	for _, c := range []struct {
		metric     metrics.ID
		attributes string
		want       int64
	}{
		{idAgentProbes, "", 2},
		{idAgentInFlight, "", 3},
		{idAgentOverloaded, "", 2},
		{idAgentSkipped, "wsprobe.skip.cause=overlap", 1},
		{idAgentSkipped, "wsprobe.skip.cause=missed", 5},
		{idAgentRequests, "wsprobe.export.outcome=accepted", 1},
		{idAgentRequests, "error.type=UNAVAILABLE,wsprobe.export.outcome=deferred", 1},
		{idAgentSent, "", 50},
		{idAgentDropped, "wsprobe.drop.cause=queue_full", 7},
		{idAgentDropped, "wsprobe.drop.cause=rejected", 0},
		{idAgentQueueLength, "", 0},
		{idAgentQueueSize, "", 0},
	} {
		found := false
		for _, p := range sums(scope, c.metric) {
			if encode(p.Attributes) == c.attributes {
				found = true
				if p.Value.Float() != float64(c.want) {
					t.Errorf("%s{%s}: got %v, want %d", table[c.metric].Name, c.attributes, p.Value, c.want)
				}
			}
		}
		if !found {
			t.Errorf("%s{%s} is absent", table[c.metric].Name, c.attributes)
		}
	}
	if h := histograms(scope, idAgentStartDelay); len(h) != 1 || h[0].Distribution.Count != 2 || h[0].Distribution.Sum != 5 {
		t.Errorf("start delay: got %+v", h)
	}
	if find(scope, idAgentQueueAge) != nil {
		t.Error("an empty queue has an age")
	}
}
