package metrics_test

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// good is a run that measured everything.
func good() *probe.Result {
	r := &probe.Result{Started: noon, Ended: noon.Add(3 * time.Second), Opened: true, Handshake: 4 * time.Millisecond, Replied: true,
		RoundTrip: 40 * time.Second, CertificateExpiry: noon.AddDate(400, 0, 0)}
	r.Phases[probe.PhaseConnect] = probe.Span{Start: time.Millisecond, End: 3 * time.Millisecond, State: probe.SpanEnded}
	r.Phases[probe.PhaseTLS] = probe.Span{State: probe.SpanBroken}
	return r
}

// refused is a run that did not open.
func refused() *probe.Result {
	return &probe.Result{Started: noon, Ended: noon.Add(time.Second), Reason: reasons.OpenFailed, ErrorType: "http_403"}
}

// emitted is points as texts: the metric, the attributes that tell its series apart, the value.
type emitted []string

func (e *emitted) add(id metrics.ID, p metrics.Point) {
	text := strings.TrimPrefix(metrics.Table()[id].Name, "wsprobe.")
	for _, key := range metrics.VariantKeys() {
		if v, there := p.Attributes.Value(key); there {
			text += " " + v.String()
		}
	}
	if p.Distribution != nil {
		text += fmt.Sprintf(" %d of %v", p.Distribution.Count, p.Distribution.Sum)
	} else {
		text += fmt.Sprint(" ", p.Value.Float())
	}
	*e = append(*e, text)
}

// TestPointsOfRuns: a run has a point of each value that it measured, and of no other, and knows how many.
func TestPointsOfRuns(t *testing.T) {
	for name, c := range map[string]struct {
		result *probe.Result
		status health.Status
		want   []string
	}{
		"good": {good(), health.Degraded, []string{
			"handshake_latency 4", "round_trip_latency 40000", "tls.time_left 1.2622780797e+10", "status 1", "connection_success ok 1",
			"success 1", "phase.duration connect 2"}},
		"refused": {refused(), health.Unknown, []string{"connection_success ws_open_failed 0", "success 0"}},
		"no data": {refused(), health.NoData, []string{"status 3", "connection_success ws_open_failed 0", "success 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			run := metrics.NewSeries(chat(), metrics.Keep{}).Record(c.result, c.status)
			var got emitted
			at := noon.Add(time.Minute)
			run.Points(new(metrics.Sets), chat(), at, func(id metrics.ID, p metrics.Point) {
				got.add(id, p)
				if !p.Start.Equal(noon) || !p.Time.Equal(at) || p.NoValue || len(p.Exemplars) > 0 {
					t.Errorf("%+v", p)
				}
			})
			if !slices.Equal(got, c.want) || run.Count() != len(c.want) {
				t.Errorf("%d points %q, want %q", run.Count(), got, c.want)
			}
		})
	}
}

// TestMeasured: each point of a run that another run can lack is one of its series.
func TestMeasured(t *testing.T) {
	series := metrics.NewSeries(chat(), metrics.Keep{})
	full, none := series.Record(good(), health.Healthy), series.Record(refused(), health.Unknown)
	names := func(m metrics.Measured) (all []string) {
		m.Each(func(id metrics.ID, v metrics.Variant) { all = append(all, metrics.Table()[id].Name+" "+v.Phase) })
		return all
	}
	got := names(full.Measured() &^ none.Measured())
	want := []string{"wsprobe.status ", "wsprobe.handshake_latency ", "wsprobe.round_trip_latency ", "wsprobe.phase.duration connect"}
	if rest := names(none.Measured()); !slices.Equal(got, want) || !slices.Equal(rest, []string{"wsprobe.success "}) {
		t.Errorf("got %q, want %q, and %q of every run", got, want, rest)
	}
}

// TestTotals: every run is counted by its outcome, and every latency in its bucket.
func TestTotals(t *testing.T) {
	series := metrics.NewSeries(chat(), metrics.Keep{})
	var got emitted
	points := func() {
		got = nil
		series.Totals().Points(new(metrics.Sets), chat(), noon, noon.Add(time.Hour), func(id metrics.ID, p metrics.Point) {
			got.add(id, p)
			if _, whole := p.Value.Whole(); whole == (p.Distribution != nil) || !p.Start.Equal(noon) || !p.Time.Equal(noon.Add(time.Hour)) {
				t.Errorf("%+v", p)
			}
		})
	}
	if points(); len(got) > 0 {
		t.Errorf("before the first run: %q", got)
	}
	for range 3 {
		series.Record(good(), health.Unknown)
		series.Record(refused(), health.Unknown)
	}
	points()
	want := []string{"runs ok 3", "runs ws_open_failed http_403 3", "handshake.duration 3 of 12", "round_trip.duration 3 of 120000"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	d := series.Totals().RoundTrip
	if n := len(d.Counts); n != len(d.Bounds)+1 || d.Counts[n-1] != 3 { // longer than every bound
		t.Errorf("%+v", d)
	}
}

// TestBuckets: a value on a bound belongs to the bucket below it, and a distribution is not changed by later values.
func TestBuckets(t *testing.T) {
	bounds := []float64{1, 2.5}
	var h metrics.Values
	for _, value := range []float64{0, 1, 1.5, 2.5, 2.6, 1e6} {
		h.Observe(metrics.Forms{}, bounds, value)
	}
	d := h.Distribution(bounds)
	h.Observe(metrics.Forms{}, bounds, 1000)
	if !slices.Equal(d.Counts, []uint64{2, 2, 2}) || d.Count != 6 || d.Sum != 1e6+7.6 {
		t.Errorf("%+v", d)
	}
}

// TestBoundsOfLatencies: they rise, close enough for percentiles, to the longest timeout.
func TestBoundsOfLatencies(t *testing.T) {
	series := metrics.NewSeries(chat(), metrics.Keep{})
	series.Record(good(), health.Unknown)
	bounds := series.Totals().Handshake.Bounds
	for i := 1; i < len(bounds); i++ {
		if ratio := bounds[i] / bounds[i-1]; ratio <= 1 || ratio > 2.5 {
			t.Errorf("%v and %v", bounds[i-1], bounds[i])
		}
	}
	if last := bounds[len(bounds)-1]; last != probe.Millis(probe.MaxTimeout) {
		t.Errorf("the last bound is %v, not the longest timeout", last)
	}
}

// TestStreaksAndMissedIntervals: failures in a row are counted, and intervals without a run. Both begin anew for
// another probe that goes on with the series, and the totals do not.
func TestStreaksAndMissedIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		series := metrics.NewSeries(chat(), metrics.Keep{Last: true})
		if _, ran := series.Last(); ran {
			t.Error("a last run before the first")
		}
		time.Sleep(150 * time.Second)
		if n := series.Missed(); n != 2 {
			t.Errorf("%d intervals missed, want 2", n)
		}
		for _, c := range []struct {
			result *probe.Result
			want   uint32
		}{{refused(), 1}, {refused(), 2}, {good(), 0}, {refused(), 1}} {
			run := series.Record(c.result, health.Unknown)
			if last, ran := series.Last(); run.Streak != c.want || !ran || last != run {
				t.Errorf("streak %d, want %d; last %+v", run.Streak, c.want, last)
			}
		}
		if n := series.Missed(); n != 0 {
			t.Errorf("%d intervals missed after a run", n)
		}
		time.Sleep(time.Hour)
		series.Resume(time.Second)
		if _, ran := series.Last(); ran || series.Missed() != 0 {
			t.Error("another probe has the last run of the one before")
		}
		time.Sleep(3 * time.Second)
		if run, missed := series.Record(refused(), health.Unknown), series.Missed(); run.Streak != 1 || missed != 0 {
			t.Errorf("streak %d, %d missed", run.Streak, missed)
		}
		if n := series.Totals().Outcomes[0].Runs; n != 4 {
			t.Errorf("%d runs failed, want 4", n)
		}
	})
}

// TestExemplars: the last traced run of each outcome and bucket. Collect hands each over once; Totals shows the last
// ones to readers that come at any time.
func TestExemplars(t *testing.T) {
	series := metrics.NewSeries(chat(), metrics.Keep{Last: true, Exemplars: true})
	record := func(id byte, handshake time.Duration, sampled bool) {
		r := good()
		r.Handshake, r.Trace = handshake, probe.Trace{ID: [16]byte{id}, Sampled: sampled}
		series.Record(r, health.Unknown)
	}
	record(1, 4*time.Millisecond, true)
	record(2, 30*time.Millisecond, true)
	record(3, 4*time.Millisecond, true)
	record(4, 4*time.Millisecond, false) // not exported
	traces := func(totals metrics.Totals) string {
		var all []string
		totals.Points(new(metrics.Sets), chat(), noon, noon, func(id metrics.ID, p metrics.Point) {
			for _, x := range p.Exemplars {
				all = append(all, fmt.Sprintf("%s %v in %d", metrics.Table()[id].Name, x.Value.Float(), x.Trace.ID[0]))
			}
		})
		return strings.Join(all, ", ")
	}
	const want = "wsprobe.runs 1 in 3, wsprobe.handshake.duration 4 in 3, wsprobe.handshake.duration 30 in 2, " +
		"wsprobe.round_trip.duration 40000 in 3"
	for i, totals := range []metrics.Totals{series.Totals(), series.Collect(), series.Totals()} {
		if got := traces(totals); got != want {
			t.Errorf("reading %d: got %s, want %s", i, got, want)
		}
	}
	if got := traces(series.Collect()); got != "" {
		t.Errorf("collected again: %s", got)
	}
}

// TestValues: a number keeps its type at its limits.
func TestValues(t *testing.T) {
	for _, n := range []int64{0, -1, math.MinInt64, math.MaxInt64} {
		if got, whole := metrics.Int(n).Whole(); got != n || !whole || metrics.Int(n).Float() != float64(n) {
			t.Errorf("%d became %d", n, got)
		}
	}
	for _, x := range []float64{0, -0.5, math.Inf(1), math.SmallestNonzeroFloat64} {
		if _, whole := metrics.Float(x).Whole(); whole || metrics.Float(x).Float() != x {
			t.Errorf("%v became %v", x, metrics.Float(x).Float())
		}
	}
}

func keysOf(s metrics.Set) string { return strings.Join(keys(s.Attributes), " ") }

// TestSets: attributes are sorted, none is there twice, and labels stand in the place of none.
func TestSets(t *testing.T) {
	id := metrics.NewIdentity(metrics.Target{Name: "a\xffb", Labels: map[string]string{
		"zone": "1", "Team": "2", "le": "3", "wsprobe.name": "4", "error.type": "5", "wsprobe.location": "6", "bad\xff": "\xff",
	}})
	const about = "server.address server.port url.path url.scheme wsprobe.interpretation wsprobe.location wsprobe.name"
	sets := metrics.Sets{Common: []metrics.Attribute{slog.String("wsprobe.location", "attic")}}
	plain := sets.Of(id, metrics.Variant{})
	if got, want := keysOf(plain), "Team bad\uFFFD le "+about+" zone"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for key, want := range map[string]string{"wsprobe.location": "attic", "wsprobe.name": "a\uFFFDb", "url.path": "/", "bad\uFFFD": "\uFFFD"} {
		if v, there := plain.Value(key); !there || v.String() != want {
			t.Errorf("%s is %v, want %s", key, v, want)
		}
	}
	failed := sets.Of(id, metrics.Variant{Reason: "r", ErrorType: "e"})
	if got, want := keysOf(failed), "Team bad\uFFFD error.type le "+about+" wsprobe.reason zone"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := keysOf(plain); strings.Contains(got, "error") || failed.Size != metrics.Size(failed.Attributes) || plain.Size >= failed.Size {
		t.Errorf("a set was changed, or sizes are wrong: %s, %d and %d", got, plain.Size, failed.Size)
	}
	renamed := metrics.Sets{Label: func(name string) string { return "label_" + name }}
	if got := keysOf(renamed.Of(chat(), metrics.Variant{Phase: "dns"})); !strings.HasPrefix(got, "label_team ") || !strings.Contains(got, "wsprobe.phase") {
		t.Errorf("got %s", got)
	}
	if got := keysOf(sets.Alone(slog.String("z", ""), slog.Int("a", 1))); got != "a wsprobe.location z" {
		t.Errorf("got %s", got)
	}
}

// TestManySets: sets do not share the room of others.
func TestManySets(t *testing.T) {
	var sets metrics.Sets
	var all []metrics.Set
	for i := range 500 {
		id := metrics.NewIdentity(metrics.Target{Name: fmt.Sprint(i), Port: i})
		all = append(all, sets.Of(id, metrics.Variant{}), sets.Of(id, metrics.Variant{Phase: fmt.Sprint(i)}))
	}
	for i, s := range all {
		name, _ := s.Value(metrics.KeyName)
		port, _ := s.Value(metrics.KeyServerPort)
		phase, has := s.Value(metrics.KeyPhase)
		if name.String() != fmt.Sprint(i/2) || port.Int64() != int64(i/2) || has != (i%2 == 1) || has && phase.String() != name.String() {
			t.Fatalf("set %d: %v", i, s.Attributes)
		}
	}
}

// TestSame: identities are the same if their points have the same attributes.
func TestSame(t *testing.T) {
	target := chat().Target()
	target.Labels = map[string]string{"team": "web"}
	for name, c := range map[string]struct {
		change func(*metrics.Target)
		same   bool
	}{
		"same": {func(*metrics.Target) {}, true}, "interval": {func(t *metrics.Target) { t.Interval = 1 }, true},
		"url": {func(t *metrics.Target) { t.URL = "" }, true}, "name": {func(t *metrics.Target) { t.Name = "x" }, false},
		"label": {func(t *metrics.Target) { t.Labels = nil }, false}, "path": {func(t *metrics.Target) { t.Path = "" }, false},
		"port": {func(t *metrics.Target) { t.Port++ }, false}, "address": {func(t *metrics.Target) { t.Address = "" }, false},
		"scheme":         {func(t *metrics.Target) { t.Scheme = "ws" }, false},
		"interpretation": {func(t *metrics.Target) { t.Interpretation = "" }, false},
	} {
		other := target
		if c.change(&other); metrics.NewIdentity(other).Same(chat()) != c.same {
			t.Errorf("%s: same should be %v", name, c.same)
		}
	}
}

// TestRecordAllocatesNothing, because it is on the way of every run.
func TestRecordAllocatesNothing(t *testing.T) {
	series, r := metrics.NewSeries(chat(), metrics.Keep{Last: true}), good()
	series.Record(r, health.Healthy)
	if n := testing.AllocsPerRun(100, func() { series.Record(r, health.Healthy) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
