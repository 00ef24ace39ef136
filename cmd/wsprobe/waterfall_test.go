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
	return config.Probe{Name: "chat", Spec: probe.Spec{
		Opening: probe.Opening{URL: "wss://chat.example.com/socket?token=hunter2"}, Interpretation: in,
	}}
}

// story is a run that a golden file of testdata/waterfall shows.
type story struct {
	in         probe.Interpretation
	phases     []step       // one after another
	steps      []probe.Span // of an exchange, the second of which is measured
	thresholds bool         // the probe has some
	more       func(*probe.Result)
}

// tell makes the probe and the result of a story.
func (s story) tell() (config.Probe, probe.Result) {
	p := chat(s.in)
	if s.thresholds {
		p.Health.Thresholds = health.Thresholds{
			Healthy:   health.Condition{Operator: health.Below, Bound: 30},
			Unhealthy: health.Condition{Operator: health.Above, Bound: 1000},
		}
	}
	if s.steps != nil {
		exchange := []probe.Step{
			{Expect: new("")}, {Send: new("a"), Expect: new("b"), Measure: true}, {Send: new("c"), Expect: new("d")},
		}
		p.Spec.Exchange = exchange[:len(s.steps)]
	}
	return p, ran(func(r *probe.Result) {
		r.Steps = s.steps
		for _, span := range s.steps {
			r.Ended = began.Add(max(r.Ended.Sub(began), span.End))
		}
		if s.more != nil {
			s.more(r)
		}
	}, s.phases...)
}

// ended and broken are phases that take a time.
func ended(phase probe.Phase, took time.Duration) step  { return step{phase, took, probe.SpanEnded} }
func broken(phase probe.Phase, took time.Duration) step { return step{phase, took, probe.SpanBroken} }

var (
	replied = ended(probe.PhaseRoundTrip, 12_345*us)
	closed  = ended(probe.PhaseClose, 800*us)
)

// waterfalls are the stories of testdata/waterfall by the names of their files.
func waterfalls() map[string]func() (config.Probe, probe.Result) {
	shows := make(map[string]func() (config.Probe, probe.Result))
	for _, stories := range []map[string]story{goodStories(), openStories(), replyStories()} {
		for name, s := range stories {
			shows[name] = s.tell
		}
	}
	return shows
}

func goodStories() map[string]story {
	return map[string]story{
		"ok_round_trip": {in: probe.RoundTripLatency, phases: opening(replied, closed), more: func(r *probe.Result) {
			r.Subprotocol, r.CertificateExpiry = "chat.v2", began.AddDate(0, 0, 43)
		}},
		"ok_handshake":          {in: probe.HandshakeLatency, phases: opening(closed)},
		"ok_connection_success": {in: probe.ConnectionSuccess, phases: opening(closed)},
		"ok_degraded":           {in: probe.HandshakeLatency, phases: opening(closed), thresholds: true},
		"ok_unhealthy": {in: probe.HandshakeLatency, thresholds: true,
			phases: []step{ended(probe.PhaseConnect, 1800*ms), ended(probe.PhaseUpgrade, 1*ms), closed}},
		"ok_close_unanswered": {in: probe.HandshakeLatency, phases: opening(broken(probe.PhaseClose, 500*ms))},
		"ok_very_long": {in: probe.RoundTripLatency, phases: []step{ended(probe.PhaseConnect, 9_999_999*us),
			ended(probe.PhaseUpgrade, 1*us), ended(probe.PhaseRoundTrip, 20*time.Second), closed}},
		"ok_exchange": {
			in:     probe.RoundTripLatency,
			phases: opening(),
			steps: []probe.Span{
				{Start: 38 * ms, End: 58 * ms, State: probe.SpanEnded},
				{Start: 58 * ms, End: 70_345 * us, State: probe.SpanEnded},
			},
			more: func(r *probe.Result) { r.Replied, r.RoundTrip = true, 12_345*us },
		},
		"ok_listened_first": {in: probe.RoundTripLatency, phases: opening(replied, closed), more: func(r *probe.Result) {
			for _, phase := range []probe.Phase{probe.PhaseRoundTrip, probe.PhaseClose} {
				r.Phases[phase].Start += 10 * ms
				r.Phases[phase].End += 10 * ms
			}
		}},
		"ok_no_time_at_all": {in: probe.HandshakeLatency,
			phases: []step{ended(probe.PhaseConnect, 0), ended(probe.PhaseUpgrade, 0), ended(probe.PhaseClose, 0)}},
		"ok_certificate_ends": {in: probe.HandshakeLatency, phases: opening(closed),
			more: func(r *probe.Result) { r.CertificateExpiry = began.Add(90 * time.Minute) }},
	}
}

// openStories are runs whose socket did not open.
func openStories() map[string]story {
	return map[string]story{
		"ws_open_failed": {
			in:     probe.HandshakeLatency,
			phases: append(opening()[:3], broken(probe.PhaseUpgrade, 7*ms)),
			more: func(r *probe.Result) {
				failed(reasons.OpenFailed, "http_403", "the server answered 403 Forbidden instead of 101")(r)
				r.HTTPStatus, r.Body = 403, `{"error":"origin not allowed"}\n`
			},
		},
		"ws_open_failed_at_once": {
			in:     probe.ConnectionSuccess,
			phases: []step{broken(probe.PhaseConnect, 0)},
			more: func(r *probe.Result) {
				failed(reasons.OpenFailed, reasons.ConnectionRefused, "dial tcp 192.0.2.7:443: connect: connection refused")(r)
				r.Peer = ""
			},
		},
		"ws_open_failed_expired": {
			in:     probe.HandshakeLatency,
			phases: append(opening()[:2], broken(probe.PhaseTLS, 7*ms)),
			more: func(r *probe.Result) {
				failed(reasons.OpenFailed, reasons.TLSCertificateExpired,
					"tls: failed to verify certificate: x509: certificate has expired")(r)
				r.CertificateExpiry = began.AddDate(0, 0, -12)
			},
		},
		"ws_handshake_timeout": {
			in:     probe.HandshakeLatency,
			phases: []step{ended(probe.PhaseConnect, 8*ms), broken(probe.PhaseTLS, 9992*ms)},
			more:   failed(reasons.HandshakeTimeout, reasons.TLSTimeout, "nothing within 10s: waiting for the TLS handshake"),
		},
	}
}

// replyStories are runs whose reply did not come.
func replyStories() map[string]story {
	late := opening(broken(probe.PhaseRoundTrip, 1962*ms), closed)
	cut := opening(broken(probe.PhaseRoundTrip, 3*ms), closed)
	return map[string]story{
		"ws_reply_timeout": {in: probe.RoundTripLatency, phases: late,
			more: failed(reasons.ReplyTimeout, reasons.ReplyTimedOut, "nothing within 2s: waiting for the reply")},
		"ws_reply_timeout_exchange": {
			in:     probe.RoundTripLatency,
			phases: opening(),
			steps: []probe.Span{
				{Start: 38 * ms, End: 58 * ms, State: probe.SpanEnded},
				{Start: 58 * ms, End: 2058 * ms, State: probe.SpanBroken},
				{},
			},
			more: failed(reasons.ReplyTimeout, reasons.ReplyTimedOut, "step 2 of 3: nothing within 2s: waiting for the reply"),
		},
		"ws_closed_early": {in: probe.RoundTripLatency, phases: cut, more: func(r *probe.Result) {
			failed(reasons.ClosedEarly, reasons.CloseFrame, `close frame 1008 "token expired" before the reply`)(r)
			r.CloseCode, r.CloseReason = 1008, "token expired"
		}},
		"ws_closed_early_by_the_probe": {in: probe.RoundTripLatency, phases: cut, more: func(r *probe.Result) {
			failed(reasons.ClosedEarly, reasons.ProtocolError, "text message is not valid UTF-8 (RFC 6455 8.1)")(r)
			r.CloseCode, r.CloseByProbe = 1007, true
		}},
		"ws_closed_early_without_a_frame": {
			in:     probe.RoundTripLatency,
			phases: opening(broken(probe.PhaseRoundTrip, 3*ms), broken(probe.PhaseClose, 0)),
			more: func(r *probe.Result) {
				failed(reasons.ClosedEarly, reasons.UnexpectedEOF,
					"connection ended without a close frame before the reply: EOF")(r)
				r.CloseCode = 1006
			},
		},
		"ws_reply_mismatch": {in: probe.RoundTripLatency, phases: late, more: func(r *probe.Result) {
			failed(reasons.ReplyMismatch, reasons.ReplyMismatched, "3 messages came within 2s and none of them matched")(r)
			r.Unmatched, r.LastReply = 3, `{"op":"error","text":"`+strings.Repeat("a long story ", 8)+`"}`
		}},
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
