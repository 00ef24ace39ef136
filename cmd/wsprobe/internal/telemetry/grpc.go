package telemetry

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// grpcClient speaks OTLP/gRPC through the official exporter. The exporter cannot send a request that it did not
// make itself, and tells little of an answer. An interceptor on the connection does both, see [exchange]: batches
// that were stored are requests already, and others are encoded faster than the exporter could, see [marshal].
type grpcClient struct {
	conn        *grpc.ClientConn
	connections *connections
	timeout     time.Duration
	exporter    *otlpmetricgrpc.Exporter
	redact      func(string) string
}

// exchange travels in the context of an export to the interceptor and back.
type exchange struct {
	// raw is sent in place of the exporter's own request if it is set: an ExportMetricsServiceRequest in protobuf.
	raw      []byte
	progress progress
	// reached says that the interceptor was, and the rest is what came of the call.
	reached  bool
	err      error
	rejected int64 // by a partial success
	remark   string
}

type exchangeKey struct{}

// CompressFast makes gRPC compress at the fastest level, for half the CPU time: points are so alike that the best one saves
// little more. gRPC has one level for the process, so a program calls this once, before [New].
func CompressFast() error { return grpcgzip.SetLevel(gzip.BestSpeed) }

// newGRPCClient connects to nothing yet: that happens with the first export.
func newGRPCClient(o Options) (*grpcClient, error) {
	c := &grpcClient{connections: &connections{}, timeout: o.Timeout, redact: newRedactor(o.Headers, "")}
	options, target, err := dialOptions(o, c.connections)
	if err != nil {
		return nil, err
	}
	// Without a resolver of gRPC's, which looks a name up again after two minutes only if that failed for
	// some time. The dialer does it with every attempt to connect.
	c.conn, err = grpc.NewClient("passthrough:///"+target, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing a connection to %s: %w", target, err)
	}
	// The connection is ours and every other option is given, so that no OTEL_ variable has a say.
	c.exporter, err = otlpmetricgrpc.New(context.Background(),
		otlpmetricgrpc.WithGRPCConn(c.conn),
		otlpmetricgrpc.WithHeaders(o.Headers),
		otlpmetricgrpc.WithTimeout(o.Timeout),
		// A retry inside the exporter would hold up everything else; ours are in the queue.
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{Enabled: false}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the OTLP exporter: %w", err), c.conn.Close())
	}
	return c, nil
}

// newGRPCWire makes the way to a receiver over gRPC, as far as the protocol matters.
func newGRPCWire(o Options) (wire, error) {
	c, err := newGRPCClient(o)
	if err != nil {
		return wire{}, err
	}
	return wire{send: c.send, close: c.close}.with(o, c.withLogs, c.withTraces)
}

// withLogs adds log records to the way of the metrics.
func (c *grpcClient) withLogs(w wire, o Options) (wire, error) {
	exporter, err := otlploggrpc.New(context.Background(),
		otlploggrpc.WithGRPCConn(c.conn),
		otlploggrpc.WithHeaders(o.Headers),
		otlploggrpc.WithTimeout(o.Timeout),
		otlploggrpc.WithMaxRequestSize(0),
		otlploggrpc.WithRetry(otlploggrpc.RetryConfig{Enabled: false}),
	)
	if err != nil {
		return wire{}, errors.Join(fmt.Errorf("making the OTLP exporter of logs: %w", err), w.close())
	}
	return w.withRecords(exporter.Shutdown, func(ctx context.Context, records []sdklog.Record) verdict {
		x := &exchange{}
		return c.judge(x, exporter.Export(context.WithValue(ctx, exchangeKey{}, x), records))
	}), nil
}

// dialOptions returns the options of the connection and where it leads.
func dialOptions(o Options, open *connections) ([]grpc.DialOption, string, error) {
	target, err := o.target()
	if err != nil {
		return nil, "", err
	}
	transport := insecure.NewCredentials()
	if target.Scheme == "https" {
		transport = credentials.NewTLS(o.TLS)
	}
	compressor := encoding.Identity
	if o.Compression == CompressionGzip {
		compressor = grpcgzip.Name
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(notedCredentials{transport, open}),
		grpc.WithStatsHandler(progressOf{}),
		grpc.WithDefaultCallOptions(grpc.UseCompressor(compressor)),
		grpc.WithUnaryInterceptor(intercept),
		grpc.WithUserAgent(o.userAgent(otlpmetricgrpc.Version())),
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
	}, target.Host, nil
}

// intercept does what the exchange of a call asks for.
func intercept(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	x.reached = true
	if x.raw != nil {
		request, options = rawRequest(x.raw), append(options, grpc.ForceCodecV2(rawCodec{}))
	}
	x.err = invoke(ctx, method, request, reply, conn, options...)
	switch response := reply.(type) {
	case *collector.ExportMetricsServiceResponse:
		x.rejected, x.remark = response.GetPartialSuccess().GetRejectedDataPoints(), response.GetPartialSuccess().GetErrorMessage()
	case *tracecollector.ExportTraceServiceResponse:
		x.rejected, x.remark = response.GetPartialSuccess().GetRejectedSpans(), response.GetPartialSuccess().GetErrorMessage()
	case *logscollector.ExportLogsServiceResponse:
		x.rejected, x.remark = response.GetPartialSuccess().GetRejectedLogRecords(), response.GetPartialSuccess().GetErrorMessage()
	}
	return x.err
}

// rawRequest is a request that is encoded already.
type rawRequest []byte

// rawCodec sends requests that are encoded already as they are, so that they need not be understood first. Answers
// are protobuf as ever.
type rawCodec struct{}

func (rawCodec) Name() string { return grpcproto.Name }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if raw, ok := v.(rawRequest); ok {
		return mem.BufferSlice{mem.SliceBuffer(raw)}, nil
	}
	return encoding.GetCodecV2(grpcproto.Name).Marshal(v)
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2(grpcproto.Name).Unmarshal(data, v)
}

// send makes one attempt to deliver a request.
func (c *grpcClient) send(ctx context.Context, b content) verdict {
	raw, err := b.request()
	if err != nil {
		return verdict{unreadable: err.Error()}
	}
	x := &exchange{raw: raw}
	err = c.exporter.Export(context.WithValue(ctx, exchangeKey{}, x), &metricdata.ResourceMetrics{})
	return c.judge(x, err)
}

// judge decides about an export. The exchange says more than the error: the status as it came, and a partial success as
// what it is.
func (c *grpcClient) judge(x *exchange, err error) verdict {
	var v verdict
	switch {
	case !x.reached: // the context had ended
		v = judge(status.FromContextError(err))
	case x.err != nil:
		v = c.refused(x, status.Convert(x.err))
	default:
		v = accepted(x.rejected, x.remark)
	}
	v.message = c.redact(v.message)
	return v
}

// refused is the verdict on a request that was not accepted. A connection that had no answer in time is replaced.
func (c *grpcClient) refused(x *exchange, s *status.Status) verdict {
	v := judge(s)
	var local string
	local, v.unanswered = x.progress.get()
	if code, ok := strings.CutPrefix(s.Message(), httpStatusText); ok { // of a proxy, and no trailer
		v.unanswered = strings.HasPrefix(code, "504 ")
		return v
	}
	if s.Code() != codes.DeadlineExceeded {
		return v
	}
	if v.unanswered || local == "" { // a receiver that allows no streams keeps requests from having a connection at all
		c.connections.breakOff(local, c.timeout)
	}
	v.unanswered = local != "" // a receiver that says that it is late may have done its work, too
	return v
}

// httpStatusText is how gRPC begins its report of an answer that is no gRPC.
const httpStatusText = "unexpected HTTP status code received from server: "

// close ends the connection.
func (c *grpcClient) close() error {
	return errors.Join(c.exporter.Shutdown(context.Background()), c.conn.Close())
}
