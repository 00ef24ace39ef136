package telemetry

import (
	"context"
	"errors"

	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// wire is the way to a receiver.
type wire struct {
	send  func(context.Context, content) verdict
	pack  func(*metricdata.ResourceMetrics) ([]byte, error)
	close func() error
	// sendRecords makes one attempt to deliver log records; nil without Options.Logs.
	sendRecords func(context.Context, []sdklog.Record) verdict
	// sendSpans makes one attempt to deliver spans; nil without Options.Traces.
	sendSpans func(context.Context, []sdktrace.ReadOnlySpan) verdict
}

// newWire makes the way to the receiver.
func newWire(o Options) (w wire, err error) {
	switch o.Protocol {
	case ProtocolNone:
		w.close = func() error { return nil }
	case ProtocolHTTP:
		w, err = newHTTPWire(o)
	default:
		w, err = newGRPCWire(o)
	}
	w.pack = pack
	return w, err
}

// with adds the signals that are wanted besides metrics.
func (w wire) with(o Options, logs, traces func(wire, Options) (wire, error)) (_ wire, err error) {
	if o.Logs {
		if w, err = logs(w, o); err != nil {
			return wire{}, err
		}
	}
	if o.Traces {
		return traces(w, o)
	}
	return w, nil
}

// withRecords adds what sends log records, which is closed with the rest.
func (w wire) withRecords(shutdown func(context.Context) error, send func(context.Context, []sdklog.Record) verdict) wire {
	w.sendRecords, w.close = send, w.closing(shutdown)
	return w
}

// withSpans adds what sends spans, which is closed with the rest.
func (w wire) withSpans(shutdown func(context.Context) error, send func(context.Context, []sdktrace.ReadOnlySpan) verdict) wire {
	w.sendSpans, w.close = send, w.closing(shutdown)
	return w
}

// closing closes an exporter, and then the rest.
func (w wire) closing(shutdown func(context.Context) error) func() error {
	return func() error { return errors.Join(shutdown(context.Background()), w.close()) }
}
