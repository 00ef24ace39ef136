package metrics_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// TestDeltas: what is added between two Collects adds up to the totals, in each form of buckets, and nothing is in them
// twice. Totals may have another form, and are not kept for nobody.
func TestDeltas(t *testing.T) {
	for name, forms := range map[string]metrics.Forms{
		"explicit": {}, "exponential": {Exponential: true, MaxScale: 20}, "both": {Exponential: true, Explicit: true, MaxScale: 3},
	} {
		t.Run(name, func(t *testing.T) {
			series := metrics.NewSeries(chat(), metrics.Keep{Deltas: true, DeltaForms: forms})
			whole := metrics.NewSeries(chat(), metrics.Keep{Forms: forms})
			both := metrics.NewSeries(chat(), metrics.Keep{Last: true, Forms: forms, Deltas: true, DeltaForms: metrics.Forms{Exponential: true}})
			counts, want := map[string]float64{}, map[string]float64{}
			for round := range 50 {
				for range rand.IntN(4) {
					record(round, series, whole, both)
				}
				series.Collect().Points(new(metrics.Sets), chat(), noon, noon, func(id metrics.ID, p metrics.Point) {
					if p.Distribution == nil && p.Value.Float() <= 0 || p.Distribution != nil && p.Distribution.Count == 0 {
						t.Errorf("nothing is said of %s: %+v", metrics.Table()[id].Name, p)
					}
					addUp(counts, id, &p)
				})
				both.Collect()
			}
			whole.Collect().Points(new(metrics.Sets), chat(), noon, noon, func(id metrics.ID, p metrics.Point) { addUp(want, id, &p) })
			for key := range want {
				if diff := want[key] - counts[key]; diff > 1e-6 || diff < -1e-6 {
					t.Errorf("%s: %v in all, want %v", key, counts[key], want[key])
				}
			}
			if again := series.Collect(); !isEmpty(again) {
				t.Errorf("%+v", again)
			}
			if !isEmpty(series.Totals()) || !reflect.DeepEqual(both.Totals(), whole.Totals()) {
				t.Errorf("%+v, and\n%+v, want\n%+v", series.Totals(), both.Totals(), whole.Totals())
			}
		})
	}
}

// record tells each series of a run and of events of a session.
func record(round int, all ...*metrics.Series) {
	r := good()
	if rand.IntN(3) == 0 {
		r = refused()
	}
	r.Handshake = time.Duration(rand.IntN(1000*(round+1))+1) * time.Microsecond
	received := session.Message{Size: rand.IntN(5000), Wanted: rand.IntN(2) == 0, Gap: time.Second, Lost: rand.Int64N(3)}
	for _, series := range all {
		series.Record(r, health.Unknown)
		series.Note(&session.Event{Kind: session.Received, Message: received}, false)
		series.Note(&session.Event{Kind: session.Ended, End: &session.End{Cause: session.ByPing, Lifetime: probe.MaxTimeout}}, false)
	}
}

// addUp adds a point to sums: a number by its series, a distribution by each of its buckets at one coarse scale.
func addUp(sums map[string]float64, id metrics.ID, p *metrics.Point) {
	key := fmt.Sprint(id)
	for _, k := range metrics.VariantKeys() {
		if v, there := p.Attributes.Value(k); there {
			key += " " + v.String()
		}
	}
	d := p.Distribution
	if d == nil {
		sums[key] += p.Value.Float()
		return
	}
	sums[key+" count"] += float64(d.Count)
	sums[key+" sum"] += d.Sum
	for i, n := range d.Counts {
		sums[fmt.Sprint(key, " le ", i)] += float64(n)
	}
	if d.Exponential == nil {
		return
	}
	coarse := *d
	x := *d.Exponential
	x.Counts = slices.Clone(x.Counts)
	coarse.Exponential = &x
	coarse.Downscale(-1)
	sums[key+" zero"] += float64(x.Zero)
	for i, n := range x.Counts {
		sums[fmt.Sprint(key, " bucket ", x.Offset+i)] += float64(n)
	}
}

func isEmpty(t metrics.Totals) bool {
	empty := true
	t.Each(func(metrics.ID, metrics.Variant) { empty = false })
	return empty
}

// TestSinceOfFallenScale: a difference has the scale of the later totals, and only the buckets of what was added.
func TestSinceOfFallenScale(t *testing.T) {
	forms := metrics.Forms{Exponential: true, MaxScale: 20}
	var h metrics.Values
	h.Observe(forms, nil, 9)
	h.Observe(forms, nil, 9.001)
	before := h.Distribution(nil)
	h.Observe(forms, nil, 1e6)
	h.Observe(forms, nil, 0)
	now := h.Distribution(nil)
	added := now.Since(&before)
	if x := added.Exponential; added.Count != 2 || x.Scale >= before.Exponential.Scale || x.Scale != now.Exponential.Scale || x.Zero != 1 ||
		!slices.Equal(x.Counts, []uint64{1}) || now.Exponential.Counts[0] != 2 {
		t.Errorf("%+v, %+v", added, *x)
	}
	if none := now.Since(&now); none.Count != 0 || len(none.Exponential.Counts) > 0 || none.Exponential.Offset != 0 {
		t.Errorf("%+v, %+v", none, none.Exponential)
	}
}

// TestExtremes: what was added between two Collects has its least and its greatest value, and no earlier one.
func TestExtremes(t *testing.T) {
	for name, forms := range map[string]metrics.Forms{"explicit": {}, "exponential": {Exponential: true, MaxScale: 20}} {
		t.Run(name, func(t *testing.T) {
			series := metrics.NewSeries(chat(), metrics.Keep{Deltas: true, DeltaForms: forms})
			for _, round := range [][]time.Duration{{5, 3, 9}, {4}} {
				for _, ms := range round {
					r := good()
					r.RoundTrip = ms * time.Millisecond
					series.Record(r, health.Unknown)
				}
				d := series.Collect().RoundTrip
				if least, most := probe.Millis(slices.Min(round)*time.Millisecond), probe.Millis(slices.Max(round)*time.Millisecond); !d.Ranged || d.Min != least || d.Max != most {
					t.Errorf("%+v, want values from %v to %v", d, least, most)
				}
			}
			if d := series.Collect().RoundTrip; d.Ranged {
				t.Errorf("%+v has no value", d)
			}
		})
	}
}
