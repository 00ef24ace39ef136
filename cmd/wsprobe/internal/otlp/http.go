package otlp

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

const (
	protobufType = "application/x-protobuf"
	// maxAnswer bounds the bytes that are read of an answer.
	maxAnswer = 64 << 10
	// connectTimeout bounds an attempt to connect, which goes on when its request has been given up.
	connectTimeout = 10 * time.Second
)

// httpCaller makes requests over HTTP with protobuf.
type httpCaller struct {
	transport   *http.Transport
	connections *connections
	urls        [3]string // by signal
	header      http.Header
	timeout     time.Duration
	gzip        bool
	redact      func(string) string
}

func newHTTPCaller(o Options) (*httpCaller, error) {
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	c := &httpCaller{
		connections: &connections{}, header: o.httpHeader(), timeout: o.Timeout, gzip: o.Compression == Gzip,
		redact: newRedactor(o.Headers, target.Path),
	}
	for s, path := range [...]string{
		Metrics: "/" + strings.TrimPrefix(target.Path, "/"),
		Logs:    signalPath(target.Path, "logs"),
		Traces:  signalPath(target.Path, "traces"),
	} {
		c.urls[s] = (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: path}).String()
	}
	c.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         c.connections.dialing((&net.Dialer{Timeout: connectTimeout}).DialContext),
		TLSHandshakeTimeout: connectTimeout,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	if o.TLS != nil {
		c.transport.TLSClientConfig = o.TLS.Clone()
	}
	return c, nil
}

// httpHeader returns the header fields of every request.
func (o Options) httpHeader() http.Header {
	header := make(http.Header)
	header.Set("User-Agent", o.userAgent())
	for name, value := range o.Headers {
		header.Set(name, value)
	}
	header.Set("Content-Type", protobufType)
	if o.Compression == Gzip {
		header.Set("Content-Encoding", "gzip")
	}
	return header
}

// signalPath returns the path of another signal, from the path of metrics (OTLP specification, OTLP/HTTP request). A
// path without /v1/metrics at its end stands for the whole receiver.
func signalPath(metrics, signal string) string {
	base := "/" + strings.Trim(metrics, "/")
	return strings.TrimSuffix(strings.TrimSuffix(base, metricsPath), "/") + "/v1/" + signal
}

// call makes one attempt to deliver a request.
func (c *httpCaller) call(ctx context.Context, s Signal, request []byte) outbox.Answer {
	a := c.post(ctx, c.urls[s], request)
	a.Message = c.redact(a.Message)
	return a
}

func (c *httpCaller) post(ctx context.Context, url string, request []byte) outbox.Answer {
	body, err := c.body(request)
	if err != nil {
		return outbox.Answer{Outcome: outbox.Rejected, ErrorType: "INTERNAL", Message: err.Error()}
	}
	var p progress
	r, err := http.NewRequestWithContext(p.watched(ctx), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return outbox.Answer{Outcome: outbox.Rejected, ErrorType: "INTERNAL", Message: err.Error()}
	}
	r.Header = c.header.Clone()
	// Without a http.Client, which would follow redirects, and so take the headers and their secrets to another host.
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return c.noAnswer(ctx, &p, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil && response.StatusCode < 300 {
		return c.noAnswer(ctx, &p, err) // the missing part says whether it was accepted, and how much of it
	}
	return ofHTTP(response, text)
}

// body returns a request as it is sent.
func (c *httpCaller) body(request []byte) ([]byte, error) {
	if !c.gzip {
		return request, nil
	}
	return outbox.Pack(request)
}

// noAnswer returns the answer to a request that had none, or not a whole one. Its connection is not used again.
func (c *httpCaller) noAnswer(ctx context.Context, p *progress, err error) outbox.Answer {
	s := status.New(codes.Unavailable, err.Error())
	if ctx.Err() != nil {
		s = status.FromContextError(ctx.Err())
	}
	a := ofStatus(s)
	var local string
	local, a.Unanswered = p.get()
	if s.Code() == codes.DeadlineExceeded && local != "" {
		c.connections.breakOff(local, c.timeout)
	}
	c.transport.CloseIdleConnections()
	return a
}

// ofHTTP decides by the answer to a request. The retryable codes are those of the OTLP specification, and 401, which is
// UNAUTHENTICATED in gRPC: it can be mended at the receiver while the agent runs. 413 is about the size of the request.
func ofHTTP(response *http.Response, text []byte) outbox.Answer {
	code, protobuf := response.StatusCode, strings.HasPrefix(response.Header.Get("Content-Type"), protobufType)
	if code >= 200 && code < 300 {
		if !protobuf {
			return outbox.Answer{Outcome: outbox.Accepted}
		}
		return accepted(text)
	}
	a := outbox.Answer{Outcome: outbox.Rejected, ErrorType: strconv.Itoa(code), Message: words(code, text, protobuf)}
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusUnauthorized:
		a.Outcome, a.RetryAfter = outbox.Deferred, retryAfter(response.Header)
		a.Unanswered = code == http.StatusGatewayTimeout
	case http.StatusRequestEntityTooLarge:
		a.Outcome, a.RetryAfter = outbox.Deferred, retryAfter(response.Header)
		a.Doubtful, a.TooLarge = true, true
	}
	return a
}

// words returns the receiver's words about a refusal.
func words(code int, answer []byte, protobuf bool) string {
	text := strings.ToValidUTF8(strings.TrimSpace(string(answer)), "\uFFFD")
	var status rpcstatus.Status
	if protobuf && proto.Unmarshal(answer, &status) == nil {
		text = status.GetMessage()
	}
	if code >= 300 && code < 400 {
		text = "redirects are not followed"
	}
	if text == "" {
		return http.StatusText(code)
	}
	return http.StatusText(code) + ": " + text
}

// retryAfter returns the delay that the receiver asks for (RFC 9110 10.2.3), or 0.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(outbox.MaxThrottle/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

func (c *httpCaller) close() error {
	c.transport.CloseIdleConnections()
	return nil
}
