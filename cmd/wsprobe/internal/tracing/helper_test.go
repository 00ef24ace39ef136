package tracing_test

import (
	"crypto/tls"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

const ms = time.Millisecond

// start is when every run of these tests starts.
var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// chat are the attributes of a probe.
var chat = []metrics.Attribute{
	slog.String("team", "chat"),
	slog.String("url.full", "a label must not hide what is measured"),
	slog.String("wsprobe.name", "chat"),
	slog.String("wsprobe.interpretation", "round_trip_latency"),
	slog.String("server.address", "chat.example.com"),
	slog.Int("server.port", 443),
	slog.String("url.scheme", "wss"),
	slog.String("url.path", "/socket"),
}

// target are the attributes of a probe that say where it goes.
func target(scheme, host string, port int) []metrics.Attribute {
	return []metrics.Attribute{slog.String("url.scheme", scheme), slog.String("server.address", host),
		slog.Int("server.port", port), slog.String("url.path", "/x")}
}

// trace is the trace that a run is in.
func trace(sampled bool) probe.Trace {
	return probe.Trace{ID: [16]byte{15: 1}, Run: [8]byte{7: 2}, Upgrade: [8]byte{7: 3}, Sampled: sampled}
}

func ended(from, to time.Duration) probe.Span {
	return probe.Span{Start: from, End: to, State: probe.SpanEnded}
}

func broken(from, to time.Duration) probe.Span {
	return probe.Span{Start: from, End: to, State: probe.SpanBroken}
}

// roundTrip is a run of which everything was measured.
func roundTrip() probe.Result {
	return probe.Result{
		Started: start, Ended: start.Add(100 * ms), Trace: trace(true),
		Opened: true, Handshake: 70 * ms, Replied: true, RoundTrip: 30 * ms, TimestampSource: probe.KernelTime,
		StartDelay: 2 * ms, Lag: time.Millisecond / 2,
		Phases: probe.Phases{
			probe.PhaseDNS: ended(0, 5*ms), probe.PhaseConnect: ended(5*ms, 20*ms), probe.PhaseTLS: ended(20*ms, 50*ms),
			probe.PhaseUpgrade: ended(50*ms, 70*ms), probe.PhaseRoundTrip: ended(70*ms, 100*ms), probe.PhaseClose: ended(100*ms, 110*ms),
		},
		Peer: "192.0.2.7:443", HTTPStatus: 101, Subprotocol: "chat.v2", Extensions: "permessage-deflate",
		TLSVersion: tls.VersionTLS13, TLSCipher: tls.TLS_AES_128_GCM_SHA256, ALPN: "http/1.1",
		CertificateExpiry: start.Add(time.Hour + 100*ms),
	}
}

// failed is a run that failed at a time.
func failed(reason reasons.Code, broke reasons.ErrorType, at time.Duration, phases probe.Phases) probe.Result {
	return probe.Result{Started: start, Ended: start.Add(at), Trace: trace(false), Reason: reason, ErrorType: broke,
		Detail: "what the endpoint did", Phases: phases}
}

// builder makes spans of a resource and a scope that no test looks at.
func builder() *tracing.Builder {
	return tracing.NewBuilder(resource.Empty(), instrumentation.Scope{Name: "wsprobe"})
}

// span is what a test expects of a span, times as offsets from the start of the run.
type span struct {
	name, kind string
	from, to   time.Duration
	status     string // "Unset", or "Error: description"
	attributes map[string]any
}

func attributes(s sdktrace.ReadOnlySpan) map[string]any {
	all := make(map[string]any)
	for _, kv := range s.Attributes() {
		all[string(kv.Key)] = kv.Value.AsInterface()
	}
	return all
}

// check compares a span with what is expected of it.
func (want span) check(t *testing.T, s sdktrace.ReadOnlySpan) {
	t.Helper()
	status := s.Status().Code.String()
	if text := s.Status().Description; text != "" {
		status += ": " + text
	}
	got := span{name: s.Name(), kind: s.SpanKind().String(), from: s.StartTime().Sub(start), to: s.EndTime().Sub(start), status: status}
	if got.name != want.name || got.kind != want.kind || got.from != want.from || got.to != want.to || got.status != want.status {
		t.Errorf("got %q (%s) from %v to %v, %s\nwant %q (%s) from %v to %v, %s", got.name, got.kind, got.from, got.to, got.status,
			want.name, want.kind, want.from, want.to, want.status)
	}
	if got := attributes(s); !maps.Equal(got, want.attributes) {
		for _, key := range slices.Sorted(maps.Keys(union(got, want.attributes))) {
			if got[key] != want.attributes[key] {
				t.Errorf("%s: %s: got %v, want %v", want.name, key, got[key], want.attributes[key])
			}
		}
	}
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
