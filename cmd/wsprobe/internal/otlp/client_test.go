package otlp

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// overBoth runs a test over each protocol.
func overBoth(t *testing.T, test func(t *testing.T, p Protocol)) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) { test(t, p) })
	}
}

// encoded returns a message in protobuf.
func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestEverySignalArrives sends a request of each signal over one client.
func TestEverySignalArrives(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		var points receiver.Inbox[receiver.Point]
		var records receiver.Inbox[receiver.Record]
		var spans receiver.Inbox[receiver.Span]
		s := serve(t, p, &receiver.Receiver{Point: points.Add, Record: records.Add, Span: spans.Add})
		c := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "http")})
		for signal, request := range map[Signal][]byte{
			Metrics: numbered(t, 1, 2),
			Logs: encoded(t, &logscollector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
				ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{{EventName: "a"}}}},
			}}}),
			Traces: encoded(t, &tracecollector.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{{
				ScopeSpans: []*traces.ScopeSpans{{Spans: []*traces.Span{{Name: "a"}}}},
			}}}),
		} {
			if a := c.Sender(signal)(t.Context(), request); a != (outbox.Answer{Outcome: outbox.Accepted}) {
				t.Errorf("signal %d: got %+v", signal, a)
			}
		}
		if len(points.All()) != 2 || len(records.All()) != 1 || len(spans.All()) != 1 {
			t.Errorf("%d points, %d records, %d spans arrived", len(points.All()), len(records.All()), len(spans.All()))
		}
	})
}

// TestCompression: the environment, which wants the opposite, has no effect.
func TestCompression(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		for _, c := range []struct {
			compression Compression
			small       bool
		}{{"", true}, {Gzip, true}, {Uncompressed, false}} {
			t.Run("compression "+string(c.compression), func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", map[bool]string{true: "none", false: "gzip"}[c.small])
				s := serve(t, p, &receiver.Receiver{})
				request := numbered(t, make([]float64, 1000)...)
				a := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "http"), Compression: c.compression}).Send(t.Context(), Metrics, request)
				if a.Outcome != outbox.Accepted {
					t.Fatalf("got %+v", a)
				}
				if wire := int(s.wire.Load()); (wire < len(request)/3) != c.small {
					t.Errorf("%d bytes took %d on the wire", len(request), wire)
				}
			})
		}
	})
}

// seen is what a receiver sees of a request besides its body.
type seen struct {
	header map[string]string // by names in lower case
	path   string
}

// watching lets a receiver listen that tells what it sees.
func watching(t *testing.T, p Protocol) (endpoint string, last func() seen) {
	t.Helper()
	var mu sync.Mutex
	var got seen
	note := func(path string, header map[string][]string) {
		mu.Lock()
		defer mu.Unlock()
		got = seen{make(map[string]string), path}
		for name, values := range header {
			got.header[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	last = func() seen {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
	if p == GRPC {
		r := &receiver.Receiver{Answer: func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
			header, _ := metadata.FromIncomingContext(ctx)
			note("", header)
			return nil, nil
		}}
		return serve(t, p, r).endpoint(p, "http"), last
	}
	behind := (&receiver.Receiver{}).Handler()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r.URL.Path, r.Header)
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + receiver.MetricsPath, last
}

// TestHeadersAndUserAgent: every request has the configured headers, and none from the environment.
func TestHeadersAndUserAgent(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		for name, value := range map[string]string{
			"HEADERS": "x-env=1", "METRICS_HEADERS": "x-env=1", "TIMEOUT": "1", "METRICS_TIMEOUT": "1",
			"ENDPOINT": "https://127.0.0.1:1", "METRICS_ENDPOINT": "https://127.0.0.1:1/elsewhere",
			"INSECURE": "false", "METRICS_INSECURE": "false", "COMPRESSION": "none",
		} {
			t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
		}
		for name, headers := range map[string]map[string]string{
			"none": nil, "two": {"Authorization": "Bearer secret", "x-Tenant": "a b"},
		} {
			t.Run(name, func(t *testing.T) {
				endpoint, last := watching(t, p)
				c := clientTo(t, Options{Protocol: p, Endpoint: endpoint, Version: "1.2.3", Headers: headers})
				if a := c.Send(t.Context(), Metrics, numbered(t, 1)); a.Outcome != outbox.Accepted {
					t.Fatalf("got %+v", a)
				}
				got := last()
				want := map[string]string{"x-env": "", "authorization": "", "x-tenant": ""}
				for name, value := range headers {
					want[strings.ToLower(name)] = value
				}
				if p == HTTP {
					want["content-type"], want["content-encoding"] = protobufType, "gzip"
				}
				for name, value := range want {
					if got.header[name] != value {
						t.Errorf("%s is %q, want %q", name, got.header[name], value)
					}
				}
				if agent := got.header["user-agent"]; !strings.HasPrefix(agent, "wsprobe/1.2.3 OTel-OTLP-Exporter-Go/1.") {
					t.Errorf("user agent %q", agent)
				}
				if p == HTTP && got.path != receiver.MetricsPath {
					t.Errorf("path %q", got.path)
				}
			})
		}
	})
}

// TestTLS: both sides show a certificate.
func TestTLS(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		pool, cert := certify(t)
		var client string
		s := serve(t, p, &receiver.Receiver{
			TLS: &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool},
			Answer: func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
				if from, ok := peer.FromContext(ctx); ok {
					client = from.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].Subject.CommonName
				}
				return nil, nil
			},
		})
		known := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}
		if a := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "https"), TLS: known}).Send(t.Context(), Metrics, numbered(t, 1)); a.Outcome != outbox.Accepted {
			t.Errorf("got %+v", a)
		}
		if p == GRPC && client != "wsprobe test" { // over HTTP the listener has let nobody else in
			t.Errorf("the receiver saw the client %q", client)
		}
		other, _ := certify(t)
		stranger := &tls.Config{RootCAs: other, Certificates: []tls.Certificate{cert}}
		a := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "https"), TLS: stranger}).Send(t.Context(), Metrics, numbered(t, 1))
		if a.Outcome != outbox.Deferred || !strings.Contains(a.Message, "certificate") {
			t.Errorf("from a receiver that is not trusted: got %+v", a)
		}
	})
}

// TestPartialSuccess: the number and the words of what a receiver left out come back, of each signal that has them.
func TestPartialSuccess(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		s := serve(t, p, &receiver.Receiver{
			Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
				return &receiver.PartialSuccess{RejectedDataPoints: 7, ErrorMessage: "seven are too old"}, nil
			},
			AnswerTraces: func(context.Context, *receiver.TraceRequest) (*receiver.TracePartialSuccess, error) {
				return &receiver.TracePartialSuccess{ErrorMessage: "a remark"}, nil
			},
		})
		c := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "http")})
		want := outbox.Answer{Outcome: outbox.Partial, Rejected: 7, Message: "seven are too old"}
		if a := c.Send(t.Context(), Metrics, numbered(t, 1)); a != want {
			t.Errorf("got %+v, want %+v", a, want)
		}
		want = outbox.Answer{Outcome: outbox.Accepted, Message: "a remark"}
		if a := c.Send(t.Context(), Traces, nil); a != want {
			t.Errorf("got %+v, want %+v", a, want)
		}
	})
}

// TestSecretsAreNotTold has a receiver that quotes the headers.
func TestSecretsAreNotTold(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		s := serve(t, p, &receiver.Receiver{Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
			return nil, status.Error(codes.Unauthenticated, `token "s3cr3t" of "Bearer s3cr3t" is not known to tenant acme`)
		}})
		headers := map[string]string{"authorization": "Bearer s3cr3t", "x-tenant": "acme"}
		a := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "http"), Headers: headers}).Send(t.Context(), Metrics, numbered(t, 1))
		const want = `token "[redacted]" of "Bearer [redacted]" is not known to tenant [redacted]`
		if a.Outcome != outbox.Deferred || !strings.HasSuffix(a.Message, want) {
			t.Errorf("got %+v, want %s", a, want)
		}
	})
}

// TestEndedContext: a request after the end of its context was not sent, and can be tried again.
func TestEndedContext(t *testing.T) {
	overBoth(t, func(t *testing.T, p Protocol) {
		s := serve(t, p, &receiver.Receiver{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a := clientTo(t, Options{Protocol: p, Endpoint: s.endpoint(p, "http")}).Send(ctx, Metrics, numbered(t, 1))
		if a.Outcome != outbox.Deferred || a.ErrorType != "CANCELLED" || a.Unanswered {
			t.Errorf("got %+v", a)
		}
	})
}
