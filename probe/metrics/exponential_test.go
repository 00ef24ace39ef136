package metrics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// sdkHistogram is an exponential histogram as the SDK keeps it.
type sdkHistogram struct {
	reader    *sdkmetric.ManualReader
	histogram metric.Float64Histogram
}

func newSDKHistogram(t *testing.T, maxScale int) *sdkHistogram {
	t.Helper()
	h := &sdkHistogram{reader: sdkmetric.NewManualReader()}
	buckets := sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: int32(maxScale)}
	view := sdkmetric.NewView(sdkmetric.Instrument{Name: "*"}, sdkmetric.Stream{Aggregation: buckets})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(h.reader), sdkmetric.WithView(view))
	t.Cleanup(func() { _ = provider.Shutdown(t.Context()) })
	var err error
	if h.histogram, err = provider.Meter("test").Float64Histogram("latency"); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *sdkHistogram) read(t *testing.T) (all metrics.Exponential, count uint64) {
	t.Helper()
	var read metricdata.ResourceMetrics
	if err := h.reader.Collect(t.Context(), &read); err != nil {
		t.Fatal(err)
	}
	p := read.ScopeMetrics[0].Metrics[0].Data.(metricdata.ExponentialHistogram[float64]).DataPoints[0]
	return metrics.Exponential{Scale: int(p.Scale), Zero: p.ZeroCount, Offset: int(p.PositiveBucket.Offset), Counts: p.PositiveBucket.Counts}, p.Count
}

// values are kinds of values, those that are counted and worse ones.
var values = map[string]func(r *rand.Rand) float64{
	"latencies":        func(r *rand.Rand) float64 { return 20 * math.Exp(r.NormFloat64()/3) },
	"of microseconds":  func(r *rand.Rand) float64 { return float64(r.IntN(30_000_000)) / 1000 },
	"nearly one":       func(r *rand.Rand) float64 { return 1 + float64(r.IntN(5)-2)*0x1p-52 },
	"powers of two":    func(r *rand.Rand) float64 { return math.Ldexp(1, r.IntN(40)-20) },
	"beside powers":    func(r *rand.Rand) float64 { return math.Nextafter(math.Ldexp(1, r.IntN(8)), float64(r.IntN(2)*1000)) },
	"mostly zeros":     func(r *rand.Rand) float64 { return max(0, r.NormFloat64()-2) },
	"subnormal":        func(r *rand.Rand) float64 { return math.Float64frombits(r.Uint64N(1 << 52)) },
	"all that are":     func(r *rand.Rand) float64 { return math.Float64frombits(r.Uint64N(0x7ff << 52)) },
	"one after others": func(r *rand.Rand) float64 { return math.Exp2(float64(r.IntN(1_000)) / 500) },
}

// TestExponentialBuckets: scale, offset and counts are those of the SDK after each of many values, whatever they are
// and wherever the scale begins; and to begin there is the same as to go down to it later.
func TestExponentialBuckets(t *testing.T) {
	for name, next := range values {
		for _, maxScale := range []int{20, 11, 3, 0, -3, -10} {
			t.Run(fmt.Sprintf("%s from %d", name, maxScale), func(t *testing.T) {
				seed := rand.Uint64()
				r := rand.New(rand.NewPCG(seed, 0))
				oracle := newSDKHistogram(t, maxScale)
				forms := metrics.Forms{Exponential: true, MaxScale: int8(maxScale)}
				finest := metrics.Forms{Exponential: true, MaxScale: metrics.MaxScale}
				var small metrics.Values
				var large metrics.Values
				for n := range 400 {
					value := next(r)
					oracle.histogram.Record(t.Context(), value)
					small.Observe(forms, nil, value)
					large.Observe(finest, nil, value)
					if n > 20 && n%40 > 0 && n < 399 {
						continue
					}
					want, count := oracle.read(t)
					got, later := small.Distribution(nil), large.Distribution(nil)
					later.Downscale(maxScale)
					for _, d := range []metrics.Distribution{got, later} {
						e := d.Exponential
						if e.Scale != want.Scale || e.Zero != want.Zero || d.Count != count || !slices.Equal(e.Counts, want.Counts) ||
							len(e.Counts) > 0 && e.Offset != want.Offset {
							t.Fatalf("seed %d, value %d, %v: %d of %+v, want %d of %+v", seed, n, value, d.Count, *e, count, want)
						}
					}
				}
			})
		}
	}
}

// TestExponentialBounds: a value on a bound is in the bucket below it, and a value that is no latency counts as 0.
func TestExponentialBounds(t *testing.T) {
	var h metrics.Values
	for _, value := range []float64{1, 1.5, 2, 2.5, 4, 0, -1e-9} {
		h.Observe(metrics.Forms{Exponential: true}, nil, value)
	}
	d := h.Distribution([]float64{1})
	want := metrics.Exponential{Zero: 2, Offset: -1, Counts: []uint64{1, 2, 2}}
	if !reflect.DeepEqual(*d.Exponential, want) || d.Count != 7 || d.Sum != 11-1e-9 || d.Bounds != nil || len(d.Counts) > 0 {
		t.Errorf("%+v, %+v", *d.Exponential, d)
	}
}

// TestDownscale: it goes no deeper than there are scales, never up, and later values do not change the copy.
func TestDownscale(t *testing.T) {
	var h metrics.Values
	forms := metrics.Forms{Exponential: true, Explicit: true, MaxScale: 5}
	for value := 1.0; value < 9; value++ {
		h.Observe(forms, []float64{4}, value)
	}
	d := h.Distribution([]float64{4})
	h.Observe(forms, []float64{4}, 1e9)
	for _, c := range []struct {
		to   int
		want metrics.Exponential
	}{
		{20, metrics.Exponential{Scale: 5, Offset: -1}},
		{0, metrics.Exponential{Offset: -1, Counts: []uint64{1, 1, 2, 4}}},
		{1, metrics.Exponential{Offset: -1, Counts: []uint64{1, 1, 2, 4}}},
		{-1, metrics.Exponential{Scale: -1, Offset: -1, Counts: []uint64{1, 3, 4}}},
		{-100, metrics.Exponential{Scale: -10, Offset: -1, Counts: []uint64{1, 7}}},
	} {
		d.Downscale(c.to)
		got := *d.Exponential
		if c.want.Counts == nil {
			got.Counts = nil
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("to %d: %+v, want %+v", c.to, got, c.want)
		}
	}
	if !slices.Equal(d.Counts, []uint64{4, 4}) || d.Count != 8 {
		t.Errorf("%+v", d)
	}
	explicit := metrics.Distribution{Bounds: []float64{1}, Counts: []uint64{1, 2}, Count: 3}
	if explicit.Downscale(0); explicit.Exponential != nil {
		t.Errorf("%+v", explicit)
	}
}

// TestForms: a series has the forms that it keeps and no other one, in each of its histograms and for each reader.
func TestForms(t *testing.T) {
	for name, c := range map[string]struct {
		forms                 metrics.Forms
		explicit, exponential bool
	}{
		"by default":  {metrics.Forms{}, true, false},
		"explicit":    {metrics.Forms{Explicit: true}, true, false},
		"exponential": {metrics.Forms{Exponential: true, MaxScale: 11}, false, true},
		"both":        {metrics.Forms{Explicit: true, Exponential: true, MaxScale: 20}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			series := metrics.NewSeries(chat(), metrics.Keep{Forms: c.forms})
			for range 2 {
				series.Record(good(), health.Unknown)
				series.Note(&session.Event{Kind: session.Received, Message: session.Message{Size: 9, Wanted: true, Gap: time.Second}}, false)
			}
			check := func(d *metrics.Distribution) {
				if d.Count != 2 || d.Sum == 0 || (len(d.Bounds) > 0) != c.explicit || (len(d.Counts) > 0) != c.explicit || (d.Exponential != nil) != c.exponential {
					t.Errorf("%+v", d)
				}
				if e := d.Exponential; e != nil && (e.Scale != int(c.forms.MaxScale) || !slices.Equal(e.Counts, []uint64{2})) {
					t.Errorf("%+v", e)
				}
			}
			var ofTotals, ofReading int
			series.Totals().Points(new(metrics.Sets), chat(), noon, noon, func(_ metrics.ID, p metrics.Point) {
				if p.Distribution != nil {
					ofTotals++
					check(p.Distribution)
				}
			})
			var r metrics.Reading
			for id := range metrics.IDs {
				series.Read(id, &r)
				for _, s := range r.Samples() {
					if s.Distribution != nil {
						ofReading++
						check(s.Distribution)
					}
				}
			}
			if ofTotals != 4 || ofReading != 4 { // handshakes, round trips, sizes, gaps
				t.Errorf("%d histograms, %d by metric", ofTotals, ofReading)
			}
		})
	}
}
