package telemetry

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// cut is the end of a session about which there is much to say.
func cut() *session.End {
	return &session.End{
		At: midnight.Add(time.Hour), Cause: session.ByFIN, Reason: reasons.ClosedEarly, ErrorType: reasons.UnexpectedEOF, Code: 1006,
		Connection: "main", Lifetime: time.Hour, IdleIn: 60 * time.Second, IdleOut: 61 * time.Second, LongestIdle: time.Second, SinceWanted: time.Minute,
		InFlight: session.InFlight{Ping: true, Message: true},
		Totals: session.Totals{BytesIn: 1, BytesOut: 2, Messages: 3, Wanted: 2, Pings: 5, Pongs: 4, Beats: 1, Lost: 6, Repeated: 7,
			Disordered: 8},
	}
}

// idleLimit explains it.
func idleLimit() *session.Finding {
	return &session.Finding{Verdict: session.LimitReached, Limit: session.IdleLimit}
}

// moment is an observation of a session at a time.
func moment(p *observed, m metrics.Moment, r probe.Result, at time.Time, s metrics.Session) *metrics.Observation {
	r.Started, r.Ended, s.Moment = midnight, at, m
	return &metrics.Observation{Probe: p.identity, Result: r, Session: &s}
}

// TestRecordsOfASession: an end has one record, at the time of the end and after its explanation; a failed open is a
// run that failed; and the outcome changes when the probe is seen to fail, not with each end.
func TestRecordsOfASession(t *testing.T) {
	b := newBackend(t)
	in := keepRecords(b)
	e := exportTo(t, b.start(t), Options{Logs: true})
	s := e.probe(chat())
	open, at := probe.Result{Opened: true}, midnight.Add(time.Hour)
	closed := mismatched(midnight)
	closed.Reason, closed.ErrorType, closed.Detail = reasons.ClosedEarly, reasons.UnexpectedEOF, ""
	refusal := refused(midnight)
	end, stop := cut(), &session.End{Cause: session.ByStop}
	for _, o := range []*metrics.Observation{
		moment(s, metrics.SessionOpened, open, midnight, metrics.Session{Open: true, OK: true}),
		moment(s, metrics.SessionReported, open, midnight, metrics.Session{Open: true, OK: true}),
		moment(s, metrics.SessionEnded, closed, at, metrics.Session{End: end}),
		moment(s, metrics.SessionExplained, open, at.Add(time.Second), metrics.Session{End: end, Finding: idleLimit()}),
		moment(s, metrics.SessionOpened, open, at.Add(time.Second), metrics.Session{Open: true, OK: true, Downtime: time.Second}),
		moment(s, metrics.SessionEnded, closed, at.Add(time.Minute), metrics.Session{End: end}),
		moment(s, metrics.SessionReported, closed, at.Add(2*time.Minute), metrics.Session{}),
		moment(s, metrics.SessionExplained, refusal, at.Add(3*time.Minute), metrics.Session{End: end, Finding: &session.Finding{Verdict: session.Stopped, Sure: true}}),
		moment(s, metrics.SessionEnded, refusal, at.Add(3*time.Minute), metrics.Session{}),
		moment(s, metrics.SessionOpened, open, at.Add(4*time.Minute), metrics.Session{Open: true, OK: true}),
		moment(s, metrics.SessionEnded, refusal, at.Add(4*time.Minute+time.Second), metrics.Session{Open: true, OK: true}), // a renewal
		moment(s, metrics.SessionEnded, open, at.Add(5*time.Minute), metrics.Session{End: stop}),
		moment(s, metrics.SessionExplained, open, at.Add(5*time.Minute), metrics.Session{End: stop, Finding: &session.Finding{Verdict: session.Planned}}),
	} {
		s.records.Observe(o)
	}
	s.records.Observe(moment(s, metrics.SessionEnded, closed, at.Add(6*time.Minute), metrics.Session{End: end}))
	s.records.Flush()
	s.records.Flush()
	var got []string
	for _, r := range in.await(t, 7) {
		got = append(got, r.Time.Sub(at).String()+" "+r.Event+" "+r.Body)
	}
	e.end(t)
	const said = "chat: session ended: FIN on connection main after 60 s without traffic, lifetime 1h0m0s, in the middle of a message, a Ping unanswered: "
	want := []string{
		"0s wsprobe.session.ended " + said + "perhaps an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it",
		"2m0s wsprobe.outcome.changed chat: probe fails: ws_closed_early (unexpected_eof)",
		"1m0s wsprobe.session.ended " + said + "the server has stopped: nothing listens any more",
		"3m0s wsprobe.run.failed chat: run failed: ws_open_failed (http_403): the server said: secret",
		"4m0s wsprobe.outcome.changed chat: probe recovered",
		"4m1s wsprobe.run.failed chat: run failed: ws_open_failed (http_403): the server said: secret",
		"6m0s wsprobe.session.ended " + strings.TrimSuffix(said, ": "),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
