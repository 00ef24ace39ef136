package otlp

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// officialPoints returns the request that the official exporter makes.
func officialPoints(t *testing.T, data *metricdata.ResourceMetrics) []byte {
	t.Helper()
	var c copier
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHTTPClient(&http.Client{Transport: &c}),
		otlpmetrichttp.WithCompression(otlpmetrichttp.NoCompression))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exporter.Shutdown(context.Background()) }()
	if err := exporter.Export(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	return c.request
}

var (
	someSet = metrics.Set{Attributes: []metrics.Attribute{
		slog.String("empty", ""), slog.Int64("least", math.MinInt64), slog.String("long", strings.Repeat("x", 1<<17)), slog.Bool("no", false),
		slog.Float64("pi", math.Pi), slog.String("text", "ä\x00"), slog.Bool("yes", true),
	}}
	sameSet = attribute.NewSet(attribute.String("empty", ""), attribute.Int64("least", math.MinInt64),
		attribute.String("long", strings.Repeat("x", 1<<17)), attribute.Bool("no", false), attribute.Float64("pi", math.Pi),
		attribute.String("text", "ä\x00"), attribute.Bool("yes", true))
	someTrace = probe.Trace{ID: [16]byte{7, 15: 1}, Run: [8]byte{8, 7: 1}}
)

// TestPointsAreAsTheExporterMakesThem has every kind of metric, with values at their limits. Only
// differences have their least and their greatest value.
func TestPointsAreAsTheExporterMakesThem(t *testing.T) {
	whole := []metrics.Point{
		{Attributes: someSet, Start: midnight, Time: midnight.Add(1), Value: metrics.Int(math.MinInt64)},
		{Value: metrics.Int(0), Exemplars: []metrics.Exemplar{{Time: midnight, Value: metrics.Int(-1), Trace: someTrace}}},
	}
	sameWhole := []metricdata.DataPoint[int64]{
		{Attributes: sameSet, StartTime: midnight, Time: midnight.Add(1), Value: math.MinInt64},
		{Exemplars: []metricdata.Exemplar[int64]{{Time: midnight, Value: -1, TraceID: someTrace.ID[:], SpanID: someTrace.Run[:]}}},
	}
	real := []metrics.Point{{Value: metrics.Float(math.Inf(-1))}, {Value: metrics.Float(0), Time: time.Unix(-1, 0)},
		{Value: metrics.Float(math.SmallestNonzeroFloat64)}}
	sameReal := []metricdata.DataPoint[float64]{{Value: math.Inf(-1)}, {Time: time.Unix(-1, 0)}, {Value: math.SmallestNonzeroFloat64}}
	buckets := []metrics.Point{{Attributes: someSet, Start: midnight, Time: midnight,
		Distribution: &metrics.Distribution{Count: 3, Bounds: []float64{0, 1.5}, Counts: []uint64{0, math.MaxUint64, 1}, Sum: -0.5, Min: -2, Max: 1.5, Ranged: true},
		Exemplars:    []metrics.Exemplar{{Value: metrics.Float(1), Trace: someTrace}}}}
	sameBuckets := []metricdata.HistogramDataPoint[float64]{{Attributes: sameSet, StartTime: midnight, Time: midnight,
		Count: 3, Bounds: []float64{0, 1.5}, BucketCounts: []uint64{0, math.MaxUint64, 1}, Sum: -0.5,
		Exemplars: []metricdata.Exemplar[float64]{{Value: 1, TraceID: someTrace.ID[:], SpanID: someTrace.Run[:]}}}}
	exponents := []metrics.Point{{Attributes: someSet, Start: midnight, Time: midnight, Exemplars: buckets[0].Exemplars,
		Distribution: &metrics.Distribution{Count: 3, Sum: -0.5, Bounds: []float64{0}, Counts: []uint64{1, 2}, Max: 1e9, Ranged: true,
			Exponential: &metrics.Exponential{Scale: -10, Zero: math.MaxUint64, Offset: math.MinInt32, Counts: []uint64{0, 300, math.MaxUint64}}}},
		{Distribution: &metrics.Distribution{Exponential: &metrics.Exponential{Scale: 20, Offset: 7, Counts: []uint64{1}}}},
		{Distribution: &metrics.Distribution{Exponential: &metrics.Exponential{}}}}
	sameExponents := []metricdata.ExponentialHistogramDataPoint[float64]{{Attributes: sameSet, StartTime: midnight, Time: midnight,
		Count: 3, Sum: -0.5, Scale: -10, ZeroCount: math.MaxUint64, Exemplars: sameBuckets[0].Exemplars,
		PositiveBucket: metricdata.ExponentialBucket{Offset: math.MinInt32, Counts: []uint64{0, 300, math.MaxUint64}}},
		{Scale: 20, PositiveBucket: metricdata.ExponentialBucket{Offset: 7, Counts: []uint64{1}}}, {}}
	rangedBuckets, rangedExponents := slices.Clone(sameBuckets), slices.Clone(sameExponents)
	rangedBuckets[0].Min, rangedBuckets[0].Max = metricdata.NewExtrema(-2.0), metricdata.NewExtrema(1.5)
	rangedExponents[0].Min, rangedExponents[0].Max = metricdata.NewExtrema(0.0), metricdata.NewExtrema(1e9)
	const cumulative, delta = metricdata.CumulativeTemporality, metricdata.DeltaTemporality
	for name, c := range map[string]struct {
		kind        metrics.Kind
		points      []metrics.Point
		same        metricdata.Aggregation
		exponential bool
		delta       bool
	}{
		"whole gauge":          {metrics.Gauge, whole, metricdata.Gauge[int64]{DataPoints: sameWhole}, false, false},
		"real gauge":           {metrics.Gauge, real, metricdata.Gauge[float64]{DataPoints: sameReal}, false, false},
		"whole counter":        {metrics.Counter, whole, metricdata.Sum[int64]{DataPoints: sameWhole, Temporality: cumulative, IsMonotonic: true}, false, false},
		"real up-down counter": {metrics.UpDownCounter, real, metricdata.Sum[float64]{DataPoints: sameReal, Temporality: cumulative}, false, false},
		"histogram":            {metrics.Histogram, buckets, metricdata.Histogram[float64]{DataPoints: sameBuckets, Temporality: cumulative}, false, false},
		"exponential histogram": {metrics.Histogram, exponents,
			metricdata.ExponentialHistogram[float64]{DataPoints: sameExponents, Temporality: cumulative}, true, false},
		"histogram of differences": {metrics.Histogram, buckets,
			metricdata.Histogram[float64]{DataPoints: rangedBuckets, Temporality: delta}, false, true},
		"exponential histogram of differences": {metrics.Histogram, exponents,
			metricdata.ExponentialHistogram[float64]{DataPoints: rangedExponents, Temporality: delta}, true, true},
		"gauge without a point": {metrics.Gauge, nil, metricdata.Gauge[float64]{}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			row := &metrics.Metric{Name: "n", Description: "d", Unit: "u", Kind: c.kind}
			family := metrics.Family{Metric: row, Points: c.points, Exponential: c.exponential, Delta: c.delta}
			about := resource.NewWithAttributes("https://example.com/schema", sameSet.ToSlice()...)
			raw, err := Points(about, Scope{someScope, []metrics.Family{family, family}}, Scope{})
			if err != nil {
				t.Fatal(err)
			}
			same := metricdata.Metrics{Name: "n", Description: "d", Unit: "u", Data: c.same}
			official := officialPoints(t, &metricdata.ResourceMetrics{Resource: about,
				ScopeMetrics: []metricdata.ScopeMetrics{{Scope: someScope, Metrics: []metricdata.Metrics{same, same}}, {}}})
			checkEqual(t, raw, official, &metricscollector.ExportMetricsServiceRequest{}, &metricscollector.ExportMetricsServiceRequest{})
		})
	}
}

// TestPointsWithoutAValue have the flag, and neither a value nor a bucket.
func TestPointsWithoutAValue(t *testing.T) {
	var families []metrics.Family
	for _, kind := range []metrics.Kind{metrics.Gauge, metrics.Counter, metrics.UpDownCounter, metrics.Histogram} {
		families = append(families, metrics.Family{Metric: &metrics.Metric{Name: string(kind), Kind: kind},
			Points: []metrics.Point{{Attributes: someSet, Start: midnight, Time: midnight, Value: metrics.Float(7), NoValue: true}}})
	}
	exponential := families[len(families)-1]
	exponential.Exponential = true
	families = append(families, exponential)
	raw, err := Points(someResource, Scope{someScope, families})
	if err != nil {
		t.Fatal(err)
	}
	var request metricscollector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(receiver.Points(&request))
	if len(got) != len(families) {
		t.Fatalf("%d points", len(got))
	}
	for _, p := range got {
		if !p.NoValue || p.Value != 0 || len(p.Buckets) > 0 || !p.Time.Equal(midnight) || len(p.Attributes) != 7 {
			t.Errorf("%+v", p)
		}
	}
	if bytes := string(raw); strings.Contains(bytes, "\x00\x00\x1c\x40") { // the end of a double 7
		t.Error("a point without a value has one")
	}
}
