package telemetry

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
)

// copier is a receiver that keeps the last request.
type copier struct{ request []byte }

func (c *copier) RoundTrip(r *http.Request) (_ *http.Response, err error) {
	defer r.Body.Close()
	c.request, err = io.ReadAll(r.Body)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, err
}

// TestCollectionsAreAsTheExporterMakesThem compares whole collections: of runs of all kinds, with everything that the
// agent tells about itself, by way of the form that scrapes have.
func TestCollectionsAreAsTheExporterMakesThem(t *testing.T) {
	o := Options{ServiceVersion: "1.2.3", Location: "Zürich", Attributes: map[string]string{"a": ""}, Traces: true, TraceRatio: 1}
	telemetry := newTest(t, o, new(stub))
	series := telemetry.probe(chat())
	traced := in(probe.Trace{ID: [16]byte{7}, Run: [8]byte{8}, Sampled: true}, good(midnight, 4*time.Millisecond))
	traced.CertificateExpiry = midnight.Add(time.Hour)
	series.Record(traced, probehealth.Degraded)
	series.Record(refused(midnight.Add(time.Second)), unjudged)
	series.Record(silent(midnight.Add(2*time.Second)), unjudged)
	telemetry.ObserveStart(time.Millisecond)
	telemetry.ObserveSkip("overlap", 3)
	scope := produce(t, telemetry)
	if n := countPoints(scope); n < 40 {
		t.Errorf("%d points prove little", n)
	}
	raw, err := otlp.Points(telemetry.resource, scope)
	if err != nil {
		t.Fatal(err)
	}
	var c copier
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHTTPClient(&http.Client{Transport: &c}),
		otlpmetrichttp.WithCompression(otlpmetrichttp.NoCompression))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exporter.Shutdown(context.Background()) }()
	data := &metricdata.ResourceMetrics{Resource: telemetry.resource, ScopeMetrics: []metricdata.ScopeMetrics{forSDK(scope)}}
	if err := exporter.Export(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	var got, want collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(c.request, &want); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(&got, &want) {
		t.Errorf("got %s\nwant %s", prototext.Format(&got), prototext.Format(&want))
	}
}
