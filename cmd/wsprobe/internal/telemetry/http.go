package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	protobufType = "application/x-protobuf"
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 10
	// connectTimeout bounds an attempt to connect, which goes on when its request has been given up.
	connectTimeout = 10 * time.Second
)

// httpClient speaks OTLP/HTTP with protobuf through the official exporter. As with gRPC, what the exporter cannot do
// is done around it: here on the transport, see [httpExchange].
type httpClient struct {
	exporter    *otlpmetrichttp.Exporter
	client      *http.Client // whose transport is this
	transport   *http.Transport
	connections *connections
	timeout     time.Duration
	gzip        bool
	redact      func(string) string
}

// httpExchange travels in the context of an export to the transport and back.
type httpExchange struct {
	// body is sent in place of the exporter's own if it is set.
	body     []byte
	progress progress
	// reached says that the transport was; err is why there is no answer, and the rest is the answer.
	reached bool
	err     error
	status  int
	header  http.Header
	answer  []byte
}

type httpExchangeKey struct{}

// newHTTPClient connects to nothing yet: that happens with the first export.
func newHTTPClient(o Options) (*httpClient, error) {
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	c := &httpClient{
		connections: &connections{}, timeout: o.Timeout, gzip: o.Compression == CompressionGzip,
		redact: newRedactor(o.Headers, target.Path),
	}
	c.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment, // as the exporter's own
		DialContext:         c.connections.dialing((&net.Dialer{Timeout: connectTimeout}).DialContext),
		TLSHandshakeTimeout: connectTimeout,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	if o.TLS != nil {
		c.transport.TLSClientConfig = o.TLS.Clone()
	}
	c.client = &http.Client{
		Transport: c,
		// A redirect would take the headers, and the secrets in them, to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	compression := otlpmetrichttp.NoCompression
	if c.gzip {
		compression = otlpmetrichttp.GzipCompression
	}
	// Every option is given, so that no OTEL_ variable has a say.
	options := []otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpoint(target.Host),
		otlpmetrichttp.WithURLPath("/" + strings.TrimPrefix(target.Path, "/")),
		otlpmetrichttp.WithHeaders(o.httpHeaders(otlpmetrichttp.Version())),
		otlpmetrichttp.WithCompression(compression),
		otlpmetrichttp.WithTimeout(o.Timeout),
		otlpmetrichttp.WithMaxRequestSize(0),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: false}),
		otlpmetrichttp.WithHTTPClient(c.client),
	}
	if target.Scheme == "http" {
		options = append(options, otlpmetrichttp.WithInsecure())
	}
	if c.exporter, err = otlpmetrichttp.New(context.Background(), options...); err != nil {
		return nil, fmt.Errorf("making the OTLP exporter: %w", err)
	}
	return c, nil
}

// httpHeaders are those of every request of an exporter.
func (o Options) httpHeaders(version string) map[string]string {
	headers := map[string]string{"User-Agent": o.userAgent(version)}
	for name, value := range o.Headers {
		headers[http.CanonicalHeaderKey(name)] = value
	}
	return headers
}

// RoundTrip does what the exchange of a request asks for.
func (c *httpClient) RoundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(httpExchangeKey{}).(*httpExchange)
	if !ok {
		return c.transport.RoundTrip(r)
	}
	x.reached = true
	r = r.WithContext(x.progress.watched(r.Context()))
	if x.body != nil {
		_ = r.Body.Close() // of the exporter's own request, which is in memory
		r.ContentLength = int64(len(x.body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.body)), nil }
		r.Body, _ = r.GetBody()
	}
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		x.err = err
		return nil, err
	}
	defer response.Body.Close()
	x.status, x.header = response.StatusCode, response.Header
	x.answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil && response.StatusCode < 300 {
		x.err = err // whether it was accepted, and how much of it, stands in what is missing
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(x.answer))
	return response, nil
}

// send makes one attempt to deliver a request.
func (c *httpClient) send(ctx context.Context, b content) verdict {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	body, err := c.body(b)
	if err != nil {
		return verdict{unreadable: err.Error()}
	}
	x := &httpExchange{body: body}
	err = c.exporter.Export(context.WithValue(ctx, httpExchangeKey{}, x), &metricdata.ResourceMetrics{})
	return c.judge(ctx, x, err)
}

// body returns a request as it is sent.
func (c *httpClient) body(b content) ([]byte, error) {
	raw, err := b.request()
	switch {
	case err != nil || !c.gzip:
		return raw, err
	case b.packed != nil:
		return b.packed, nil
	}
	return compress(raw)
}

// judge decides about an export.
func (c *httpClient) judge(ctx context.Context, x *httpExchange, err error) verdict {
	var v verdict
	switch {
	case !x.reached:
		v = judge(status.FromContextError(err))
	case x.err != nil:
		v = c.noAnswer(ctx, x)
	default:
		v = x.judge()
	}
	v.message = c.redact(v.message)
	return v
}

// noAnswer is the verdict on a request that was not answered, or not in full. Its connection is not used again.
func (c *httpClient) noAnswer(ctx context.Context, x *httpExchange) verdict {
	s := status.New(codes.Unavailable, x.err.Error())
	if ctx.Err() != nil {
		s = status.FromContextError(ctx.Err())
	}
	v := judge(s)
	var local string
	local, v.unanswered = x.progress.get()
	if s.Code() == codes.DeadlineExceeded && local != "" {
		c.connections.breakOff(local, c.timeout)
	}
	c.transport.CloseIdleConnections()
	return v
}

// judge decides by the answer to a request. The retryable codes are those of the OTLP specification, and 401, which is
// what UNAUTHENTICATED is in gRPC: it can be mended at the receiver while the agent runs. 413 is about the size of the request.
func (x *httpExchange) judge() verdict {
	if x.status >= 200 && x.status < 300 {
		var response collector.ExportMetricsServiceResponse // on the wire that of any signal
		if x.inProtobuf() && proto.Unmarshal(x.answer, &response) != nil {
			return verdict{outcome: Accepted, message: "the answer is no protobuf"}
		}
		return accepted(response.GetPartialSuccess().GetRejectedDataPoints(), response.GetPartialSuccess().GetErrorMessage())
	}
	v := verdict{outcome: Rejected, errorType: strconv.Itoa(x.status), message: x.words()}
	switch x.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusUnauthorized:
		v.outcome, v.retryAfter = Deferred, retryAfter(x.header)
		v.unanswered = x.status == http.StatusGatewayTimeout
	case http.StatusRequestEntityTooLarge:
		v.outcome, v.retryAfter = Deferred, retryAfter(x.header)
		v.doubtful, v.tooLarge = true, true
	}
	return v
}

func (x *httpExchange) inProtobuf() bool {
	return strings.HasPrefix(x.header.Get("Content-Type"), protobufType)
}

// words returns what the receiver says about a refusal.
func (x *httpExchange) words() string {
	text := strings.ToValidUTF8(strings.TrimSpace(string(x.answer)), "\uFFFD")
	var status rpcstatus.Status
	if x.inProtobuf() && proto.Unmarshal(x.answer, &status) == nil {
		text = status.GetMessage()
	}
	if x.status >= 300 && x.status < 400 {
		text = "redirects are not followed"
	}
	if text == "" {
		return http.StatusText(x.status)
	}
	return http.StatusText(x.status) + ": " + text
}

// retryAfter returns the delay that the receiver asks for (RFC 9110 10.2.3), or 0.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxThrottle/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// close ends the connections.
func (c *httpClient) close() error {
	c.transport.CloseIdleConnections()
	return c.exporter.Shutdown(context.Background())
}
