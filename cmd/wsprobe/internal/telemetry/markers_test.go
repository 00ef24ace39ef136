package telemetry

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// said is what a collection says of the gauges of runs: metric or phase, a value or "ends", in the order of the
// request.
func said(scopes ...otlp.Scope) string {
	var all []string
	for _, scope := range scopes {
		for _, m := range []metrics.ID{metrics.HandshakeLatency, metrics.RoundTripLatency, metrics.ConnectionSuccess, metrics.PhaseDuration} {
			for _, p := range gauges(scope, m) {
				what := strings.TrimPrefix(table[m].Name, "wsprobe.")
				for _, key := range []string{metrics.KeyPhase, metrics.KeyReason} {
					if v, ok := p.Attributes.Value(key); ok {
						what = v.String()
					}
				}
				if p.NoValue {
					all = append(all, what+" ends")
				} else {
					all = append(all, what)
				}
			}
		}
	}
	return strings.Join(all, ", ")
}

// TestSeriesWithoutAValueEnds: what a run has not measured ends with it, unless its request has a later value.
func TestSeriesWithoutAValueEnds(t *testing.T) {
	ok := func(at time.Time) probe.Result {
		r := good(at, 3*time.Millisecond)
		r.Phases = probe.Phases{probe.PhaseConnect: r.Phases[probe.PhaseConnect]}
		return r
	}
	failed := func(at time.Time) probe.Result {
		r := refused(at)
		r.Phases = probe.Phases{}
		return r
	}
	const full = "handshake_latency, round_trip_latency, ok, connect"
	for name, c := range map[string]struct {
		first, then []func(time.Time) probe.Result
		without     bool
		want        string
	}{
		"a value again":              {first: rs(ok), then: rs(ok), want: full},
		"a failure":                  {first: rs(ok), then: rs(failed), want: "handshake_latency ends, round_trip_latency ends, ws_open_failed, ok ends, connect ends"},
		"a failure after a failure":  {first: rs(ok, failed), then: rs(failed), want: "ws_open_failed"},
		"the first run fails":        {then: rs(failed), want: "ws_open_failed"},
		"no reply":                   {first: rs(ok), then: rs(silent), want: "handshake_latency, round_trip_latency ends, ws_reply_timeout, ok ends, dns, connect, tls, upgrade, close"},
		"a value later in a request": {first: rs(ok), then: rs(failed, ok), want: strings.Replace(full, "ok", "ws_open_failed, ok, ws_open_failed ends", 1)},
		"recovered":                  {first: rs(failed), then: rs(ok), want: strings.Replace(full, "ok", "ok, ws_open_failed ends", 1)},
		"not wanted":                 {first: rs(ok), then: rs(failed), without: true, want: "ws_open_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			telemetry := newTest(t, Options{EndMarkers: !c.without}, new(stub))
			series, at := telemetry.probe(chat()), midnight
			record := func(results []func(time.Time) probe.Result) {
				for _, result := range results {
					at = at.Add(time.Minute)
					series.Record(result(at), unjudged)
				}
			}
			record(c.first)
			allRequests(telemetry)
			record(c.then)
			if got := said(allRequests(telemetry)...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func rs(results ...func(time.Time) probe.Result) []func(time.Time) probe.Result { return results }

// TestMarkersStandLast: the Prometheus exporter of some Collectors drops what stands behind a marker in its metric.
func TestMarkersStandLast(t *testing.T) {
	telemetry := newTest(t, Options{EndMarkers: true}, new(stub))
	a, b := telemetry.probe(chat()), telemetry.probe(metrics.Target{Name: "other"})
	a.Record(good(midnight, time.Millisecond), unjudged)
	b.Record(good(midnight, time.Millisecond), unjudged)
	allRequests(telemetry)
	a.Record(refused(midnight.Add(time.Minute)), unjudged)
	b.Record(good(midnight.Add(2*time.Minute), time.Millisecond), unjudged)
	for _, scope := range allRequests(telemetry) {
		for _, m := range scope.Families {
			ended := false
			for _, p := range m.Points {
				if ended = ended || p.NoValue; ended != p.NoValue {
					t.Errorf("%s: a value behind a marker", m.Name)
				}
			}
		}
	}
}

// TestLatenciesEndAtTheStop looks at the bytes: the flag and no value, a millisecond after the last one at least.
func TestLatenciesEndAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: time.Hour, EndMarkers: true}, tp)
		series := r.probe(chat())
		series.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
		r.stop(t)
		requests := tp.points(t)
		checkOrder(t, requests)
		var ended []string
		for _, p := range slices.Concat(requests...) {
			if p.NoValue {
				ended = append(ended, strings.TrimPrefix(p.Metric, "wsprobe."))
			}
		}
		slices.Sort(ended)
		if got, want := strings.Join(slices.Compact(ended), " "), "handshake_latency phase.duration round_trip_latency"; got != want {
			t.Errorf("ended %q, want %q", got, want)
		}
	})
}

// TestStreaks: the length of the streak is exported with the totals, and with the runs of a collection that has none.
func TestStreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second, PendingRuns: 4}, tp)
		series := r.probe(chat())
		r.until(11 * time.Second) // nothing is said of a probe that has not run
		for i := range 3 {        // the third makes a collection ahead of time
			r.until(time.Duration(12+i) * time.Second)
			series.Record(refused(time.Now().Add(-5*time.Millisecond)), unjudged)
		}
		r.until(31 * time.Second)
		series.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
		r.until(41 * time.Second)
		r.stop(t)
		var got []receiver.Point
		for _, p := range slices.Concat(tp.points(t)...) {
			if p.Metric == table[metrics.ConsecutiveFailures].Name {
				got = append(got, p)
			}
		}
		var values []float64
		var at []time.Duration
		for _, p := range got {
			values, at = append(values, p.Value), append(at, p.Time.Sub(r.began).Truncate(time.Second))
		}
		if !slices.Equal(values, []float64{3, 3, 0}) || !slices.Equal(at, seconds(14, 20, 40)) {
			t.Errorf("streaks %v at %v", values, at)
		}
	})
}

// TestMissedIntervals: a probe without runs says so from its second interval on, and once when it has run again.
func TestMissedIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second}, tp)
		target := chat()
		target.Interval = 15 * time.Second
		series := r.probe(target)
		r.until(65 * time.Second)
		series.Record(good(time.Now(), time.Millisecond), unjudged)
		r.until(85 * time.Second)
		r.stop(t)
		var values []float64
		for _, p := range slices.Concat(tp.points(t)...) {
			if p.Metric == table[metrics.MissedIntervals].Name {
				values = append(values, p.Value)
			}
		}
		if want := []float64{2, 2, 3, 4, 0}; !slices.Equal(values, want) {
			t.Errorf("missed %v, want %v", values, want)
		}
	})
}
