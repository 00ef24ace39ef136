package receiver

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	// MetricsPath is where a receiver over HTTP takes requests.
	MetricsPath = "/v1/metrics"

	protobufType = "application/x-protobuf"
	// maxRequest bounds a request over HTTP, as gRPC does by itself: 4 MiB.
	maxRequest = 4 << 20
)

// ServeHTTPProtobuf is Serve for OTLP over HTTP with protobuf.
func (r *Receiver) ServeHTTPProtobuf(ctx context.Context, l net.Listener) error {
	handler := r.Handler()
	var handling sync.WaitGroup // nothing is handed over once this has returned
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			handling.Add(1)
			defer handling.Done()
			handler.ServeHTTP(w, request)
		}),
		TLSConfig:         r.TLS,
		ReadHeaderTimeout: handshakeTime,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() {
		if r.TLS != nil {
			served <- server.ServeTLS(l, "", "")
			return
		}
		served <- server.Serve(l)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("receiving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(r.StopTime, stopTime))
	defer cancel()
	if server.Shutdown(stopping) != nil {
		_ = server.Close() // of connections that have had their time
	}
	handling.Wait()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("receiving on %s: %w", l.Addr(), err)
	}
	return nil
}

// Handler takes requests over HTTP. An error of Answer becomes the HTTP status that stands for its gRPC code, and the
// body of the answer its gRPC status.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+MetricsPath, overHTTP((&service{receiver: r}).Export))
	mux.Handle("POST "+LogsPath, overHTTP((&logsService{receiver: r}).Export))
	mux.Handle("POST "+TracesPath, overHTTP((&traceService{receiver: r}).Export))
	return mux
}

// overHTTP serves over HTTP what a service of gRPC does.
func overHTTP[T any, Req interface {
	*T
	proto.Message
}, Resp proto.Message](export func(context.Context, Req) (Resp, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		decoded := Req(new(T))
		if err := decode(w, request, decoded); err != nil {
			refuse(w, status.New(codes.InvalidArgument, err.Error()))
			return
		}
		response, err := export(request.Context(), decoded)
		if err != nil {
			refuse(w, status.Convert(err))
			return
		}
		answer(w, http.StatusOK, response)
	}
}

// decode reads a request.
func decode(w http.ResponseWriter, request *http.Request, into proto.Message) error {
	if got := request.Header.Get("Content-Type"); !strings.HasPrefix(got, protobufType) {
		return fmt.Errorf("the content type is %q, not %s", got, protobufType)
	}
	body := io.Reader(http.MaxBytesReader(w, request.Body, maxRequest))
	switch encoding := request.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return fmt.Errorf("decompressing: %w", err)
		}
		body = unzipped
	default:
		return fmt.Errorf("the encoding %q is not known", encoding)
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if len(raw) > maxRequest {
		return fmt.Errorf("more than %d bytes", maxRequest)
	}
	if err := proto.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return nil
}

// httpCodes are the HTTP statuses that stand for gRPC codes.
var httpCodes = map[codes.Code]int{
	codes.Unavailable:       http.StatusServiceUnavailable,
	codes.ResourceExhausted: http.StatusTooManyRequests,
	codes.DeadlineExceeded:  http.StatusGatewayTimeout,
	codes.Unauthenticated:   http.StatusUnauthorized,
	codes.PermissionDenied:  http.StatusForbidden,
	codes.InvalidArgument:   http.StatusBadRequest,
	codes.Unimplemented:     http.StatusNotFound,
}

// refuse answers with a status that is not OK.
func refuse(w http.ResponseWriter, s *status.Status) {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			seconds := math.Ceil(info.GetRetryDelay().AsDuration().Seconds())
			w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
		}
	}
	code, ok := httpCodes[s.Code()]
	if !ok {
		code = http.StatusInternalServerError
	}
	answer(w, code, s.Proto())
}

// answer writes a message.
func answer(w http.ResponseWriter, code int, m proto.Message) {
	body, err := proto.Marshal(m)
	if err != nil {
		code, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", protobufType)
	w.WriteHeader(code)
	_, _ = w.Write(body) // a sender that is gone does not want it
}
