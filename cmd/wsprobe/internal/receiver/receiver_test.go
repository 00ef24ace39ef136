package receiver_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// serve runs a receiver and returns a client of it, and a function that stops it and returns what Serve
// returned.
func serve(t *testing.T, r *receiver.Receiver) (collector.MetricsServiceClient, func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx, l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return collector.NewMetricsServiceClient(conn), func() error { cancel(); return <-served }
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// request has one metric of each kind.
func request() *receiver.Request {
	const cumulative = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	port := &common.KeyValue{Key: "port", Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: 443}}}
	gauge := &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{
		{StartTimeUnixNano: 1e9, TimeUnixNano: 2e9, Attributes: []*common.KeyValue{text("name", "chat"), port},
			Value: &metrics.NumberDataPoint_AsDouble{AsDouble: 12.5}},
		{TimeUnixNano: 3e9, Value: &metrics.NumberDataPoint_AsDouble{AsDouble: 13}},
	}}
	sum := &metrics.Sum{AggregationTemporality: cumulative, IsMonotonic: true, DataPoints: []*metrics.NumberDataPoint{
		{TimeUnixNano: 3e9, Value: &metrics.NumberDataPoint_AsInt{AsInt: 7}},
	}}
	total := 13.5
	histogram := &metrics.Histogram{AggregationTemporality: cumulative, DataPoints: []*metrics.HistogramDataPoint{
		{TimeUnixNano: 3e9, Count: 2, Sum: &total, ExplicitBounds: []float64{1}, BucketCounts: []uint64{0, 2}},
	}}
	return &receiver.Request{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "wsprobe")}},
		ScopeMetrics: []*metrics.ScopeMetrics{{
			Scope: &common.InstrumentationScope{Name: "scope"},
			Metrics: []*metrics.Metric{
				{Name: "latency", Unit: "ms", Data: &metrics.Metric_Gauge{Gauge: gauge}},
				{Name: "runs", Unit: "{run}", Data: &metrics.Metric_Sum{Sum: sum}},
				{Name: "duration", Unit: "ms", Data: &metrics.Metric_Histogram{Histogram: histogram}},
				{Name: "quantiles", Data: &metrics.Metric_Summary{Summary: &metrics.Summary{}}},
			},
		}},
	}}}
}

func TestPointsOfEachKind(t *testing.T) {
	got := slices.Collect(receiver.Points(request()))
	if len(got) != 4 {
		t.Fatalf("%d points, want 4: %v", len(got), got)
	}
	first := got[0]
	if first.Metric != "latency" || first.Unit != "ms" || first.Kind != "gauge" || first.Scope != "scope" || first.Value != 12.5 {
		t.Errorf("gauge: got %+v", first)
	}
	if first.Resource["service.name"] != "wsprobe" || first.Attributes["name"] != "chat" || first.Attributes["port"] != int64(443) {
		t.Errorf("attributes: got %v of %v", first.Attributes, first.Resource)
	}
	if !first.Start.Equal(time.Unix(1, 0)) || !first.Time.Equal(time.Unix(2, 0)) {
		t.Errorf("times: got %v to %v", first.Start, first.Time)
	}
	if !got[1].Start.IsZero() || len(got[1].Attributes) != 0 {
		t.Errorf("second gauge: got %+v", got[1])
	}
	if p := got[2]; p.Metric != "runs" || p.Kind != "sum" || !p.Cumulative || !p.Monotonic || p.Value != 7 {
		t.Errorf("sum: got %+v", p)
	}
	p := got[3]
	if p.Metric != "duration" || p.Kind != "histogram" || !p.Cumulative || p.Monotonic || p.Value != 13.5 || p.Count != 2 {
		t.Errorf("histogram: got %+v", p)
	}
	if !slices.Equal(p.Bounds, []float64{1}) || !slices.Equal(p.Buckets, []uint64{0, 2}) {
		t.Errorf("distribution: got %v and %v", p.Bounds, p.Buckets)
	}
}

func TestPointsCanBeLeftEarly(t *testing.T) {
	for want := 1; want <= 4; want++ {
		n := 0
		for range receiver.Points(request()) {
			if n++; n == want {
				break
			}
		}
		if n != want {
			t.Errorf("left after %d points, want %d", n, want)
		}
	}
}

func TestAcceptedPointsAreHandedOver(t *testing.T) {
	for _, compressor := range []string{"identity", gzip.Name} {
		t.Run(compressor, func(t *testing.T) {
			var got []string
			client, stop := serve(t, &receiver.Receiver{Point: func(p receiver.Point) { got = append(got, p.Metric) }})
			if _, err := client.Export(t.Context(), request(), grpc.UseCompressor(compressor)); err != nil {
				t.Fatal(err)
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if want := []string{"latency", "latency", "runs", "duration"}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestRefusedPointsAreNot(t *testing.T) {
	client, stop := serve(t, &receiver.Receiver{
		Point: func(p receiver.Point) { t.Errorf("got %v", p) },
		Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
			return nil, status.Error(codes.ResourceExhausted, "not now")
		},
	})
	_, err := client.Export(t.Context(), request())
	if s := status.Convert(err); s.Code() != codes.ResourceExhausted || s.Message() != "not now" {
		t.Errorf("got %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestPartialSuccess(t *testing.T) {
	client, stop := serve(t, &receiver.Receiver{
		Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
			return &receiver.PartialSuccess{RejectedDataPoints: 3, ErrorMessage: "too old"}, nil
		},
	})
	response, err := client.Export(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	if p := response.GetPartialSuccess(); p.GetRejectedDataPoints() != 3 || p.GetErrorMessage() != "too old" {
		t.Errorf("got %v", p)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestStopEndsCallsThatHang(t *testing.T) {
	hanging, ended := make(chan struct{}), make(chan struct{})
	client, stop := serve(t, &receiver.Receiver{
		Answer: func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
			close(hanging)
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		},
	})
	failed := make(chan error, 1)
	go func() {
		_, err := client.Export(context.Background(), request())
		failed <- err
	}()
	<-hanging
	began := time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %v, want about a second", took)
	}
	select {
	case <-ended:
	default:
		t.Error("Serve returned before the call that hung")
	}
	if err := <-failed; status.Code(err) != codes.Unavailable {
		t.Errorf("the sender got %v, want Unavailable", err)
	}
}

func TestListenerThatFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := new(receiver.Receiver).Serve(t.Context(), l); err == nil {
		t.Error("Serve returned nil for a closed listener")
	}
}
