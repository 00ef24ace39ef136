package prometheus_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestNativeHistogramsAreAsTheClientMakesThem: schema, spans and deltas, of the same values as Prometheus' own client
// counts them, zeros and long gaps included.
func TestNativeHistogramsAreAsTheClientMakesThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		schema := r.IntN(13) + prometheus.MinSchema
		forms := metrics.Forms{Exponential: true, MaxScale: int8(schema)}
		theirs := client.NewHistogram(client.HistogramOpts{Name: "x", Help: "h",
			NativeHistogramBucketFactor: math.Nextafter(math.Exp2(math.Exp2(-float64(schema))), 1e9)})
		var ours metrics.Values
		for range 1 + r.IntN(50) {
			value := math.Exp2(math.Exp2(-float64(schema)) * 150 * (r.Float64() - 0.5)) // 160 buckets hold all of them
			switch r.IntN(10) {
			case 0:
				value = 0
			case 1, 2, 3: // a bound, of which no rounding decides on which side it is
				value = 1
				if schema < 0 {
					value = math.Exp2(math.Exp2(-float64(schema)) * float64(r.IntN(4)))
				}
			}
			if value >= 1e300 || value > 0 && value <= client.DefNativeHistogramZeroThreshold {
				continue // a sum that is infinite, and what the client counts as a zero
			}
			ours.Observe(forms, nil, value)
			theirs.Observe(value)
		}
		got, want := encodeNative(t, ours.Distribution(nil)), &dto.Metric{}
		if err := theirs.Write(want); err != nil {
			t.Fatal(err)
		}
		h := want.Histogram
		h.CreatedTimestamp, h.ZeroThreshold, h.SampleSum = nil, nil, got.SampleSum // of which the order of the sum decides
		if h.GetZeroCount() == 0 {
			h.ZeroCount = nil
		}
		if len(h.PositiveSpan) > 0 && len(h.PositiveDelta) == 0 {
			h.PositiveSpan = nil // which says that the histogram is native although it has no buckets
		}
		if !proto.Equal(got, h) {
			t.Fatalf("schema %d: got\n%v\nwant\n%v", schema, got, h)
		}
	}
}

// TestNativeHistogramsMergeFineScales: Prometheus has no schema beyond 8.
func TestNativeHistogramsMergeFineScales(t *testing.T) {
	var fine, coarse metrics.Values
	for i := range 100 {
		fine.Observe(metrics.Forms{Exponential: true, MaxScale: 20}, nil, 5+float64(i)/1e6)
		coarse.Observe(metrics.Forms{Exponential: true, MaxScale: prometheus.MaxSchema}, nil, 5+float64(i)/1e6)
	}
	got, want := encodeNative(t, fine.Distribution(nil)), encodeNative(t, coarse.Distribution(nil))
	if got.GetSchema() != prometheus.MaxSchema || !proto.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// encodeNative returns a histogram as a scrape in protobuf has it.
func encodeNative(t *testing.T, d metrics.Distribution) *dto.Histogram {
	t.Helper()
	var page bytes.Buffer
	encoder := prometheus.NewEncoder(&page, expfmt.FmtProtoDelim)
	encoder.Native = true
	encoder.Begin(prometheus.Family{Name: "x", Help: "h", Type: prometheus.Histogram})
	encoder.Created = time.Time{}
	encoder.Histogram(&d, nil)
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	var f dto.MetricFamily
	if err := expfmt.NewDecoder(&page, expfmt.FmtProtoDelim).Decode(&f); err != nil {
		t.Fatal(err)
	}
	return f.Metric[0].Histogram
}
