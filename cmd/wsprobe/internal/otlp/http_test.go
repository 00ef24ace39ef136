package otlp

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

func TestHTTPStatuses(t *testing.T) {
	for code, kept := range map[int]bool{
		429: true, 502: true, 503: true, 504: true, 401: true,
		300: false, 302: false, 307: false, 400: false, 403: false, 404: false, 408: false, 413: true, 500: false, 501: false,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.Header().Set("Retry-After", "7")
				http.Error(w, "tenant s3cr3t is not known", code)
			}))
			defer s.Close()
			c := clientTo(t, Options{Protocol: HTTP, Endpoint: s.URL + receiver.MetricsPath, Headers: map[string]string{"x-tenant": "s3cr3t"}})
			a := c.Send(t.Context(), Metrics, numbered(t, 1))
			want := outbox.Answer{Outcome: outbox.Rejected, ErrorType: fmt.Sprint(code), Message: http.StatusText(code) + ": tenant [redacted] is not known"}
			if kept {
				want.Outcome, want.RetryAfter = outbox.Deferred, 7*time.Second
			}
			if code/100 == 3 {
				want.Message = http.StatusText(code) + ": redirects are not followed"
			}
			want.Unanswered, want.Doubtful, want.TooLarge = code == 504, code == 413, code == 413
			if a != want {
				t.Errorf("got %+v, want %+v", a, want)
			}
		})
	}
}

// TestRedirectsAreNotFollowed has a second server, which must see nothing of the first one's headers.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("the other server got %v", r.Header)
			}))
			defer other.Close()
			s := httptest.NewServer(http.RedirectHandler(other.URL, code))
			defer s.Close()
			c := clientTo(t, Options{Protocol: HTTP, Endpoint: s.URL, Headers: map[string]string{"authorization": "Bearer s3cr3t"}})
			if a := c.Send(t.Context(), Metrics, numbered(t, 1)); a.Outcome != outbox.Rejected {
				t.Errorf("got %+v", a)
			}
		})
	}
}

// TestHTTPConnectionThatBreaks has a server that hangs up, or never answers, or answers something else.
func TestHTTPConnectionThatBreaks(t *testing.T) {
	for _, c := range []struct {
		name, errorType string
		timeout         time.Duration
		script          func(net.Conn)
	}{
		{"hangs up", "UNAVAILABLE", patience, func(net.Conn) {}},
		{"never answers", "DEADLINE_EXCEEDED", 300 * time.Millisecond, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); waitForEnd(c) }},
		{"speaks something else", "UNAVAILABLE", patience, func(c net.Conn) { fmt.Fprint(c, "220 mail.example.com ESMTP\r\n") }},
		{"breaks off", "UNAVAILABLE", patience, func(c net.Conn) {
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
			client := clientTo(t, Options{Protocol: HTTP, Endpoint: "http://" + l.Addr().String(), Timeout: c.timeout})
			a := client.Send(t.Context(), Metrics, numbered(t, 1))
			if a.Outcome != outbox.Deferred || a.ErrorType != c.errorType || strings.Contains(a.Message, "Post") {
				t.Errorf("got %+v, want %s", a, c.errorType)
			}
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

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "999999999999999": outbox.MaxThrottle,
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

func TestSignalPath(t *testing.T) {
	for metrics, want := range map[string]string{
		"/v1/metrics": "/v1/logs", "": "/v1/logs", "/": "/v1/logs", "/api/v1/otlp/v1/metrics": "/api/v1/otlp/v1/logs",
		"/ingest": "/ingest/v1/logs", "v1/metrics": "/v1/logs",
	} {
		if got := signalPath(metrics, "logs"); got != want {
			t.Errorf("%q: %q, want %q", metrics, got, want)
		}
	}
}
