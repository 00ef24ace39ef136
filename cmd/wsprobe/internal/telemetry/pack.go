package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// A packed batch is the ExportMetricsServiceRequest of OTLP in protobuf, compressed with gzip. It needs
// neither this process nor this version of the SDK to be read again.

// pack encodes and compresses a request.
func (c *otlpClient) pack(data *metricdata.ResourceMetrics) ([]byte, error) {
	x := &exchange{encodeOnly: true}
	if err := c.encoder.Export(context.WithValue(context.Background(), exchangeKey{}, x), data); err != nil {
		return nil, fmt.Errorf("encoding a batch: %w", err)
	}
	raw, err := proto.Marshal(x.request)
	if err != nil {
		return nil, fmt.Errorf("encoding a batch: %w", err)
	}
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

// unpack is the inverse of pack.
func unpack(packed []byte) (*collector.ExportMetricsServiceRequest, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompressing a batch: %w", err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("decompressing a batch: %w", err)
	}
	request := new(collector.ExportMetricsServiceRequest)
	if err := proto.Unmarshal(raw, request); err != nil {
		return nil, fmt.Errorf("decoding a batch: %w", err)
	}
	return request, nil
}
