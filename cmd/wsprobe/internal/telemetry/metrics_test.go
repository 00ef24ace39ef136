package telemetry

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
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
	Metrics()[idRuns].Attributes[0] = "changed"
	Metrics()[idRuns].Name = "changed"
	if got := Metrics()[idRuns]; got.Name != "wsprobe.runs" || got.Attributes[0] != "wsprobe.reason" {
		t.Errorf("got %+v", got)
	}
}

// TestPointsAreAsTheTableSays makes every metric have a point and compares kind, unit and attributes.
func TestPointsAreAsTheTableSays(t *testing.T) {
	telemetry := newTest(t, Options{InFlight: func() int { return 3 }, Logs: true, Traces: true}, new(stub))
	target := chat()
	target.Labels = nil
	target.Name, target.Interval = "never", time.Nanosecond
	telemetry.Probe(target)
	target.Name, target.Interval = "chat", time.Hour
	series := telemetry.Probe(target)
	certified := good(midnight, time.Millisecond)
	certified.CertificateExpiry = midnight.Add(time.Hour)
	series.Record(certified, probehealth.Degraded)
	series.Record(refused(midnight), unjudged)
	telemetry.ObserveStart(time.Millisecond)
	telemetry.ObserveSkip("overlap", 1)
	telemetry.ObserveConfigLoad(ConfigLoad{At: midnight, Took: time.Millisecond, OK: true})
	telemetry.agent.build = buildAttributes("1.2.3", "go1.26", "c0ffee", "https://wsprobe.example.com/")
	telemetry.agent.metrics.answered(outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE"}, 0)
	telemetry.agent.spoolFailed("no_space")
	telemetry.metrics.Add(outbox.Batch{At: time.Now()})

	seen := map[string]bool{}
	for _, m := range produce(t, telemetry).Metrics {
		row := rowOf(t, m.Name)
		seen[m.Name] = true
		kind, sets := describe(m.Data)
		if kind != row.Kind || m.Unit != row.Unit || m.Description != row.Description {
			t.Errorf("%s: a %s in %q, want a %s in %q", m.Name, kind, m.Unit, row.Kind, row.Unit)
		}
		want := slices.Clone(row.Attributes)
		if row.PerProbe {
			want = append(want, ProbeAttributes()...)
		}
		slices.Sort(want)
		union := map[string]bool{}
		for _, set := range sets {
			for _, kv := range set.ToSlice() {
				union[string(kv.Key)] = true
			}
			if n := set.Len(); n != len(want) && (n != len(want)-1 || set.HasValue("error.type")) {
				t.Errorf("%s: a point with %v, want %v", m.Name, set.ToSlice(), want)
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

func rowOf(t *testing.T, name string) Metric {
	t.Helper()
	for _, row := range Metrics() {
		if row.Name == name {
			return row
		}
	}
	t.Fatalf("%s is not in the table", name)
	return Metric{}
}

// describe returns the kind of data and the attributes of its points.
func describe(data metricdata.Aggregation) (kind Kind, sets []attribute.Set) {
	switch data := data.(type) {
	case metricdata.Gauge[float64]:
		kind = Gauge
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Sum[int64]:
		kind = UpDownCounter
		if data.IsMonotonic {
			kind = Counter
		}
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Sum[float64]:
		kind = UpDownCounter
		if data.IsMonotonic {
			kind = Counter
		}
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Histogram[float64]:
		kind = Histogram
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	}
	return kind, sets
}

func TestAgentCountsItself(t *testing.T) {
	telemetry := newTest(t, Options{InFlight: func() int { return 3 }}, new(stub))
	telemetry.Probe(chat())
	telemetry.Probe(chat())
	telemetry.ObserveStart(2 * time.Millisecond)
	telemetry.ObserveStart(3 * time.Millisecond)
	telemetry.ObserveSkip("overlap", 1)
	telemetry.ObserveSkip("missed", 4)
	telemetry.ObserveSkip("missed", 1)
	telemetry.ObserveOverload()
	telemetry.ObserveOverload()
	telemetry.agent.metrics.answered(outbox.Answer{Outcome: outbox.Accepted}, 50)
	telemetry.agent.metrics.answered(outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE"}, 0)
	telemetry.agent.metrics.drop(outbox.DropQueueFull, 7)
	scope := produce(t, telemetry)

	for _, c := range []struct {
		metric     metricID
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
				if p.Value != c.want {
					t.Errorf("%s{%s}: got %d, want %d", table[c.metric].Name, c.attributes, p.Value, c.want)
				}
			}
		}
		if !found {
			t.Errorf("%s{%s} is absent", table[c.metric].Name, c.attributes)
		}
	}
	if h := histograms(scope, idAgentStartDelay); len(h) != 1 || h[0].Count != 2 || h[0].Sum != 5 {
		t.Errorf("start delay: got %+v", h)
	}
	if find(scope, idAgentQueueAge) != nil {
		t.Error("an empty queue has an age")
	}
}
