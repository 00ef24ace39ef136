package otlp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // so that compressed answers are understood
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// grpcCaller makes requests over gRPC.
type grpcCaller struct {
	conn        *grpc.ClientConn
	connections *connections
	headers     metadata.MD
	timeout     time.Duration
	redact      func(string) string
}

func newGRPCCaller(o Options) (*grpcCaller, error) {
	c := &grpcCaller{
		connections: &connections{}, headers: metadata.New(o.Headers), timeout: o.Timeout, redact: newRedactor(o.Headers, ""),
	}
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	// Without a resolver of gRPC, which looks a name up again after two minutes only if that failed for some time. The
	// dialer does so with every attempt to connect.
	c.conn, err = grpc.NewClient("passthrough:///"+target.Host, dialOptions(o, target.Scheme, c.connections)...)
	if err != nil {
		return nil, fmt.Errorf("preparing a connection to %s: %w", target.Host, err)
	}
	return c, nil
}

// dialOptions returns the options of the connection.
func dialOptions(o Options, scheme string, open *connections) []grpc.DialOption {
	transport := insecure.NewCredentials()
	if scheme == "https" {
		transport = credentials.NewTLS(o.TLS)
	}
	compression := grpc.WithDefaultCallOptions(grpc.UseCompressor(encoding.Identity))
	if o.Compression == Gzip {
		// UseCompressor knows compressors of the process only, which a client must not replace.
		//lint:ignore SA1019 gRPC keeps it in all of version 1
		compression = grpc.WithCompressor(compressor{})
	}
	return []grpc.DialOption{
		compression,
		grpc.WithTransportCredentials(notedCredentials{transport, open}),
		grpc.WithStatsHandler(progressOf{}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})),
		grpc.WithUserAgent(o.userAgent()),
		// No retry policy from a DNS record, and no query for one.
		grpc.WithDisableServiceConfig(),
		// gRPC would wait up to two minutes before it looks for a receiver that has come back.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 500 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second,
			},
			MinConnectTimeout: 10 * time.Second,
		}),
		// Pings this rare offend no server, but their timeout also is the kernel's patience with data that nobody
		// acknowledges. Without it a peer that vanished is noticed after a quarter of an hour.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second}),
	}
}

// rawCodec takes messages that are encoded already: requests are []byte, and answers *[]byte.
type rawCodec struct{}

func (rawCodec) Name() string { return grpcproto.Name }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	raw, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("encoding a request of type %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(raw)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	answer, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("decoding an answer of type %T", v)
	}
	*answer = data.Materialize()
	return nil
}

// call makes one attempt to deliver a request.
func (c *grpcCaller) call(ctx context.Context, s Signal, request []byte) outbox.Answer {
	var p progress
	ctx = context.WithValue(metadata.NewOutgoingContext(ctx, c.headers), progressKey{}, &p)
	var response []byte
	a := outbox.Answer{}
	if err := c.conn.Invoke(ctx, methods[s], request, &response); err != nil {
		a = c.refused(&p, status.Convert(err))
	} else {
		a = accepted(response)
	}
	a.Message = c.redact(a.Message)
	return a
}

// refused returns the answer to a request that was not accepted. It replaces a connection that had no answer in time.
func (c *grpcCaller) refused(p *progress, s *status.Status) outbox.Answer {
	a := ofStatus(s)
	var local string
	local, a.Unanswered = p.get()
	if code, ok := strings.CutPrefix(s.Message(), httpStatusText); ok { // of a proxy, and no trailer
		a.Unanswered = strings.HasPrefix(code, "504 ")
		return a
	}
	if s.Code() != codes.DeadlineExceeded {
		return a
	}
	if a.Unanswered || local == "" { // a receiver that allows no streams keeps requests from having a connection at all
		c.connections.breakOff(local, c.timeout)
	}
	a.Unanswered = local != "" // a receiver that says that it is late may have done its work, too
	return a
}

// httpStatusText is how gRPC begins its report of an answer that is not gRPC.
const httpStatusText = "unexpected HTTP status code received from server: "

func (c *grpcCaller) close() error { return c.conn.Close() }
