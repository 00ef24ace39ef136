package telemetry

import (
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
		if m.PerProbe == strings.HasPrefix(m.Name, "wsprobe.agent.") {
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
	telemetry := newTest(t, Options{InFlight: func() int { return 3 }, Logs: true, Traces: true}, new(stub))
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
	target.Name = "feed"
	holdAndLose(telemetry.probe(target), midnight)
	telemetry.ObserveStart(time.Millisecond)
	telemetry.ObserveSkip("overlap", 1)
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
