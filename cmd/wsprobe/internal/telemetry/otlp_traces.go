package telemetry

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Traces go through the official exporters, over the connections of the metrics and with the same exchanges around
// them, so that what became of a request is judged alike. Every option is given, so that no OTEL_ variable has a say.

// withTraces adds traces to the way of the metrics.
func (c *grpcClient) withTraces(w wire, o Options) (wire, error) {
	exporter, err := otlptracegrpc.New(context.Background(),
		otlptracegrpc.WithGRPCConn(c.conn),
		otlptracegrpc.WithHeaders(o.Headers),
		otlptracegrpc.WithTimeout(o.Timeout),
		otlptracegrpc.WithMaxRequestSize(0),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}),
	)
	if err != nil {
		return wire{}, errors.Join(fmt.Errorf("making the OTLP exporter of traces: %w", err), w.close())
	}
	return w.withSpans(exporter.Shutdown, func(ctx context.Context, spans []sdktrace.ReadOnlySpan) verdict {
		x := &exchange{}
		return c.judge(x, exporter.ExportSpans(context.WithValue(ctx, exchangeKey{}, x), spans))
	}), nil
}

// withTraces adds traces to the way of the metrics.
func (c *httpClient) withTraces(w wire, o Options) (wire, error) {
	exporter, err := c.newTraceExporter(o)
	if err != nil {
		return wire{}, errors.Join(fmt.Errorf("making the OTLP exporter of traces: %w", err), w.close())
	}
	return w.withSpans(exporter.Shutdown, func(ctx context.Context, spans []sdktrace.ReadOnlySpan) verdict {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		x := &httpExchange{}
		return c.judge(ctx, x, exporter.ExportSpans(context.WithValue(ctx, httpExchangeKey{}, x), spans))
	}), nil
}

func (c *httpClient) newTraceExporter(o Options) (*otlptrace.Exporter, error) {
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	compression := otlptracehttp.NoCompression
	if c.gzip {
		compression = otlptracehttp.GzipCompression
	}
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpoint(target.Host),
		otlptracehttp.WithURLPath(signalPath(target.Path, "traces")),
		otlptracehttp.WithHeaders(o.httpHeaders(otlptrace.Version())),
		otlptracehttp.WithCompression(compression),
		otlptracehttp.WithTimeout(o.Timeout),
		otlptracehttp.WithMaxRequestSize(0),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
		otlptracehttp.WithHTTPClient(c.client),
	}
	if target.Scheme == "http" {
		options = append(options, otlptracehttp.WithInsecure())
	}
	return otlptracehttp.New(context.Background(), options...)
}
