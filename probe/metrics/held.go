package metrics

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/session"
)

// held counts what happens in the sessions of a probe.
type held struct {
	ends                   []ended
	downtime, reopen, ping Values // in s, s, ms
	unanswered             int64
	messages               *messages // nil before the first one
}

// messages counts those of sessions. Many sessions have none.
type messages struct {
	size, gap, delay Values // in bytes, s, s
	wanted, other    int64
	lost, repeated   int64
	disordered, late int64
}

// ended is the sessions that ended in one way, and their lifetimes.
type ended struct {
	cause     session.Cause
	code      string
	sessions  int64
	lifetimes Values
}

// Note counts what happens in a held session, also between the moments that are observed. Beats says that the session
// has a heartbeat: its Pongs are then no round trips.
func (s *Series) Note(e *session.Event, beats bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.counted(func(t *tally, f Forms) {
		if t.held == nil {
			t.held = &held{}
		}
		t.held.note(f, e, beats)
	})
}

func (h *held) note(f Forms, e *session.Event, beats bool) {
	switch e.Kind {
	case session.Ponged:
		if beats {
			h.ping.Observe(f, latencyBounds, probe.Millis(e.RTT))
		}
	case session.Unanswered:
		h.unanswered++
	case session.Received:
		if h.messages == nil {
			h.messages = &messages{}
		}
		h.messages.received(f, &e.Message)
	case session.Opened:
		if e.Downtime > 0 {
			h.downtime.Observe(f, downtimeBounds, e.Downtime.Seconds())
			h.reopen.Observe(f, reopenBounds, e.Open.Ended.Sub(e.Open.Started).Seconds())
		}
	case session.Ended:
		h.end(f, e.End)
	}
}

func (h *messages) received(f Forms, m *session.Message) {
	h.size.Observe(f, sizeBounds, float64(m.Size))
	if !m.Wanted {
		h.other++
		return
	}
	h.wanted++
	h.gap.Observe(f, messageBounds, m.Gap.Seconds())
	if m.Dated {
		h.delay.Observe(f, messageBounds, max(m.Age, 0).Seconds())
	}
	h.lost += m.Lost
	if m.Repeated {
		h.repeated++
	}
	if m.Late {
		h.late++
	}
	if m.Disordered {
		h.disordered++
	}
}

func (h *held) end(f Forms, e *session.End) {
	if e.Cause == session.ByPing {
		h.unanswered++
	}
	code := CloseCode(e.Code)
	way := slices.IndexFunc(h.ends, func(known ended) bool { return known.cause == e.Cause && known.code == code })
	if way < 0 {
		way = len(h.ends)
		h.ends = append(h.ends, ended{cause: e.Cause, code: code})
	}
	h.ends[way].sessions++
	h.ends[way].lifetimes.Observe(f, lifetimeBounds, e.Lifetime.Seconds())
}

// samples returns the totals as they are now.
func (h *held) samples() []Sample {
	if h == nil {
		return nil
	}
	var r Reading
	for m := SessionDuration; m < IDs; m++ {
		h.read(m, &r)
	}
	return r.samples
}

// read adds the totals of one metric. A count of nothing is told, because a back end then sees the first increase.
func (h *held) read(metric ID, r *Reading) {
	if h == nil {
		return
	}
	m := h.messages
	if m == nil {
		m = &messages{}
	}
	switch metric {
	case SessionDuration:
		for i := range h.ends {
			e := &h.ends[i]
			spread(r, metric, Variant{SessionEnd: string(e.cause), CloseCode: e.code}, &e.lifetimes, lifetimeBounds, nil)
		}
	case SessionEnds:
		for i := range h.ends {
			e := &h.ends[i]
			r.count(metric, Variant{SessionEnd: string(e.cause), CloseCode: e.code}, e.sessions)
		}
	case SessionDowntime:
		spread(r, metric, Variant{}, &h.downtime, downtimeBounds, nil)
	case SessionReopenDuration:
		spread(r, metric, Variant{}, &h.reopen, reopenBounds, nil)
	case SessionPingDuration:
		spread(r, metric, Variant{}, &h.ping, latencyBounds, nil)
	case SessionMessageSize:
		spread(r, metric, Variant{}, &m.size, sizeBounds, nil)
	case SessionMessageGap:
		spread(r, metric, Variant{}, &m.gap, messageBounds, nil)
	case SessionMessageDelay:
		spread(r, metric, Variant{}, &m.delay, messageBounds, nil)
	case SessionPingUnanswered:
		r.count(metric, Variant{}, h.unanswered)
	case SessionMessageReceived:
		r.count(metric, Variant{Message: "wanted"}, m.wanted)
		r.count(metric, Variant{Message: "other"}, m.other)
	case SessionMessageLost:
		r.count(metric, Variant{}, m.lost)
	case SessionMessageRepeated:
		r.count(metric, Variant{}, m.repeated)
	case SessionMessageDisordered:
		r.count(metric, Variant{}, m.disordered)
	case SessionMessageLate:
		r.count(metric, Variant{}, m.late)
	}
}

// RecordSession counts a moment of a held session and returns its numbers. It reports false for one without numbers: an
// end on purpose, since the next open follows, and an explanation. As with [Series.Record], moments come in order of
// time.
func (s *Series) RecordSession(o *Observation) (Run, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	r, at := &o.Result, o.Session
	run := Run{Started: r.Started.Round(0), Ended: r.Ended.Round(0), Reason: r.Reason, Opened: at.Open, Live: at.Open, OK: at.OK, Status: o.Health.Status}
	run.has(HasStatus, o.Health.Status != health.Unknown)
	switch at.Moment {
	case SessionOpened:
		s.counted(func(t *tally, f Forms) { t.handshake.Observe(f, latencyBounds, probe.Millis(r.Handshake)) })
		run.Handshake, run.Phases = r.Handshake, r.Phases
		run.Has |= hasConnection | hasLive | hasHandshake | phasesOf(r)
		run.Keeps = hasRoundTrip | hasMessageAge | HasStatus | hasSuccess
		run.certify(r)
	case SessionAnswered:
		s.counted(func(t *tally, f Forms) { t.roundTrip.Observe(f, latencyBounds, probe.Millis(r.RoundTrip)) })
		run.RoundTrip, run.Has, run.Keeps = r.RoundTrip, run.Has|hasRoundTrip, ^Measured(0)
	case SessionReported:
		s.active = time.Now()
		if s.streak++; at.OK || o.Maintained {
			s.streak = 0
		}
		run.MessageAge, run.Has = at.MessageAge, run.Has|hasConnection|hasSuccess|hasLive
		run.has(hasMessageAge, at.Aged)
		if run.Keeps = HasStatus; at.Open {
			run.Keeps = ^Measured(0)
			run.certify(r)
		}
	case SessionEnded:
		s.counted(func(t *tally, _ Forms) { t.outcomes[t.outcome(r.Reason, r.ErrorType)].Runs++ })
		if s.keep.Exemplars && r.Traced() {
			s.note(&probe.Result{Ended: r.Ended, Reason: r.Reason, ErrorType: r.ErrorType, Trace: r.Trace})
		}
		if at.Open || at.Planned() { // another one is open, or will be at once
			return Run{}, false
		}
		run.Has, run.Keeps = run.Has|hasConnection|hasLive, HasStatus|hasSuccess
		if at.End == nil { // the open that failed had phases of its own
			run.Phases, run.Has = r.Phases, run.Has|phasesOf(r)
			run.certify(r)
		}
	default:
		return Run{}, false
	}
	run.Streak = s.streak
	if run.Keeps |= HasMaintenance; o.Maintained {
		run.Has, run.Keeps = run.Has&^hasSuccess, run.Keeps&^(HasStatus|hasSuccess)
	}
	s.keepLast(run)
	return run, true
}
