package otlp

import (
	"context"
	"crypto/tls"
	"time"

	"go.opentelemetry.io/otel/sdk"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// Signal is a kind of telemetry. Each has requests of its own.
type Signal int

// The signals.
const (
	Metrics Signal = iota
	Logs
	Traces
)

// methods are the methods of the signals over gRPC.
var methods = [...]string{
	Metrics: metricscollector.MetricsService_Export_FullMethodName,
	Logs:    logscollector.LogsService_Export_FullMethodName,
	Traces:  tracecollector.TraceService_Export_FullMethodName,
}

// Options say where requests go, and how.
type Options struct {
	// Protocol of the receiver. Default: GRPC.
	Protocol Protocol
	// Endpoint of the receiver, http:// in plain text or https:// with TLS. For GRPC it is http://host:port, the port
	// defaults to 4317, and the default is DefaultEndpoint. For HTTP it is the URL for requests with metrics, from
	// which the URLs of the other signals follow, and the default is DefaultHTTPEndpoint.
	Endpoint string
	// TLS is used for https. Nil means the system's authorities and no client certificate.
	TLS *tls.Config
	// Headers go with every request. No answer shows their values.
	Headers map[string]string
	// Compression of the requests. Default: Gzip.
	Compression Compression
	// Timeout bounds one request. Default: 10 s.
	Timeout time.Duration
	// Version is the version of the agent, for the user agent. Empty: none.
	Version string
}

// caller makes requests over one protocol.
type caller interface {
	call(ctx context.Context, s Signal, request []byte) outbox.Answer
	close() error
}

// Client sends requests to one receiver. Several goroutines can use it at once.
type Client struct {
	protocol caller
	timeout  time.Duration
}

// New makes a client. It connects to nothing yet: the first request does. The error names every option that is wrong,
// without values of headers.
func New(o Options) (*Client, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	o = o.filled()
	var protocol caller
	var err error
	if o.Protocol == HTTP {
		protocol, err = newHTTPCaller(o)
	} else {
		protocol, err = newGRPCCaller(o)
	}
	return &Client{protocol, o.Timeout}, err
}

// Send makes one attempt to deliver a request. It ends with ctx, or after Options.Timeout.
func (c *Client) Send(ctx context.Context, s Signal, request []byte) outbox.Answer {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.protocol.call(ctx, s, request)
}

// Sender returns Send for one signal.
func (c *Client) Sender(s Signal) func(context.Context, []byte) outbox.Answer {
	return func(ctx context.Context, request []byte) outbox.Answer { return c.Send(ctx, s, request) }
}

// Close ends the connections. No Send may be under way.
func (c *Client) Close() error { return c.protocol.close() }

// userAgent names the agent, and the official exporters of Go, because receivers know those.
func (o Options) userAgent() string {
	product := "wsprobe"
	if o.Version != "" {
		product += "/" + o.Version
	}
	return product + " OTel-OTLP-Exporter-Go/" + sdk.Version()
}
