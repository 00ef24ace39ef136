package otlp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
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

// checkEqual compares a request with that of an official exporter.
func checkEqual(t *testing.T, raw, official []byte, got, want proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(official, want); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(raw, got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) {
		t.Errorf("got %s\nwant %s", prototext.Format(got), prototext.Format(want))
	}
}

var (
	someKinds = []attribute.KeyValue{
		attribute.String("text", "ä\x00"), attribute.String("empty", ""), attribute.Int64("least", math.MinInt64),
		attribute.Float64("pi", math.Pi), attribute.Bool("yes", true), attribute.Bool("no", false),
	}
	someResource = resource.NewWithAttributes("https://example.com/resource", someKinds...)
	someScope    = instrumentation.Scope{Name: "a", Version: "b", SchemaURL: "https://example.com/scope"}
)

// keeper keeps the records of the SDK.
type keeper struct{ records []sdklog.Record }

func (k *keeper) OnEmit(_ context.Context, r *sdklog.Record) error {
	r.SetEventName("wsprobe.event")
	k.records = append(k.records, r.Clone())
	return nil
}

func (*keeper) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*keeper) ForceFlush(context.Context) error                       { return nil }
func (*keeper) Shutdown(context.Context) error                         { return nil }

// someRecords are a full log record and an empty one.
func someRecords(t *testing.T) []sdklog.Record {
	t.Helper()
	k := &keeper{}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(someResource), sdklog.WithProcessor(k))
	handler := otelslog.NewHandler(someScope.Name, otelslog.WithLoggerProvider(provider), otelslog.WithVersion(someScope.Version),
		otelslog.WithSchemaURL(someScope.SchemaURL))
	within := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	full := slog.NewRecord(midnight, slog.LevelWarn, "body", 0)
	for _, kv := range someKinds {
		full.AddAttrs(slog.Any(string(kv.Key), kv.Value.AsInterface()))
	}
	for ctx, r := range map[context.Context]slog.Record{trace.ContextWithSpanContext(t.Context(), within): full, t.Context(): {}} {
		if err := handler.Handle(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.records) != 2 {
		t.Fatalf("%d records", len(k.records))
	}
	return k.records
}

// TestRecordsAreAsTheExporterMakesThem has a full record and an empty one.
func TestRecordsAreAsTheExporterMakesThem(t *testing.T) {
	records := someRecords(t)
	raw, err := Records(records)
	if err != nil {
		t.Fatal(err)
	}
	var c copier
	exporter, err := otlploghttp.New(t.Context(), otlploghttp.WithInsecure(), otlploghttp.WithHTTPClient(&http.Client{Transport: &c}),
		otlploghttp.WithCompression(otlploghttp.NoCompression))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exporter.Shutdown(context.Background()) }()
	if err := exporter.Export(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	checkEqual(t, raw, c.request, &logscollector.ExportLogsServiceRequest{}, &logscollector.ExportLogsServiceRequest{})
}

// TestSpansAreAsTheExporterMakesThem has spans of each kind that wsprobe makes.
func TestSpansAreAsTheExporterMakesThem(t *testing.T) {
	context := func(span byte, flags trace.TraceFlags) trace.SpanContext {
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{span}, TraceFlags: flags})
	}
	stubs := tracetest.SpanStubs{
		{Name: "run", SpanContext: context(1, trace.FlagsSampled), SpanKind: trace.SpanKindClient, StartTime: midnight, EndTime: midnight.Add(time.Second),
			Attributes: someKinds, Status: sdktrace.Status{Code: codes.Error, Description: "no"}, Resource: someResource, InstrumentationScope: someScope},
		{Name: "dns", SpanContext: context(2, 0), Parent: context(1, 0), SpanKind: trace.SpanKindInternal, DroppedAttributes: 3,
			Status: sdktrace.Status{Code: codes.Ok}, Resource: someResource, InstrumentationScope: someScope},
		{Name: "", SpanContext: context(3, 0), Parent: context(1, 0), SpanKind: trace.SpanKindServer, Resource: someResource, InstrumentationScope: someScope},
	}
	spans := stubs.Snapshots()
	raw, err := Spans(spans)
	if err != nil {
		t.Fatal(err)
	}
	var c copier
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithInsecure(), otlptracehttp.WithHTTPClient(&http.Client{Transport: &c}),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exporter.Shutdown(t.Context()) }()
	if err := exporter.ExportSpans(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	checkEqual(t, raw, c.request, &tracecollector.ExportTraceServiceRequest{}, &tracecollector.ExportTraceServiceRequest{})
}

// TestRequestsAreTheSameEachTime: what is encoded again has the same bytes.
func TestRequestsAreTheSameEachTime(t *testing.T) {
	records := someRecords(t)
	first, err := Records(records)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Records(records)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("%v, %x and %x", err, first, again)
	}
}
