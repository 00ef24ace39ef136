package telemetry

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// copier is a receiver that keeps the last request.
type copier struct{ request []byte }

func (c *copier) RoundTrip(r *http.Request) (_ *http.Response, err error) {
	defer r.Body.Close()
	c.request, err = io.ReadAll(r.Body)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, err
}

// official returns the request that the official exporter makes of a batch.
func official(t *testing.T, data *metricdata.ResourceMetrics) []byte {
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

// checkEncoding compares a request with that of the official exporter.
func checkEncoding(t *testing.T, data *metricdata.ResourceMetrics) {
	t.Helper()
	raw, err := marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	var got, want collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(official(t, data), &want); err != nil {
		t.Fatal(err)
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: false}).Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(&got, &want) {
		t.Errorf("got %s\nwant %s", prototext.Format(&got), prototext.Format(&want))
	}
}

// TestMarshalsAsTheExporterDoes compares whole collections: of runs of all kinds, with everything that the agent tells
// about itself.
func TestMarshalsAsTheExporterDoes(t *testing.T) {
	s := new(stub)
	r := prepare(t, Options{Interval: time.Second, ServiceVersion: "1.2.3", Location: "Zürich", Attributes: map[string]string{"a": ""}}, s)
	r.series.Record(good(midnight, 4*time.Millisecond), unjudged)
	r.series.Record(refused(midnight.Add(time.Second)), unjudged)
	r.series.Record(silent(midnight.Add(2*time.Second)), unjudged)
	r.ObserveStart(time.Millisecond)
	r.ObserveSkip("overlap", 3)
	n := 0
	r.producer.produceAll(func(scopes ...metricdata.ScopeMetrics) {
		n += countPoints(scopes...)
		checkEncoding(t, &metricdata.ResourceMetrics{Resource: r.resource, ScopeMetrics: scopes})
	})
	if n < 40 {
		t.Errorf("%d points prove little", n)
	}
}

// TestMarshalsEveryForm has what the data model has room for, at its limits.
func TestMarshalsEveryForm(t *testing.T) {
	set := attribute.NewSet(attribute.String("text", "ä\x00"), attribute.String("empty", ""), attribute.Int64("least", math.MinInt64),
		attribute.Float64("pi", math.Pi), attribute.Bool("yes", true), attribute.Bool("no", false), attribute.String("long", strings.Repeat("x", 1<<17)))
	trace, span := bytes.Repeat([]byte{7}, 16), bytes.Repeat([]byte{8}, 8)
	whole := []metricdata.DataPoint[int64]{
		{Attributes: set, StartTime: midnight, Time: midnight.Add(1), Value: math.MinInt64},
		{Value: 0, Exemplars: []metricdata.Exemplar[int64]{{Time: midnight, Value: -1, TraceID: trace, SpanID: span, FilteredAttributes: set.ToSlice()}}},
	}
	real := []metricdata.DataPoint[float64]{{Value: math.Inf(-1)}, {Value: 0, Time: time.Unix(-1, 0)}, {Value: math.SmallestNonzeroFloat64}}
	distribution := metricdata.HistogramDataPoint[float64]{
		Attributes: set, StartTime: midnight, Time: midnight, Count: 3, Bounds: []float64{0, 1.5}, BucketCounts: []uint64{0, math.MaxUint64, 1}, Sum: -0.5,
		Min: metricdata.NewExtrema(0.0), Max: metricdata.NewExtrema(2.0), Exemplars: []metricdata.Exemplar[float64]{{Value: 1, TraceID: trace}},
	}
	cumulative, delta := metricdata.CumulativeTemporality, metricdata.DeltaTemporality
	for name, data := range map[string]metricdata.Aggregation{
		"whole gauge": metricdata.Gauge[int64]{DataPoints: whole},
		"real gauge":  metricdata.Gauge[float64]{DataPoints: real},
		"whole sum":   metricdata.Sum[int64]{DataPoints: whole, Temporality: cumulative, IsMonotonic: true},
		"real sum":    metricdata.Sum[float64]{DataPoints: real, Temporality: delta},
		"histogram":   metricdata.Histogram[float64]{DataPoints: []metricdata.HistogramDataPoint[float64]{distribution, {}}, Temporality: cumulative},
		"no points":   metricdata.Gauge[float64]{},
	} {
		t.Run(name, func(t *testing.T) {
			checkEncoding(t, &metricdata.ResourceMetrics{
				Resource: resource.NewWithAttributes("https://example.com/schema", set.ToSlice()...),
				ScopeMetrics: []metricdata.ScopeMetrics{
					{Scope: instrumentation.Scope{Name: "a", Version: "b", SchemaURL: "c", Attributes: set}, Metrics: []metricdata.Metrics{
						{Name: "n", Description: "d", Unit: "u", Data: data}, {Name: "again", Data: data},
					}},
					{},
				},
			})
		})
	}
}

func TestWhatCannotBeMarshaledIsAnError(t *testing.T) {
	for name, data := range map[string]metricdata.Aggregation{
		"no data":        nil,
		"summary":        metricdata.Summary{},
		"no temporality": metricdata.Sum[int64]{},
	} {
		batch := &metricdata.ResourceMetrics{ScopeMetrics: []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{{Name: "a", Data: data}}}}}
		if raw, err := marshal(batch); err == nil {
			t.Errorf("%s: became %x", name, raw)
		}
	}
}
