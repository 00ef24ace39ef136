package telemetry

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// newHTTPBackend is newBackend for OTLP/HTTP.
func newHTTPBackend(t *testing.T) *backend {
	t.Helper()
	b := newBackend(t)
	b.http = true
	return b
}

func TestHTTPCompression(t *testing.T) {
	for _, compression := range []Compression{CompressionGzip, CompressionNone} {
		for _, state := range []string{"at once", "from the queue"} {
			t.Run(string(compression)+" "+state, func(t *testing.T) {
				b := newHTTPBackend(t)
				log := newLogbook()
				e := prepareExport(t, b, Options{Compression: compression, Logger: log.logger()})
				record(e.Probe(chat()), 100)
				if state == "at once" {
					b.start(t)
				}
				e.start(t)
				if state != "at once" {
					log.await(t, "export deferred")
					b.start(t)
				}
				b.await(t, "the runs", runsArrived(100))
				e.end(t)
				b.stop()
				checkRuns(t, b.points, "chat", 100)
				if wire := int(b.wire.Load()); (wire < b.bytes/2) != (compression == CompressionGzip) {
					t.Errorf("%d bytes of requests took %d bytes on the wire", b.bytes, wire)
				}
			})
		}
	}
}

// scripted is a server whose answers a test writes. It goes on to a backend where there is none.
type scripted struct {
	*httptest.Server
	requests atomic.Int64
	answer   func(n int64, w http.ResponseWriter, r *http.Request) bool
}

func newScripted(t *testing.T, b *backend, answer func(n int64, w http.ResponseWriter, r *http.Request) bool) *scripted {
	t.Helper()
	s := &scripted{answer: answer}
	behind := b.receiver.Handler()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.answer(s.requests.Add(1), w, r) {
			behind.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHTTPStatuses(t *testing.T) {
	for code, kept := range map[int]bool{
		429: true, 502: true, 503: true, 504: true, 401: true,
		300: false, 302: false, 307: false, 400: false, 403: false, 404: false, 408: false, 413: true, 500: false, 501: false,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			log := newLogbook()
			b := newHTTPBackend(t)
			s := newScripted(t, b, func(n int64, w http.ResponseWriter, _ *http.Request) bool {
				if n > 1 {
					return false
				}
				w.Header().Set("Location", "http://127.0.0.1:1/")
				http.Error(w, "tenant s3cr3t is not known", code)
				return true
			})
			e := exportTo(t, b, Options{
				Endpoint: s.URL + receiver.MetricsPath, Logger: log.logger(), Headers: map[string]string{"x-tenant": "s3cr3t"},
			})
			record(e.Probe(chat()), 10)
			kind, arrived := requestKind{Deferred, fmt.Sprint(code)}, 10
			if !kept {
				kind.outcome, arrived = Rejected, 0
			}
			b.await(t, "the account", func(points []receiver.Point) bool {
				return account(points, kind) == 1 && runsArrived(arrived)(points)
			})
			e.end(t)
			checkRuns(t, b.points, "chat", arrived)
			want := http.StatusText(code) + ": tenant [redacted] is not known"
			if code/100 == 3 {
				want = "redirects are not followed"
			}
			if !strings.Contains(log.String(), want) || strings.Contains(log.String(), "s3cr3t") {
				t.Errorf("logged, want %s:\n%s", want, log)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "999999999999999": maxThrottle,
		"Thu, 01 Jan 1970 00:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
		if got := retryAfter(http.Header{"Retry-After": {at}}); got != time.Minute {
			t.Errorf("%q: got %v, want a minute", at, got)
		}
	})
}

// TestRedirectsAreNotFollowed has a second server, which must see nothing of the first one's headers.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			log := newLogbook()
			b := newHTTPBackend(t)
			other := newScripted(t, b, func(_ int64, _ http.ResponseWriter, r *http.Request) bool {
				t.Errorf("the other server got %v", r.Header)
				return true
			})
			s := newScripted(t, b, func(_ int64, w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, other.URL, code)
				return true
			})
			e := exportTo(t, b, Options{
				Endpoint: s.URL, Logger: log.logger(), Headers: map[string]string{"authorization": "Bearer s3cr3t"},
			})
			log.await(t, "export rejected")
			e.end(t)
		})
	}
}

func TestHTTPHeaders(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-env=1")
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:1/elsewhere")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
	var got http.Header
	var path string
	b := newHTTPBackend(t)
	s := newScripted(t, b, func(n int64, _ http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			got, path = r.Header.Clone(), r.URL.Path
		}
		return false
	})
	e := exportTo(t, b, Options{
		Endpoint: s.URL + receiver.MetricsPath, Interval: time.Hour, ServiceVersion: "1.2.3",
		Headers: map[string]string{"authorization": "Bearer secret", "X-Tenant": "a b"},
	})
	record(e.Probe(chat()), 10)
	e.end(t)
	checkRuns(t, b.points, "chat", 10)
	for name, want := range map[string]string{
		"Authorization": "Bearer secret", "X-Tenant": "a b", "X-Env": "", "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, got.Get(name), want)
		}
	}
	if agent := got.Get("User-Agent"); !strings.HasPrefix(agent, "wsprobe/1.2.3 OTel-OTLP-Exporter-Go/1.") || path != receiver.MetricsPath {
		t.Errorf("user agent %q, path %s", agent, path)
	}
}

func TestHTTPOverTLS(t *testing.T) {
	pool, cert := certify(t)
	b := newHTTPBackend(t)
	b.receiver.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	b.start(t)
	e := exportTo(t, b, Options{
		Endpoint: "https://" + b.addr + receiver.MetricsPath, Interval: time.Hour,
		TLS: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}},
	})
	record(e.Probe(chat()), 10)
	e.end(t)
	b.stop()
	checkRuns(t, b.points, "chat", 10)
}

func TestHTTPPartialSuccess(t *testing.T) {
	log := newLogbook()
	b := newHTTPBackend(t)
	b.answer(func(_ context.Context, n int) (*receiver.PartialSuccess, error) {
		if n == 0 {
			return &receiver.PartialSuccess{RejectedDataPoints: 7, ErrorMessage: "seven are too old"}, nil
		}
		return nil, nil
	})
	b.start(t)
	e := exportTo(t, b, Options{Logger: log.logger()})
	record(e.Probe(chat()), 10)
	log.await(t, `message="seven are too old" rejected_points=7`)
	b.await(t, "the account", func(points []receiver.Point) bool {
		return total(points, idAgentDropped, map[string]any{"wsprobe.drop.cause": "rejected"}) == 7
	})
	e.end(t)
}

// TestHTTPConnectionThatBreaks has a server that hangs up, or never answers, or answers something else.
func TestHTTPConnectionThatBreaks(t *testing.T) {
	for _, c := range []struct {
		name, errorType string
		script          func(net.Conn)
	}{
		{"hangs up", "UNAVAILABLE", func(net.Conn) {}},
		{"never answers", "DEADLINE_EXCEEDED", func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); waitForEnd(c) }},
		{"speaks something else", "UNAVAILABLE", func(c net.Conn) { fmt.Fprint(c, "220 mail.example.com ESMTP\r\n") }},
		{"breaks off", "UNAVAILABLE", func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go func() { defer conn.Close(); c.script(conn) }()
				}
			}()
			b := newHTTPBackend(t)
			log := newLogbook()
			e := exportTo(t, b, Options{
				Endpoint: "http://" + l.Addr().String(), Timeout: 300 * time.Millisecond, StopBudget: time.Second, Logger: log.logger(),
			})
			log.await(t, "export deferred")
			if h := e.Health(); h.OK || !strings.HasPrefix(h.Detail, c.errorType+": ") {
				t.Errorf("health: %+v, want %s", h, c.errorType)
			}
			e.end(t)
		})
	}
}

// waitForEnd reads until the other side is gone.
func waitForEnd(c net.Conn) {
	buffer := make([]byte, 4096)
	for {
		if _, err := c.Read(buffer); err != nil {
			return
		}
	}
}
