package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// newHTTPWire makes the way to a receiver over HTTP, as far as the protocol matters.
func newHTTPWire(o Options) (wire, error) {
	c, err := newHTTPClient(o)
	if err != nil {
		return wire{}, err
	}
	return wire{send: c.send, close: c.close}.with(o, c.withLogs, c.withTraces)
}

// withLogs adds log records to the way of the metrics.
func (c *httpClient) withLogs(w wire, o Options) (wire, error) {
	exporter, err := c.newLogExporter(o)
	if err != nil {
		return wire{}, errors.Join(fmt.Errorf("making the OTLP exporter of logs: %w", err), w.close())
	}
	return w.withRecords(exporter.Shutdown, func(ctx context.Context, records []sdklog.Record) verdict {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		x := &httpExchange{}
		return c.judge(ctx, x, exporter.Export(context.WithValue(ctx, httpExchangeKey{}, x), records))
	}), nil
}

// newLogExporter makes an exporter that shares the connections with that of the metrics. Every option is given, so that
// no OTEL_ variable has a say.
func (c *httpClient) newLogExporter(o Options) (*otlploghttp.Exporter, error) {
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	compression := otlploghttp.NoCompression
	if c.gzip {
		compression = otlploghttp.GzipCompression
	}
	options := []otlploghttp.Option{
		otlploghttp.WithEndpoint(target.Host),
		otlploghttp.WithURLPath(signalPath(target.Path, "logs")),
		otlploghttp.WithHeaders(o.httpHeaders(otlploghttp.Version())),
		otlploghttp.WithCompression(compression),
		otlploghttp.WithTimeout(o.Timeout),
		otlploghttp.WithMaxRequestSize(0),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: false}),
		otlploghttp.WithHTTPClient(c.client),
	}
	if target.Scheme == "http" {
		options = append(options, otlploghttp.WithInsecure())
	}
	return otlploghttp.New(context.Background(), options...)
}

// signalPath is where requests of another signal go, given where those with metrics do (OTLP specification, OTLP/HTTP
// request). A path for metrics that does not say so stands for its whole receiver.
func signalPath(metrics, signal string) string {
	base := "/" + strings.Trim(metrics, "/")
	return strings.TrimSuffix(strings.TrimSuffix(base, metricsPath), "/") + "/v1/" + signal
}
