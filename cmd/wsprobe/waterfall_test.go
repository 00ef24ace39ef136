package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// began is when every run of these tests started.
var began = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// step is a phase that takes so long and ends so.
type step struct {
	phase probe.Phase
	took  time.Duration
	state probe.SpanState
}

// ran makes a result of phases that follow each other; change adds what they do not tell.
func ran(change func(*probe.Result), steps ...step) probe.Result {
	r := probe.Result{Started: began, Peer: "192.0.2.7:443"}
	at := time.Duration(0)
	for _, s := range steps {
		r.Phases[s.phase] = probe.Span{Start: at, End: at + s.took, State: s.state}
		at += s.took
		if s.phase != probe.PhaseClose {
			r.Ended = began.Add(at)
		}
		if s.phase == probe.PhaseUpgrade && s.state == probe.SpanEnded {
			r.Opened, r.Handshake, r.HTTPStatus = true, at, 101
		}
		if s.phase == probe.PhaseRoundTrip && s.state == probe.SpanEnded {
			r.Replied, r.RoundTrip = true, s.took
		}
	}
	change(&r)
	return r
}

const (
	us = time.Microsecond
	ms = time.Millisecond
)

// opening are the phases of a wss:// handshake.
func opening(more ...step) []step {
	return append([]step{
		{probe.PhaseDNS, 1203 * us, probe.SpanEnded},
		{probe.PhaseConnect, 8873 * us, probe.SpanEnded},
		{probe.PhaseTLS, 18_104 * us, probe.SpanEnded},
		{probe.PhaseUpgrade, 9220 * us, probe.SpanEnded},
	}, more...)
}

// failed notes why a run failed.
func failed(code reasons.Code, kind reasons.ErrorType, detail string) func(*probe.Result) {
	return func(r *probe.Result) { r.Reason, r.ErrorType, r.Detail = code, kind, detail }
}

func chat(in probe.Interpretation) config.Probe {
	return config.Probe{Name: "chat", Spec: probe.Spec{Opening: probe.Opening{URL: "wss://chat.example.com/socket?token=hunter2"}, Interpretation: in}}
}

// exchanged is a run with an exchange, the second step of which is measured.
func exchanged(change func(*probe.Result), steps ...probe.Span) func() (config.Probe, probe.Result) {
	return func() (config.Probe, probe.Result) {
		p := chat(probe.RoundTripLatency)
		p.Spec.Exchange = []probe.Step{{Expect: new("")}, {Send: new("a"), Expect: new("b"), Measure: true}, {Send: new("c"), Expect: new("d")}}[:len(steps)]
		return p, ran(func(r *probe.Result) {
			r.Steps = steps
			for _, span := range steps {
				r.Ended = began.Add(max(r.Ended.Sub(began), span.End))
			}
			change(r)
		}, opening()...)
	}
}

// judged gives a probe thresholds.
func judged(show func() (config.Probe, probe.Result)) func() (config.Probe, probe.Result) {
	return func() (config.Probe, probe.Result) {
		p, r := show()
		p.Health.Thresholds = health.Thresholds{
			Healthy: health.Condition{Operator: health.Below, Bound: 30}, Unhealthy: health.Condition{Operator: health.Above, Bound: 1000},
		}
		return p, r
	}
}

// waterfalls are what the golden files of testdata/waterfall show.
func waterfalls() map[string]func() (config.Probe, probe.Result) {
	type show = func() (config.Probe, probe.Result)
	of := func(in probe.Interpretation, change func(*probe.Result), steps ...step) show {
		return func() (config.Probe, probe.Result) { return chat(in), ran(change, steps...) }
	}
	fine := func(*probe.Result) {}
	closed := step{probe.PhaseClose, 800 * us, probe.SpanEnded}
	broken := func(p probe.Phase, took time.Duration) step { return step{p, took, probe.SpanBroken} }
	return map[string]show{
		"ok_round_trip": of(probe.RoundTripLatency, func(r *probe.Result) {
			r.Subprotocol, r.CertificateExpiry = "chat.v2", began.AddDate(0, 0, 43)
		},
			opening(step{probe.PhaseRoundTrip, 12_345 * us, probe.SpanEnded}, closed)...),
		"ok_handshake":          of(probe.HandshakeLatency, fine, opening(closed)...),
		"ok_connection_success": of(probe.ConnectionSuccess, fine, opening(closed)...),
		"ok_degraded":           judged(of(probe.HandshakeLatency, fine, opening(closed)...)),
		"ok_unhealthy": judged(of(probe.HandshakeLatency, fine, step{probe.PhaseConnect, 1800 * ms, probe.SpanEnded},
			step{probe.PhaseUpgrade, 1 * ms, probe.SpanEnded}, closed)),
		"ok_close_unanswered": of(probe.HandshakeLatency, fine, opening(broken(probe.PhaseClose, 500*ms))...),
		"ok_very_long": of(probe.RoundTripLatency, fine, step{probe.PhaseConnect, 9_999_999 * us, probe.SpanEnded},
			step{probe.PhaseUpgrade, 1 * us, probe.SpanEnded}, step{probe.PhaseRoundTrip, 20 * time.Second, probe.SpanEnded}, closed),
		"ok_exchange": exchanged(func(r *probe.Result) { r.Replied, r.RoundTrip = true, 12_345*us },
			probe.Span{Start: 38 * ms, End: 58 * ms, State: probe.SpanEnded}, probe.Span{Start: 58 * ms, End: 70_345 * us, State: probe.SpanEnded}),
		"ws_reply_timeout_exchange": exchanged(failed(reasons.ReplyTimeout, reasons.ReplyTimedOut, "step 2 of 3: nothing within 2s: waiting for the reply"),
			probe.Span{Start: 38 * ms, End: 58 * ms, State: probe.SpanEnded}, probe.Span{Start: 58 * ms, End: 2058 * ms, State: probe.SpanBroken}, probe.Span{}),
		"ok_listened_first": of(probe.RoundTripLatency, func(r *probe.Result) {
			for _, phase := range []probe.Phase{probe.PhaseRoundTrip, probe.PhaseClose} {
				r.Phases[phase].Start += 10 * ms
				r.Phases[phase].End += 10 * ms
			}
		}, opening(step{probe.PhaseRoundTrip, 12_345 * us, probe.SpanEnded}, closed)...),
		"ok_no_time_at_all": of(probe.HandshakeLatency, fine, step{probe.PhaseConnect, 0, probe.SpanEnded},
			step{probe.PhaseUpgrade, 0, probe.SpanEnded}, step{probe.PhaseClose, 0, probe.SpanEnded}),
		"ws_open_failed": of(probe.HandshakeLatency, func(r *probe.Result) {
			failed(reasons.OpenFailed, "http_403", "the server answered 403 Forbidden instead of 101")(r)
			r.HTTPStatus, r.Body = 403, `{"error":"origin not allowed"}\n`
		}, append(opening()[:3], broken(probe.PhaseUpgrade, 7*ms))...),
		"ws_open_failed_at_once": of(probe.ConnectionSuccess, func(r *probe.Result) {
			failed(reasons.OpenFailed, reasons.ConnectionRefused, "dial tcp 192.0.2.7:443: connect: connection refused")(r)
			r.Peer = ""
		}, broken(probe.PhaseConnect, 0)),
		"ok_certificate_ends": of(probe.HandshakeLatency, func(r *probe.Result) { r.CertificateExpiry = began.Add(90 * time.Minute) },
			opening(closed)...),
		"ws_open_failed_expired": of(probe.HandshakeLatency, func(r *probe.Result) {
			failed(reasons.OpenFailed, reasons.TLSCertificateExpired, "tls: failed to verify certificate: x509: certificate has expired")(r)
			r.CertificateExpiry = began.AddDate(0, 0, -12)
		}, append(opening()[:2], broken(probe.PhaseTLS, 7*ms))...),
		"ws_handshake_timeout": of(probe.HandshakeLatency,
			failed(reasons.HandshakeTimeout, reasons.TLSTimeout, "nothing within 10s: waiting for the TLS handshake"),
			step{probe.PhaseConnect, 8 * ms, probe.SpanEnded}, broken(probe.PhaseTLS, 9992*ms)),
		"ws_reply_timeout": of(probe.RoundTripLatency,
			failed(reasons.ReplyTimeout, reasons.ReplyTimedOut, "nothing within 2s: waiting for the reply"),
			opening(broken(probe.PhaseRoundTrip, 1962*ms), closed)...),
		"ws_closed_early": of(probe.RoundTripLatency, func(r *probe.Result) {
			failed(reasons.ClosedEarly, reasons.CloseFrame, `close frame 1008 "token expired" before the reply`)(r)
			r.CloseCode, r.CloseReason = 1008, "token expired"
		}, opening(broken(probe.PhaseRoundTrip, 3*ms), closed)...),
		"ws_closed_early_by_the_probe": of(probe.RoundTripLatency, func(r *probe.Result) {
			failed(reasons.ClosedEarly, reasons.ProtocolError, "text message is not valid UTF-8 (RFC 6455 8.1)")(r)
			r.CloseCode, r.CloseByProbe = 1007, true
		}, opening(broken(probe.PhaseRoundTrip, 3*ms), closed)...),
		"ws_closed_early_without_a_frame": of(probe.RoundTripLatency, func(r *probe.Result) {
			failed(reasons.ClosedEarly, reasons.UnexpectedEOF, "connection ended without a close frame before the reply: EOF")(r)
			r.CloseCode = 1006
		}, opening(broken(probe.PhaseRoundTrip, 3*ms), broken(probe.PhaseClose, 0))...),
		"ws_reply_mismatch": of(probe.RoundTripLatency, func(r *probe.Result) {
			failed(reasons.ReplyMismatch, reasons.ReplyMismatched, "3 messages came within 2s and none of them matched")(r)
			r.Unmatched, r.LastReply = 3, `{"op":"error","text":"`+strings.Repeat("a long story ", 8)+`"}`
		}, opening(broken(probe.PhaseRoundTrip, 1962*ms), closed)...),
	}
}

// TestWaterfall compares with testdata/waterfall, which go test ./cmd/wsprobe -update writes.
func TestWaterfall(t *testing.T) {
	for name, show := range waterfalls() {
		t.Run(name, func(t *testing.T) {
			p, r := show()
			got := (&textDisplay{}).waterfall(shot{probe: p, result: r, watch: &probe.Watch{}})
			golden(t, name, got)
			checkLayout(t, r, got)
		})
	}
}

// checkLayout holds for every waterfall: it fits a terminal, hides secrets and marks what failed.
func checkLayout(t *testing.T, r probe.Result, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Error("the query string is shown")
	}
	if shown := strings.Contains(text, "failed here"); shown != (r.Reason != reasons.OK) {
		t.Errorf("a phase is marked as failed: %v", shown)
	}
}
