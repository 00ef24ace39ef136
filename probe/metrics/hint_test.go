package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestHintOnAServerThatHangs: Pings that were answered before say that the server can.
func TestHintOnAServerThatHangs(t *testing.T) {
	s := metrics.Session{End: &session.End{Cause: session.ByPing, Reason: reasons.ReplyTimeout, ErrorType: reasons.PongTimeout,
		Totals: session.Totals{Pings: 8, Pongs: 7}}}
	if got := s.Hint(nil); !strings.HasPrefix(got, "earlier Pings were answered") {
		t.Errorf("got %q", got)
	}
}

// TestHintOnSilence: an end after silence is none right after the open.
func TestHintOnSilence(t *testing.T) {
	s := metrics.Session{End: &session.End{Cause: session.ByFIN, Reason: reasons.ClosedEarly, ErrorType: reasons.UnexpectedEOF, IdleOut: time.Minute},
		Finding: &session.Finding{Verdict: session.Unknown}}
	if got := s.Hint(nil); !strings.HasPrefix(got, "nothing had been sent for a while") {
		t.Errorf("got %q", got)
	}
}

// TestHintNamesTheHeartbeat: the message of a session is that of its heartbeat.
func TestHintNamesTheHeartbeat(t *testing.T) {
	s := metrics.Session{End: &session.End{Cause: session.ByHeartbeat, Reason: reasons.ReplyTimeout, ErrorType: reasons.ReplyTimedOutPong}}
	if got := s.Hint(nil); !strings.Contains(got, " heartbeat.send,") {
		t.Errorf("got %q", got)
	}
}

// TestHintOnAnEnd: what explains itself has its hint at once, and a bare end waits for the next open.
func TestHintOnAnEnd(t *testing.T) {
	for _, c := range []struct {
		cause     session.Cause
		reason    reasons.Code
		errorType reasons.ErrorType
		code      int
		verdict   session.Verdict // of the finding; empty before there is one
		want      string          // begins so; empty for no hint
	}{
		{session.ByFIN, reasons.ClosedEarly, reasons.UnexpectedEOF, 1006, "", ""},
		{session.ByFIN, reasons.ClosedEarly, reasons.UnexpectedEOF, 1006, session.Stopped, "the server has stopped"},
		{session.ByReset, reasons.ClosedEarly, reasons.ConnectionReset, 1006, "", ""},
		{session.ByClose, reasons.ClosedEarly, reasons.CloseFrame, 4001, "", ""},
		{session.ByClose, reasons.ClosedEarly, reasons.CloseFrame, 4001, session.Unknown, "the code is the application's own"},
		{session.ByClose, reasons.ClosedEarly, reasons.CloseFrame, 1012, session.Drained, "the server said that it goes"},
		{session.BySilence, reasons.ReplyTimeout, reasons.Stale, 1000, "", "the socket lives and the subscription is silent"},
		{session.BySilence, reasons.ReplyTimeout, reasons.Stale, 1000, session.Mute, "the socket lives and the subscription is silent"},
		{session.BySilence, reasons.ReplyTimeout, reasons.Stale, 1000, session.BackendGone, "the back end is gone"},
		{session.ByPing, reasons.ReplyTimeout, reasons.PongTimeout, 1000, session.Mute, "the server does not answer Ping frames"},
		{session.ByHeartbeat, reasons.ReplyTimeout, reasons.ReplyTimedOut, 1000, session.Mute, "the application did not answer in time"},
		{session.ByWrite, reasons.ReplyTimeout, reasons.WriteTimeout, 1006, session.Mute, "the server does not read"},
		{session.ByBreach, reasons.ClosedEarly, reasons.ProtocolError, 1002, "", "the server, or something in between, breaks RFC 6455"},
		{session.ByMemory, reasons.ReplyTimeout, reasons.LocalResources, 1009, "", "look at the agent's own machine"},
		{session.ByNetwork, reasons.ClosedEarly, reasons.ConnectionFailed, 1006, session.Broken, "the connection broke on the way"},
	} {
		s := metrics.Session{End: &session.End{Cause: c.cause, Reason: c.reason, ErrorType: c.errorType, Code: c.code}}
		if c.verdict != "" {
			s.Finding = &session.Finding{Verdict: c.verdict, Sure: true}
		}
		got := s.Hint(nil)
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s, %s: %q, want %q", c.cause, c.verdict, got, c.want)
		}
	}
}
