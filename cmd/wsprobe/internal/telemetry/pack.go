package telemetry

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A packed batch is the ExportMetricsServiceRequest of OTLP in protobuf, compressed with gzip. It needs
// neither this process, nor this version of the SDK, nor this protocol to be sent.

// maxUnpacked bounds what a packed batch can become in memory, whatever its file makes of itself: a few kilobytes of
// gzip can be gigabytes of zeros.
const maxUnpacked = 4 * maxRequestBytes

// pack encodes and compresses a batch.
func pack(data *metricdata.ResourceMetrics) ([]byte, error) {
	raw, err := marshal(data)
	if err != nil {
		return nil, err
	}
	return compress(raw)
}

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
