package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A packed batch is the ExportMetricsServiceRequest of OTLP in protobuf, compressed with gzip. It needs
// neither this process, nor this version of the SDK, nor this protocol to be sent.

// maxUnpacked bounds what a packed batch can become in memory, whatever its file makes of itself: a few kilobytes of
// gzip can be gigabytes of zeros.
const maxUnpacked = 4 * maxRequestBytes

// packer encodes batches. It does so with the official OTLP/HTTP exporter, whose requests are the encoded form, over
// a transport that leads nowhere. It is apart from what sends because an exporter does one thing at a time, and
// encoding must not wait for a receiver.
type packer struct {
	exporter *otlpmetrichttp.Exporter
}

func newPacker() (*packer, error) {
	exporter, err := otlpmetrichttp.New(context.Background(),
		otlpmetrichttp.WithEndpoint("localhost"), // never asked for anything
		otlpmetrichttp.WithInsecure(),
		otlpmetrichttp.WithCompression(otlpmetrichttp.NoCompression),
		otlpmetrichttp.WithMaxRequestSize(0),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: false}),
		otlpmetrichttp.WithHTTPClient(&http.Client{Transport: nowhere{}}),
	)
	if err != nil {
		return nil, fmt.Errorf("making the encoder: %w", err)
	}
	return &packer{exporter}, nil
}

// packingKey is where the context of an export has the buffer that the request goes to.
type packingKey struct{}

// nowhere takes requests for the packer.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	if into, ok := r.Context().Value(packingKey{}).(*bytes.Buffer); ok {
		if _, err := into.ReadFrom(r.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// pack encodes and compresses a batch.
func (p *packer) pack(data *metricdata.ResourceMetrics) ([]byte, error) {
	var raw bytes.Buffer
	if err := p.exporter.Export(context.WithValue(context.Background(), packingKey{}, &raw), data); err != nil {
		return nil, fmt.Errorf("encoding a batch: %w", err)
	}
	return compress(raw.Bytes())
}

func (p *packer) close() error { return p.exporter.Shutdown(context.Background()) }

func compress(raw []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// unpack returns what pack compressed.
func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompressing a batch: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("decompressing a batch: %w", err)
	}
	if len(raw) > maxUnpacked {
		return nil, fmt.Errorf("decompressing a batch: it has more than %d bytes", maxUnpacked)
	}
	return raw, nil
}
