package agent

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// held is the session of a probe that holds one, and what is known of it. The lock of its member guards it.
type held struct {
	session *session.Session
	end     func() // ends it
	beats   bool   // it has a heartbeat, which is its round trip then
	waits   bool   // it waits for messages

	open    []opening     // the sessions that are open, the oldest first: two while one is renewed
	last    *probe.Result // of the last session that is over, or open that failed
	down    bool          // the last one did not end on purpose, and none has opened since
	owes    session.Cause // what the last session failed to do, if this one has not done it yet
	message time.Time     // when the last wanted message came, or else of the open
	heard   bool          // a wanted message has come
}

// opening is what is kept of the open of a session.
type opening struct {
	brief     *status.Brief
	whole     *probe.Result // if it does not fit into a brief, or has a trace
	roundTrip time.Duration
	replied   bool
}

func newOpening(r *probe.Result) opening {
	if b, fits := status.NewBrief(r); fits && r.Trace.IsZero() { // one that is not sampled is exported if the session fails
		return opening{brief: b}
	}
	return opening{whole: r}
}

func (o *opening) result() probe.Result {
	if o.brief != nil {
		return o.brief.Result()
	}
	return *o.whole
}

func newHeld(s *session.Session, spec *session.Spec) *held {
	return &held{session: s, beats: spec.Heartbeat != nil,
		waits: spec.MaxSilence > 0 || spec.Sequence != "" || spec.SentAt != "" ||
			spec.Expect != "" || spec.ExpectPattern != "" || len(spec.ExpectJSON) > 0}
}

// happened takes an event of the session.
func (m *member) happened(e session.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left {
		return
	}
	m.series.Note(&e, m.held.beats)
	m.traces.Note(&e)
	m.entry.Note(&e)
	m.watch.Note(&e)
	if moment, told := m.held.take(&e); told {
		m.tellMoment(e.At, moment)
	}
}

// report tells how the session is, at each interval. Before the first open has succeeded or failed nothing is known, and
// a session that is being renewed is told by its next open.
func (m *member) report(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h := m.held; !m.left && (len(h.open) > 0 || h.down) {
		m.tellMoment(now, metrics.Session{Moment: metrics.SessionReported})
	}
}

// tellMoment tells every sink of a moment. The caller holds the lock.
func (m *member) tellMoment(at time.Time, s metrics.Session) {
	m.tellAll(m.observation(at, &s))
}

// observation completes a moment, and says what a run would say.
func (m *member) observation(at time.Time, s *metrics.Session) *metrics.Observation {
	s.Open = len(m.held.open) > 0
	s.OK = s.Open && m.held.owes == ""
	s.MessageAge, s.Aged = at.Sub(m.held.message), s.Open && (m.held.waits || m.held.heard)
	return &metrics.Observation{Probe: m.identity, Result: m.held.result(at, s), Session: s}
}

// take follows an event. It returns the moment that the event is, if it is one.
func (h *held) take(e *session.Event) (metrics.Session, bool) {
	switch e.Kind {
	case session.Opened:
		h.opened(e)
		return metrics.Session{Moment: metrics.SessionOpened, Downtime: e.Downtime}, true
	case session.OpenFailed:
		h.last, h.down = e.Open, true
		return metrics.Session{Moment: metrics.SessionEnded, Wait: e.Wait}, true
	case session.Ponged:
		h.did(session.ByPing)
		return metrics.Session{Moment: metrics.SessionAnswered}, !h.beats && h.answered(e.RTT)
	case session.Beat:
		h.did(session.ByPing, session.ByHeartbeat)
		return metrics.Session{Moment: metrics.SessionAnswered}, h.answered(e.RTT)
	case session.Received:
		if e.Message.Wanted {
			h.did(session.BySilence)
			h.message, h.heard = e.At, true
		}
	case session.Ended:
		h.ended(e.End)
		return metrics.Session{Moment: metrics.SessionEnded, End: e.End, Wait: e.Wait}, true
	case session.Explained:
		return metrics.Session{Moment: metrics.SessionExplained, End: e.End, Finding: e.Finding}, true
	}
	return metrics.Session{}, false
}

// did notes that the session has done what an earlier one failed to do.
func (h *held) did(these ...session.Cause) {
	for _, cause := range these {
		if h.owes == cause {
			h.owes = ""
		}
	}
}

// opened notes an open. A renewal goes on with the round trip of the session before.
func (h *held) opened(e *session.Event) {
	next := newOpening(e.Open)
	if n := len(h.open); n > 0 {
		next.roundTrip, next.replied = h.open[n-1].roundTrip, h.open[n-1].replied
	}
	h.open = append(h.open, next)
	h.down, h.message, h.heard = false, e.At, false
}

// answered notes a round trip. There is none to tell while no session is open.
func (h *held) answered(rtt time.Duration) bool {
	n := len(h.open)
	if n > 0 {
		h.open[n-1].roundTrip, h.open[n-1].replied = rtt, true
	}
	return n > 0
}

// ended notes the end of the oldest session.
func (h *held) ended(end *session.End) {
	last := h.open[0].result()
	h.open = slices.Delete(h.open, 0, 1)
	last.Reason, last.ErrorType, last.Detail = end.Reason, end.ErrorType, end.String()
	last.Opened, last.Replied = len(h.open) > 0, false
	last.CloseReason, last.Lag = end.CloseReason, end.Lag
	switch end.Cause {
	case session.ByClose, session.ByFIN, session.ByReset, session.ByNetwork:
		last.CloseCode = end.Code
	case session.ByBreach, session.ByMemory:
		last.CloseCode, last.CloseByProbe = end.Code, true
	}
	last.Started, last.Ended, h.last = onClock(end.At, last.Started), end.At, &last
	if h.down = !end.Cause.Planned() && len(h.open) == 0; !h.down {
		return
	}
	switch end.Cause {
	case session.ByPing, session.ByHeartbeat, session.BySilence:
		h.owes = end.Cause
	}
}

// result is what a run would say at this time.
func (h *held) result(at time.Time, s *metrics.Session) probe.Result {
	n := len(h.open)
	if n == 0 || s.Moment == metrics.SessionEnded || s.Moment == metrics.SessionExplained {
		r := *h.last
		if s.Moment == metrics.SessionReported {
			r.Ended = at
		}
		return r
	}
	r := h.open[n-1].result()
	r.RoundTrip, r.Replied = h.open[n-1].roundTrip, h.open[n-1].replied
	if s.Moment != metrics.SessionOpened {
		r.Started, r.Ended = onClock(at, r.Started), at
	}
	return r
}

// onClock returns an earlier time on the wall clock of a later one, which may have been set meanwhile.
func onClock(later, earlier time.Time) time.Time { return later.Add(-later.Sub(earlier)) }

// judged reports whether the thresholds of a probe judge a moment: not one that tells nothing new, nor a session that
// has just opened and whose first round trip is under way.
func judged(o *metrics.Observation) bool {
	s := o.Session
	switch {
	case s == nil:
		return true
	case s.Moment == metrics.SessionExplained, s.Moment == metrics.SessionEnded && (s.Open || s.Planned()):
		return false
	case s.OK && !o.Result.Replied:
		return o.Probe.Target().Interpretation != probe.RoundTripLatency
	default:
		return true
	}
}
