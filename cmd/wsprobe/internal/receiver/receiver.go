package receiver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // so that compressed requests are understood
)

// stopTime is the default of Receiver.StopTime.
const stopTime = time.Second

// Receiver says what becomes of export requests. The zero value accepts all and tells nobody. The fields must
// not change while Serve is running.
type Receiver struct {
	// Point is called with every point of every request that is accepted, one call at a time.
	Point func(Point)

	// Answer decides about a request before its points are handed over. An error refuses it, with the code of
	// a gRPC status if it is one; the points of a refused request are not handed over. A partial success goes
	// back to the sender as it is. Answer may be called by several goroutines at once, and must return soon
	// after ctx has ended, which is when the sender gives up or Serve ends. Nil accepts all.
	Answer func(ctx context.Context, request *Request) (*PartialSuccess, error)

	// Record is called with every log record of every request that is accepted, one call at a time. AnswerLogs
	// decides about requests of log records as Answer does about those of metrics.
	Record     func(Record)
	AnswerLogs func(ctx context.Context, request *LogsRequest) error

	// Span is called with every span of every request that is accepted, one call at a time. AnswerTraces is to traces
	// what Answer is to metrics.
	Span         func(Span)
	AnswerTraces func(ctx context.Context, request *TraceRequest) (*TracePartialSuccess, error)

	// TLS makes the receiver speak TLS.
	TLS *tls.Config

	// StopTime is the time that calls in flight have once Serve is told to stop. After it their answers are lost. Zero
	// means a second.
	StopTime time.Duration
}

// The messages of OTLP that appear in Receiver.
type (
	Request        = collector.ExportMetricsServiceRequest
	PartialSuccess = collector.ExportMetricsPartialSuccess
)

// handshakeTime is how long a connection may take to begin to speak HTTP/2. The server waits for it when it stops.
const handshakeTime = 2 * time.Second

// Serve receives on a listener, which it closes, until ctx ends. Calls in flight then have StopTime to end.
// An error means that the listener failed.
func (r *Receiver) Serve(ctx context.Context, l net.Listener) error {
	// Nothing is handed over once Serve has returned.
	options := []grpc.ServerOption{grpc.WaitForHandlers(true)}
	if r.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(r.TLS)))
	}
	options = append(options, grpc.ConnectionTimeout(handshakeTime))
	server := grpc.NewServer(options...)
	collector.RegisterMetricsServiceServer(server, &service{receiver: r})
	logs.RegisterLogsServiceServer(server, &logsService{receiver: r})
	traces.RegisterTraceServiceServer(server, &traceService{receiver: r})

	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		server.Stop()
		return fmt.Errorf("receiving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	r.stop(server)
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("receiving on %s: %w", l.Addr(), err)
	}
	return nil
}

// stop lets calls in flight end, but not for long.
func (r *Receiver) stop(server *grpc.Server) {
	timer := time.AfterFunc(cmp.Or(r.StopTime, stopTime), server.Stop)
	defer timer.Stop()
	server.GracefulStop()
}

// service is the gRPC side of a receiver.
type service struct {
	collector.UnimplementedMetricsServiceServer
	receiver *Receiver

	mu sync.Mutex // held while points are handed over
}

func (s *service) Export(ctx context.Context, request *Request) (*collector.ExportMetricsServiceResponse, error) {
	response := new(collector.ExportMetricsServiceResponse)
	if s.receiver.Answer != nil {
		partial, err := s.receiver.Answer(ctx, request)
		if err != nil {
			return nil, err
		}
		response.PartialSuccess = partial
	}
	if s.receiver.Point != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for p := range Points(request) {
			s.receiver.Point(p)
		}
	}
	return response, nil
}
