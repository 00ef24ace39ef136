package tracing_test

import (
	"maps"
	"testing"

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

// TestSpansOfARun: the spans of a result, exactly, children first.
func TestSpansOfARun(t *testing.T) {
	quick := map[string]any{"wsprobe.start_delay": 0.0, "wsprobe.lag": 0.0, "wsprobe.local_overload": false}
	refused := failed(reasons.OpenFailed, reasons.HTTPStatus(403), 30*ms, probe.Phases{
		probe.PhaseConnect: ended(0, 10*ms), probe.PhaseUpgrade: broken(10*ms, 30*ms)})
	refused.HTTPStatus, refused.Peer, refused.StartDelay = 403, "[2001:db8::1]:443", 150*ms
	early := failed(reasons.ClosedEarly, reasons.CloseFrame, 60*ms, probe.Phases{
		probe.PhaseConnect: ended(0, 10*ms), probe.PhaseUpgrade: ended(10*ms, 30*ms), probe.PhaseRoundTrip: broken(40*ms, 60*ms),
		probe.PhaseClose: broken(60*ms, 560*ms)})
	early.Opened, early.Handshake, early.TimestampSource, early.CloseCode, early.Unmatched = true, 30*ms, probe.UserTime, 4001, 2
	early.Steps = []probe.Span{ended(30*ms, 40*ms), broken(40*ms, 60*ms), {}}

	for name, c := range map[string]struct {
		result probe.Result
		want   []span
	}{
		"round_trip": {roundTrip(), []span{
			{"dns", "internal", 0, 5 * ms, "Unset", map[string]any{"wsprobe.phase": "dns"}},
			{"connect", "internal", 5 * ms, 20 * ms, "Unset",
				with(ofPeer, map[string]any{"network.transport": "tcp", "wsprobe.phase": "connect"})},
			{"tls", "internal", 20 * ms, 50 * ms, "Unset", map[string]any{
				"server.address": "chat.example.com", "server.port": int64(443), "tls.established": true,
				"tls.protocol.name": "tls", "tls.protocol.version": "1.3", "tls.cipher": "TLS_AES_128_GCM_SHA256",
				"tls.resumed": false, "tls.next_protocol": "http/1.1", "wsprobe.tls.time_left": 3600.0, "wsprobe.phase": "tls"}},
			{"upgrade", "client", 50 * ms, 70 * ms, "Unset", with(ofPeer, ofUpgrade, map[string]any{"http.response.status_code": int64(101)})},
			{"round_trip", "internal", 70 * ms, 100 * ms, "Unset", map[string]any{"wsprobe.phase": "round_trip"}},
			{"close", "internal", 100 * ms, 110 * ms, "Unset", map[string]any{"wsprobe.phase": "close", "wsprobe.close.answered": true}},
			{"probe chat", "client", 0, 110 * ms, "Unset", with(ofProbe, ofPeer, map[string]any{
				"wsprobe.reason": "ok", "wsprobe.handshake_latency": 70.0, "wsprobe.round_trip_latency": 30.0, "wsprobe.clock": "kernel",
				"network.protocol.name": "websocket", "network.protocol.version": "13",
				"wsprobe.subprotocol": "chat.v2", "wsprobe.extensions": "permessage-deflate",
				"wsprobe.start_delay": 2.0, "wsprobe.lag": 0.5, "wsprobe.local_overload": false})},
		}},
		"refused": {refused, []span{
			{"connect", "internal", 0, 10 * ms, "Unset", map[string]any{"network.peer.address": "2001:db8::1",
				"network.peer.port": int64(443), "network.type": "ipv6", "network.transport": "tcp", "wsprobe.phase": "connect"}},
			{"upgrade", "client", 10 * ms, 30 * ms, "Error: what the endpoint did", with(ofUpgrade, map[string]any{
				"network.peer.address": "2001:db8::1", "network.peer.port": int64(443), "network.type": "ipv6",
				"http.response.status_code": int64(403), "error.type": "http_403"})},
			{"probe chat", "client", 0, 30 * ms, "Error: what the endpoint did", with(ofProbe, map[string]any{
				"network.peer.address": "2001:db8::1", "network.peer.port": int64(443), "network.type": "ipv6",
				"wsprobe.reason": "ws_open_failed", "error.type": "http_403",
				"wsprobe.start_delay": 150.0, "wsprobe.lag": 0.0, "wsprobe.local_overload": true})},
		}},
		"no_such_host": {failed(reasons.OpenFailed, reasons.DNSNotFound, 5*ms, probe.Phases{probe.PhaseDNS: broken(0, 5*ms)}), []span{
			{"dns", "internal", 0, 5 * ms, "Error: what the endpoint did", map[string]any{"wsprobe.phase": "dns", "error.type": "dns_not_found"}},
			{"probe chat", "client", 0, 5 * ms, "Error: what the endpoint did",
				with(ofProbe, quick, map[string]any{"wsprobe.reason": "ws_open_failed", "error.type": "dns_not_found"})},
		}},
		"untrusted": {failed(reasons.OpenFailed, reasons.TLSCertificateUntrust, 5*ms, probe.Phases{probe.PhaseTLS: broken(0, 5*ms)}), []span{
			{"tls", "internal", 0, 5 * ms, "Error: what the endpoint did", map[string]any{"server.address": "chat.example.com",
				"server.port": int64(443), "tls.established": false, "wsprobe.phase": "tls", "error.type": "tls_certificate_untrusted"}},
			{"probe chat", "client", 0, 5 * ms, "Error: what the endpoint did",
				with(ofProbe, quick, map[string]any{"wsprobe.reason": "ws_open_failed", "error.type": "tls_certificate_untrusted"})},
		}},
		"credentials": {failed(reasons.OpenFailed, reasons.CredentialsUnreadable, 0, probe.Phases{}), []span{
			{"probe chat", "client", 0, 0, "Error: what the endpoint did",
				with(ofProbe, quick, map[string]any{"wsprobe.reason": "ws_open_failed", "error.type": "credentials_unreadable"})},
		}},
		"exchange": {early, []span{
			{"connect", "internal", 0, 10 * ms, "Unset", map[string]any{"network.transport": "tcp", "wsprobe.phase": "connect"}},
			{"upgrade", "client", 10 * ms, 30 * ms, "Unset", ofUpgrade},
			{"step 1", "internal", 30 * ms, 40 * ms, "Unset", map[string]any{"wsprobe.step": int64(1)}},
			{"step 2", "internal", 40 * ms, 60 * ms, "Error: what the endpoint did",
				map[string]any{"wsprobe.step": int64(2), "wsprobe.phase": "round_trip", "error.type": "close_frame"}},
			{"close", "internal", 60 * ms, 560 * ms, "Unset", map[string]any{"wsprobe.phase": "close", "wsprobe.close.answered": false}},
			{"probe chat", "client", 0, 560 * ms, "Error: what the endpoint did", with(ofProbe, quick, map[string]any{
				"wsprobe.reason": "ws_closed_early", "error.type": "close_frame", "wsprobe.handshake_latency": 30.0, "wsprobe.clock": "user",
				"network.protocol.name": "websocket", "network.protocol.version": "13",
				"wsprobe.close.code": int64(4001), "wsprobe.unmatched_messages": int64(2)})},
		}},
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
