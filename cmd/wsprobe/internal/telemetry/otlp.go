package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// otlpClient speaks OTLP/gRPC through the official exporter. The exporter can do neither of two things that
// the queue needs: hand out a request in its encoded form, and send one that it did not make itself. An
// interceptor on the connection does both, see [exchange].
type otlpClient struct {
	conn     *grpc.ClientConn
	exporter *otlpmetricgrpc.Exporter
	// encoder never sends. It is apart from the exporter because an exporter does one thing at a time, and
	// encoding must not wait for a receiver.
	encoder *otlpmetricgrpc.Exporter
	redact  func(string) string
}

// exchange travels in the context of an export to the interceptor and back.
type exchange struct {
	// encodeOnly keeps the request from being sent.
	encodeOnly bool
	// request is sent in place of the exporter's own if it is set; else it becomes the exporter's own.
	request *collector.ExportMetricsServiceRequest
	// reached says that the interceptor was, and err and partial are what came of the call.
	reached bool
	err     error
	partial *collector.ExportMetricsPartialSuccess
}

type exchangeKey struct{}

// newOTLPClient connects to nothing yet: that happens with the first export.
func newOTLPClient(o Options) (*otlpClient, error) {
	options, target, err := dialOptions(o)
	if err != nil {
		return nil, err
	}
	// Without a resolver of gRPC's, which looks a name up again after two minutes only if that failed for
	// some time. The dialer does it with every attempt to connect.
	conn, err := grpc.NewClient("passthrough:///"+target, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing a connection to %s: %w", target, err)
	}
	c := &otlpClient{conn: conn, redact: newRedactor(o.Headers)}
	// The connection is ours and every other option is given, so that no OTEL_ variable has a say.
	exporter := func() (*otlpmetricgrpc.Exporter, error) {
		return otlpmetricgrpc.New(context.Background(),
			otlpmetricgrpc.WithGRPCConn(conn),
			otlpmetricgrpc.WithHeaders(o.Headers),
			otlpmetricgrpc.WithTimeout(o.Timeout),
			// A retry inside the exporter would hold up everything else; ours are in the queue.
			otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{Enabled: false}),
		)
	}
	var errExporter, errEncoder error
	c.exporter, errExporter = exporter()
	c.encoder, errEncoder = exporter()
	if err := errors.Join(errExporter, errEncoder); err != nil {
		return nil, errors.Join(fmt.Errorf("making the OTLP exporter: %w", err), conn.Close())
	}
	return c, nil
}

// dialOptions returns the options of the connection and where it leads.
func dialOptions(o Options) ([]grpc.DialOption, string, error) {
	target, secure, err := o.target()
	if err != nil {
		return nil, "", err
	}
	transport := insecure.NewCredentials()
	if secure {
		transport = credentials.NewTLS(o.TLS)
	}
	compressor := encoding.Identity
	if o.Compression == CompressionGzip {
		compressor = grpcgzip.Name
	}
	agent := strings.TrimSuffix("wsprobe/"+o.ServiceVersion, "/")
	return []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.UseCompressor(compressor)),
		grpc.WithUnaryInterceptor(intercept),
		grpc.WithUserAgent(agent + " OTel-OTLP-Exporter-Go/" + otlpmetricgrpc.Version()),
		// No retry policy from a DNS record, and no query for one.
		grpc.WithDisableServiceConfig(),
		// gRPC would wait up to two minutes before it looks for a receiver that has come back.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 500 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second,
			},
			MinConnectTimeout: 10 * time.Second,
		}),
		// Pings this rare offend no server, but their timeout also is the kernel's patience with data that
		// nobody acknowledges. Without it a peer that vanished is noticed after a quarter of an hour.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second}),
	}, target, nil
}

// intercept does what the exchange of a call asks for.
func intercept(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	own, isExport := request.(*collector.ExportMetricsServiceRequest)
	if x == nil || !isExport {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	x.reached = true
	if x.request == nil {
		x.request = own
	}
	if x.encodeOnly {
		return nil
	}
	x.err = invoke(ctx, method, x.request, reply, conn, options...)
	if response, ok := reply.(*collector.ExportMetricsServiceResponse); ok {
		x.partial = response.GetPartialSuccess()
	}
	return x.err
}

// send makes one attempt to deliver a request.
func (c *otlpClient) send(ctx context.Context, b content) verdict {
	x, data := &exchange{}, b.data
	if data == nil {
		request, err := unpack(b.packed)
		if err != nil {
			return judge(status.New(codes.Internal, err.Error()))
		}
		x.request, data = request, &metricdata.ResourceMetrics{}
	}
	err := c.exporter.Export(context.WithValue(ctx, exchangeKey{}, x), data)
	// The exchange says more than the error: the status as it came, and a partial success as what it is.
	v := verdict{outcome: Accepted}
	switch n := x.partial.GetRejectedDataPoints(); {
	case !x.reached: // the context had ended
		v = judge(status.FromContextError(err))
	case x.err != nil:
		v = judge(status.Convert(x.err))
	case n > 0:
		v = verdict{outcome: Partial, rejected: int(n), message: x.partial.GetErrorMessage()}
	default: // a receiver may leave a remark with a full success
		v.message = x.partial.GetErrorMessage()
	}
	v.message = c.redact(v.message)
	return v
}

// close ends the connection.
func (c *otlpClient) close() error {
	ctx := context.Background()
	return errors.Join(c.exporter.Shutdown(ctx), c.encoder.Shutdown(ctx), c.conn.Close())
}
