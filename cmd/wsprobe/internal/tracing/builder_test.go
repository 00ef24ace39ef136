package tracing_test

import (
	"maps"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// The attributes that every span of a kind bears in these tests.
var (
	ofProbe = map[string]any{
		"team": "chat", "wsprobe.name": "chat", "wsprobe.interpretation": "round_trip_latency",
		"server.address": "chat.example.com", "server.port": int64(443), "url.scheme": "wss", "url.path": "/socket",
		"url.full": "wss://chat.example.com/socket", "network.transport": "tcp",
	}
	ofPeer    = map[string]any{"network.peer.address": "192.0.2.7", "network.peer.port": int64(443), "network.type": "ipv4"}
	ofUpgrade = map[string]any{
		"http.request.method": "GET", "url.full": "wss://chat.example.com/socket", "url.scheme": "wss",
		"server.address": "chat.example.com", "server.port": int64(443),
		"network.transport": "tcp", "network.protocol.name": "http", "network.protocol.version": "1.1",
		"wsprobe.phase": "upgrade",
	}
)

// with joins attributes.
func with(all ...map[string]any) map[string]any {
	joined := make(map[string]any)
	for _, a := range all {
		maps.Copy(joined, a)
	}
	return joined
}

// Spans of these tests: one that went well, and one whose end is that of the run.
func fine(name, kind string, from, to time.Duration, attributes ...map[string]any) span {
	return span{name, kind, from, to, "Unset", with(attributes...)}
}

func fatal(name, kind string, from, to time.Duration, attributes ...map[string]any) span {
	return span{name, kind, from, to, "Error: what the endpoint did", with(attributes...)}
}

// of is one attribute.
func of(key string, value any) map[string]any { return map[string]any{key: value} }

// phase and broke say which phase a span is, and the error that ended it.
func phase(name string) map[string]any            { return of("wsprobe.phase", name) }
func broke(kind reasons.ErrorType) map[string]any { return of("error.type", string(kind)) }

// quick is the punctuality of a run that began on time.
var quick = map[string]any{"wsprobe.start_delay": 0.0, "wsprobe.lag": 0.0, "wsprobe.local_overload": false}

// story is a result with its spans, children first.
type story struct {
	result probe.Result
	want   []span
}

func wholeRun() story {
	secured := map[string]any{
		"server.address": "chat.example.com", "server.port": int64(443), "tls.established": true,
		"tls.protocol.name": "tls", "tls.protocol.version": "1.3", "tls.cipher": "TLS_AES_128_GCM_SHA256",
		"tls.resumed": false, "tls.next_protocol": "http/1.1", "wsprobe.tls.time_left": 3600.0,
	}
	measured := map[string]any{
		"wsprobe.reason": "ok", "wsprobe.handshake_latency": 70.0, "wsprobe.round_trip_latency": 30.0,
		"wsprobe.clock": "kernel", "network.protocol.name": "websocket", "network.protocol.version": "13",
		"wsprobe.subprotocol": "chat.v2", "wsprobe.extensions": "permessage-deflate",
		"wsprobe.start_delay": 2.0, "wsprobe.lag": 0.5, "wsprobe.local_overload": false,
	}
	return story{roundTrip(), []span{
		fine("dns", "internal", 0, 5*ms, phase("dns")),
		fine("connect", "internal", 5*ms, 20*ms, phase("connect"), ofPeer, of("network.transport", "tcp")),
		fine("tls", "internal", 20*ms, 50*ms, phase("tls"), secured),
		fine("upgrade", "client", 50*ms, 70*ms, ofPeer, ofUpgrade, of("http.response.status_code", int64(101))),
		fine("round_trip", "internal", 70*ms, 100*ms, phase("round_trip")),
		fine("close", "internal", 100*ms, 110*ms, phase("close"), of("wsprobe.close.answered", true)),
		fine("probe chat", "client", 0, 110*ms, ofProbe, ofPeer, measured),
	}}
}

func refusedRun() story {
	r := failed(reasons.OpenFailed, reasons.HTTPStatus(403), 30*ms, probe.Phases{
		probe.PhaseConnect: ended(0, 10*ms), probe.PhaseUpgrade: broken(10*ms, 30*ms),
	})
	r.HTTPStatus, r.Peer, r.StartDelay = 403, "[2001:db8::1]:443", 150*ms
	peer := map[string]any{
		"network.peer.address": "2001:db8::1", "network.peer.port": int64(443), "network.type": "ipv6",
	}
	late := map[string]any{"wsprobe.start_delay": 150.0, "wsprobe.lag": 0.0, "wsprobe.local_overload": true}
	return story{r, []span{
		fine("connect", "internal", 0, 10*ms, phase("connect"), peer, of("network.transport", "tcp")),
		fatal("upgrade", "client", 10*ms, 30*ms, ofUpgrade, peer, of("http.response.status_code", int64(403)), broke("http_403")),
		fatal("probe chat", "client", 0, 30*ms, ofProbe, peer, late, of("wsprobe.reason", "ws_open_failed"), broke("http_403")),
	}}
}

func brokenExchange() story {
	r := failed(reasons.ClosedEarly, reasons.CloseFrame, 60*ms, probe.Phases{
		probe.PhaseConnect: ended(0, 10*ms), probe.PhaseUpgrade: ended(10*ms, 30*ms),
		probe.PhaseRoundTrip: broken(40*ms, 60*ms), probe.PhaseClose: broken(60*ms, 560*ms),
	})
	r.Opened, r.Handshake, r.TimestampSource, r.CloseCode, r.Unmatched = true, 30*ms, probe.UserTime, 4001, 2
	r.Steps = []probe.Span{ended(30*ms, 40*ms), broken(40*ms, 60*ms), {}}
	measured := map[string]any{
		"wsprobe.reason": "ws_closed_early", "wsprobe.handshake_latency": 30.0, "wsprobe.clock": "user",
		"network.protocol.name": "websocket", "network.protocol.version": "13",
		"wsprobe.close.code": int64(4001), "wsprobe.unmatched_messages": int64(2),
	}
	return story{r, []span{
		fine("connect", "internal", 0, 10*ms, phase("connect"), of("network.transport", "tcp")),
		fine("upgrade", "client", 10*ms, 30*ms, ofUpgrade),
		fine("step 1", "internal", 30*ms, 40*ms, of("wsprobe.step", int64(1))),
		fatal("step 2", "internal", 40*ms, 60*ms, phase("round_trip"), of("wsprobe.step", int64(2)), broke("close_frame")),
		fine("close", "internal", 60*ms, 560*ms, phase("close"), of("wsprobe.close.answered", false)),
		fatal("probe chat", "client", 0, 560*ms, ofProbe, quick, measured, broke("close_frame")),
	}}
}

// unopened is a run that failed in 5 ms or less, with the spans of its phases.
func unopened(kind reasons.ErrorType, took time.Duration, phases probe.Phases, children ...span) story {
	run := fatal("probe chat", "client", 0, took, ofProbe, quick, of("wsprobe.reason", "ws_open_failed"), broke(kind))
	return story{failed(reasons.OpenFailed, kind, took, phases), append(children, run)}
}

// TestSpansOfARun: the spans of a result, exactly, children first.
func TestSpansOfARun(t *testing.T) {
	for name, c := range map[string]story{
		"round_trip": wholeRun(),
		"refused":    refusedRun(),
		"exchange":   brokenExchange(),
		"no_such_host": unopened(reasons.DNSNotFound, 5*ms, probe.Phases{probe.PhaseDNS: broken(0, 5*ms)},
			fatal("dns", "internal", 0, 5*ms, phase("dns"), broke(reasons.DNSNotFound))),
		"untrusted": unopened(reasons.TLSCertificateUntrust, 5*ms, probe.Phases{probe.PhaseTLS: broken(0, 5*ms)},
			fatal("tls", "internal", 0, 5*ms, phase("tls"), broke(reasons.TLSCertificateUntrust), map[string]any{
				"server.address": "chat.example.com", "server.port": int64(443), "tls.established": false,
			})),
		"credentials": unopened(reasons.CredentialsUnreadable, 0, probe.Phases{}),
	} {
		t.Run(name, func(t *testing.T) {
			got := builder().Spans(chat, c.result)
			if len(got) != len(c.want) {
				t.Fatalf("%d spans, want %d", len(got), len(c.want))
			}
			if n := tracing.Count(c.result); n != len(got) {
				t.Errorf("Count says %d, and %d are made", n, len(got))
			}
			for i, want := range c.want {
				want.check(t, got[i])
			}
			checkTree(t, got, c.result.Trace)
		})
	}
}

// checkTree holds that spans have the ids that were drawn before the run, and lie in that of the run.
func checkTree(t *testing.T, spans []sdktrace.ReadOnlySpan, drawn probe.Trace) {
	t.Helper()
	run := spans[len(spans)-1]
	if run.SpanContext().SpanID() != drawn.Run || run.Parent().SpanID().IsValid() {
		t.Errorf("the run's span is %v in %v, want %x and no parent", run.SpanContext().SpanID(), run.Parent().SpanID(), drawn.Run)
	}
	ids := make(map[oteltrace.SpanID]bool)
	for _, s := range spans {
		sc := s.SpanContext()
		if sc.TraceID() != drawn.ID || sc.IsSampled() != drawn.Sampled || ids[sc.SpanID()] || !sc.SpanID().IsValid() {
			t.Errorf("%s: got trace %v, span %v, sampled %v", s.Name(), sc.TraceID(), sc.SpanID(), sc.IsSampled())
		}
		ids[sc.SpanID()] = true
		if s.Name() == "upgrade" && sc.SpanID() != drawn.Upgrade {
			t.Errorf("the upgrade's span is %v, want %x", sc.SpanID(), drawn.Upgrade)
		}
		if s != run && s.Parent().SpanID() != drawn.Run {
			t.Errorf("%s: the parent is %v, want the run", s.Name(), s.Parent().SpanID())
		}
		if s.StartTime().Before(run.StartTime()) || s.EndTime().After(run.EndTime()) || s.EndTime().Before(s.StartTime()) {
			t.Errorf("%s: %v to %v is not within the run", s.Name(), s.StartTime(), s.EndTime())
		}
	}
}

// TestURLOfASpan: as people write it, without the default port.
func TestURLOfASpan(t *testing.T) {
	for _, c := range []struct {
		scheme, host string
		port         int
		want         string
	}{
		{"ws", "example.com", 80, "ws://example.com/x"},
		{"ws", "example.com", 443, "ws://example.com:443/x"},
		{"wss", "example.com", 443, "wss://example.com/x"},
		{"wss", "::1", 443, "wss://[::1]/x"},
		{"ws", "::1", 8080, "ws://[::1]:8080/x"},
	} {
		probed := target(c.scheme, c.host, c.port)
		spans := builder().Spans(probed, failed(reasons.OpenFailed, reasons.DNSNotFound, 0, probe.Phases{}))
		if got := attributes(spans[0])["url.full"]; got != c.want {
			t.Errorf("got %v, want %s", got, c.want)
		}
	}
}
