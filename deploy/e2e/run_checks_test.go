package e2e

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// catalogue is every metric about probes, as the README documents it, and those about the agent that an
// operator relies on.
var catalogue = map[string]struct {
	kind      pmetric.MetricType
	unit      string
	monotonic bool // of a sum
}{
	"wsprobe.handshake_latency":    {kind: pmetric.MetricTypeGauge, unit: "ms"},
	"wsprobe.round_trip_latency":   {kind: pmetric.MetricTypeGauge, unit: "ms"},
	"wsprobe.connection_success":   {kind: pmetric.MetricTypeGauge},
	"wsprobe.success":              {kind: pmetric.MetricTypeGauge},
	"wsprobe.consecutive_failures": {kind: pmetric.MetricTypeGauge, unit: "{run}"},
	"wsprobe.missed_intervals":     {kind: pmetric.MetricTypeGauge, unit: "{interval}"}, // of the probe "stuck"
	"wsprobe.phase.duration":       {kind: pmetric.MetricTypeGauge, unit: "ms"},
	"wsprobe.runs":                 {kind: pmetric.MetricTypeSum, unit: "{run}", monotonic: true},
	"wsprobe.handshake.duration":   {kind: pmetric.MetricTypeHistogram, unit: "ms"},
	"wsprobe.round_trip.duration":  {kind: pmetric.MetricTypeHistogram, unit: "ms"},

	"wsprobe.agent.probes":               {kind: pmetric.MetricTypeSum, unit: "{probe}"},
	"wsprobe.agent.run.inflight":         {kind: pmetric.MetricTypeSum, unit: "{run}"},
	"wsprobe.agent.run.started":          {kind: pmetric.MetricTypeSum, unit: "{run}", monotonic: true},
	"wsprobe.agent.config.loads":         {kind: pmetric.MetricTypeSum, unit: "{load}", monotonic: true},
	"wsprobe.agent.config.stale":         {kind: pmetric.MetricTypeGauge},
	"wsprobe.agent.build.info":           {kind: pmetric.MetricTypeGauge},
	"process.cpu.time":                   {kind: pmetric.MetricTypeSum, unit: "s", monotonic: true},
	"go.goroutine.count":                 {kind: pmetric.MetricTypeSum, unit: "{goroutine}"},
	"wsprobe.agent.run.start_delay":      {kind: pmetric.MetricTypeHistogram, unit: "ms"},
	"wsprobe.agent.run.skipped":          {kind: pmetric.MetricTypeSum, unit: "{run}", monotonic: true},
	"wsprobe.agent.export.requests":      {kind: pmetric.MetricTypeSum, unit: "{request}", monotonic: true},
	"wsprobe.agent.export.point.sent":    {kind: pmetric.MetricTypeSum, unit: "{data_point}", monotonic: true},
	"wsprobe.agent.export.point.dropped": {kind: pmetric.MetricTypeSum, unit: "{data_point}", monotonic: true},
}

// checkResource compares the resource, which must be the same in every request.
func checkResource(t *testing.T, got received) {
	if len(got.resources) == 0 {
		t.Fatal("no resource")
	}
	first := got.resources[0]
	for _, r := range got.resources {
		if !reflect.DeepEqual(r, first) {
			t.Errorf("two resources of one agent: %v and %v", first, r)
		}
	}
	for key, want := range map[string]string{
		"service.name": "wsprobe", "deployment.environment.name": "test",
	} {
		if first[key] != want {
			t.Errorf("resource attribute %s: got %v, want %q", key, first[key], want)
		}
	}
	if location, there := first["wsprobe.location"]; there {
		t.Errorf("the resource bears wsprobe.location %v, which the points bear", location)
	}
	for _, key := range []string{"service.version", "service.instance.id", "host.name"} {
		if value, _ := first[key].(string); value == "" {
			t.Errorf("resource attribute %s is missing: %v", key, first)
		}
	}
}

// checkMetrics compares names, kinds and units: everything in the catalogue arrives, and nothing about
// a probe that is not in it.
func checkMetrics(t *testing.T, got received) {
	seen := map[string]bool{}
	for _, p := range got.points {
		seen[p.metric] = true
		want, known := catalogue[p.metric]
		if p.attributes["wsprobe.location"] != "e2e" {
			t.Errorf("%v has no location", p)
		}
		switch {
		case !known && (strings.HasPrefix(p.metric, "wsprobe.agent.") || strings.HasPrefix(p.metric, "wsprobe.feed.") || strings.HasPrefix(p.metric, "go.") || strings.HasPrefix(p.metric, "process.")):
		case !known:
			t.Errorf("a metric that is not in the catalogue: %v", p)
		case p.kind != want.kind || p.unit != want.unit:
			t.Errorf("%s is a %v in %q, want a %v in %q", p.metric, p.kind, p.unit, want.kind, want.unit)
		case p.kind != pmetric.MetricTypeGauge && !p.cumulative:
			t.Errorf("%s is not cumulative", p.metric)
		case p.monotonic != want.monotonic:
			t.Errorf("%s: monotonic is %v, want %v", p.metric, p.monotonic, want.monotonic)
		}
	}
	for name := range catalogue {
		if !seen[name] {
			t.Errorf("%s did not arrive", name)
		}
	}
}

// checkAgent compares what the agent says about itself at the end of TestRun.
func checkAgent(t *testing.T, got received, probes int) {
	if n := total(got, "wsprobe.agent.probes", nil); n != float64(probes) {
		t.Errorf("wsprobe.agent.probes: got %v, want %d", n, probes)
	}
	// The probe "stuck" is still under way each time that its next run is due.
	overlap := map[string]any{"wsprobe.skip.cause": "overlap"}
	if n := total(got, "wsprobe.agent.run.skipped", overlap); n < 1 {
		t.Errorf("wsprobe.agent.run.skipped %v: got %v, want some", overlap, n)
	}
	if n := total(got, "wsprobe.agent.export.point.dropped", nil); n != 0 {
		t.Errorf("wsprobe.agent.export.point.dropped: got %v, want 0", n)
	}
}

// total returns the sum of the latest points of a metric about the agent that bear the attributes.
func total(got received, metric string, attributes map[string]any) float64 {
	sum := 0.0
next:
	for _, p := range got.latest(metric, "") {
		for k, v := range attributes {
			if p.attributes[k] != v {
				continue next
			}
		}
		sum += p.value
	}
	return sum
}

// checkSuccess compares connection_success, of which every run has one point: its value, its reason,
// its own time, a second after the one before, up to the last run before the stop.
func checkSuccess(t *testing.T, got received, p target, stopped time.Time) {
	points := got.of("wsprobe.connection_success", p.name())
	want := p.attributes("wsprobe.reason", p.reason)
	for i, now := range points {
		if now.value != p.success || !reflect.DeepEqual(now.attributes, want) {
			t.Errorf("got %v, want %v with %v", now, p.success, want)
		}
		if !now.start.Before(now.end) {
			t.Errorf("the run started at %v and ended at %v", now.start, now.end)
		}
		if i == 0 {
			continue
		}
		checkSpacing(t, points[i-1], now)
		if !now.end.After(points[i-1].end) {
			t.Errorf("a point at %v came after one at %v", now.end, points[i-1].end)
		}
	}
	last := points[len(points)-1].end
	if gap := stopped.Sub(last); gap > 2*time.Second {
		t.Errorf("the last run that arrived ended %v before the stop: the runs after it were not flushed", gap)
	}
}

// checkSpacing compares the starts of two consecutive runs at an interval of a second.
func checkSpacing(t *testing.T, before, now point) {
	t.Helper()
	const slack = 400 * time.Millisecond // a busy machine; starts do not drift, so it does not add up
	if gap := now.start.Sub(before.start); gap < time.Second-slack || gap > time.Second+slack {
		t.Errorf("%v between the starts of two consecutive points of %q, want 1s", gap, now.probe())
	}
}

// checkLatencies compares what was measured: a point for each run that got that far, at the time of the
// run, and none otherwise.
func checkLatencies(t *testing.T, got received, p target) {
	var times []time.Time
	for _, run := range got.of("wsprobe.connection_success", p.name()) {
		times = append(times, run.end)
	}
	measured := func(what string, points []point, want bool, attributes map[string]any) {
		t.Helper()
		if want != (len(points) > 0) || want && len(points) != len(times) {
			t.Errorf("%s: %d points of %d runs, want some: %v", what, len(points), len(times), want)
			return
		}
		for i, now := range points {
			if !now.end.Equal(times[i]) {
				t.Errorf("%s: a point at %v, the run ended at %v", what, now.end, times[i])
			}
			if now.value <= 0 || now.value > 30_000 || !reflect.DeepEqual(now.attributes, attributes) {
				t.Errorf("%s: got %v, want %v", what, now, attributes)
			}
		}
	}
	measured("handshake", got.of("wsprobe.handshake_latency", p.name()), p.handshake, p.attributes())
	measured("round trip", got.of("wsprobe.round_trip_latency", p.name()), p.roundTrip, p.attributes())
	phases := map[string][]point{}
	for _, now := range got.of("wsprobe.phase.duration", p.name()) {
		name := fmt.Sprint(now.attributes["wsprobe.phase"])
		phases[name] = append(phases[name], now)
	}
	for _, phase := range []string{"dns", "connect", "tls", "upgrade", "round_trip", "close"} {
		if phase == "close" { // which a busy machine, or the stop of the agent, can cut: it is in no value
			times = slices.DeleteFunc(times, func(end time.Time) bool {
				return !slices.ContainsFunc(phases[phase], func(p point) bool { return p.end.Equal(end) })
			})
		}
		measured("phase "+phase, phases[phase], slices.Contains(p.phases, phase), p.attributes("wsprobe.phase", phase))
	}
}

// checkTotals compares the cumulative metrics with the points of the single runs.
func checkTotals(t *testing.T, got received, p target) {
	runs := len(got.of("wsprobe.connection_success", p.name()))
	want := p.attributes("wsprobe.reason", p.reason)
	if p.errorType != "" {
		want = p.attributes("wsprobe.reason", p.reason, "error.type", p.errorType)
	}
	totals := got.latest("wsprobe.runs", p.name())
	if len(totals) != 1 || !reflect.DeepEqual(totals[0].attributes, want) || totals[0].value != float64(runs) {
		t.Errorf("wsprobe.runs: got %v, want %d with %v", totals, runs, want)
	}
	for metric, measured := range map[string]bool{
		"wsprobe.handshake.duration": p.handshake, "wsprobe.round_trip.duration": p.roundTrip,
	} {
		histograms := got.latest(metric, p.name())
		if !measured {
			if len(histograms) > 0 && histograms[0].count != 0 {
				t.Errorf("%s counts %d values that nobody measured", metric, histograms[0].count)
			}
			continue
		}
		if len(histograms) != 1 || histograms[0].count != uint64(runs) || !reflect.DeepEqual(histograms[0].attributes, p.attributes()) {
			t.Errorf("%s: got %v, want %d values with %v", metric, histograms, runs, p.attributes())
			continue
		}
		if bounds := histograms[0].bounds; len(bounds) == 0 || bounds[len(bounds)-1] != 30_000 {
			t.Errorf("%s: bounds %v, want the last to be the longest timeout, 30000 ms", metric, bounds)
		}
	}
}

// checkSentOnce looks for a run that arrived twice, in one request or in two.
func checkSentOnce(t *testing.T, got received) {
	seen := map[string]bool{}
	for _, p := range got.points {
		if p.kind != pmetric.MetricTypeGauge || p.probe() == "" {
			continue
		}
		key := fmt.Sprint(p.metric, p.attributes, p.end.UnixNano())
		if seen[key] {
			t.Errorf("sent twice: %v", p)
		}
		seen[key] = true
	}
}

// checkConnections compares what was reported with what the server saw: one connection per run, closed
// as RFC 6455 asks, and none left.
func checkConnections(t *testing.T, got received, all []target, nats natsServer) {
	reported, probes := 0, 0
	for _, p := range all {
		if p.success == 1 {
			reported += len(got.of("wsprobe.connection_success", p.name()))
			probes++
		}
	}
	// The stop can cancel one run of each probe, which is then neither reported nor closed politely.
	seen := nats.connections(t)
	if seen < reported || seen > reported+probes {
		t.Errorf("NATS saw %d connections of %d reported runs", seen, reported)
	}
	lab.Eventually(t, 5*time.Second, "NATS to see the last connection closed", func() (bool, string) {
		n := nats.NumClients()
		return n == 0, fmt.Sprintf("%d are open", n)
	})
	if unclean := nats.uncleanCloses(t); len(unclean) > seen-reported {
		t.Errorf("connections that did not end with a close handshake: %s", strings.Join(unclean, "; "))
	}
}
