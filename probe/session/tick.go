package session

import (
	"math"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// never is later than every due time.
const never = time.Duration(math.MaxInt64)

// deadline is the next time at which a session that hears nothing ends, and the cause.
func (m *machine) deadline() (time.Duration, Cause) {
	at, cause := never, Cause("")
	sooner := func(t time.Duration, c Cause) {
		if t < at {
			at, cause = t, c
		}
	}
	spec := &m.plan.spec
	if m.pinging {
		sooner(m.pingAt+spec.PingTimeout, ByPing)
	}
	sooner(m.beatDeadline(), ByHeartbeat)
	if spec.MaxSilence > 0 {
		sooner(m.lastWanted+spec.MaxSilence, BySilence)
	}
	if spec.MaxLifetime > 0 && !m.due {
		sooner(spec.MaxLifetime, ByLifetime)
	}
	return at, cause
}

// next is when tick is to be called, unless something comes before. It is zero if there is no such time.
func (m *machine) next() time.Time {
	at := never
	switch m.state {
	case closing, ending:
		at = m.until
	case open:
		at, _ = m.deadline()
		if m.plan.spec.PingInterval > 0 && !m.pinging {
			at = min(at, m.pingDue)
		}
		if m.plan.spec.Heartbeat != nil && !m.beating {
			at = min(at, m.beatDue)
		}
		if t := m.underway(); t != nil && (t.due(int(m.number)) || t.over() && m.number == 0) {
			at = min(at, m.since(t.begun))
		}
	}
	if at == never {
		return time.Time{}
	}
	return m.opened.Add(at)
}

// expires reports whether a tick at a time can end something for want of an answer, so that what came is fed before.
func (m *machine) expires(at time.Time) bool {
	if m.state != open {
		return true
	}
	due, _ := m.deadline()
	return due <= m.since(at)
}

// tick does what is due. A call before next does nothing. Everything that came until heard was fed, which is before the
// present if more of it waits: no wait ends because of what has come, but nobody has read.
func (m *machine) tick(w *work, at, heard time.Time) {
	now := m.begin(w, heard)
	for m.state == open {
		m.endBeat(w) // which may have ended on another connection
		m.excuse(at)
		due, cause := m.deadline()
		if due > now {
			m.sendDue(w, m.begin(w, at), now)
			return
		}
		if cause == ByHeartbeat && m.unheard(due) {
			continue
		}
		m.expire(w, cause, now)
	}
	if m.state != done && now >= m.until {
		m.finish(w, false)
	}
}

// expire takes the end of a wait.
func (m *machine) expire(w *work, cause Cause, now time.Duration) {
	switch {
	case cause == ByPing && m.alive:
		m.pinging = false
		m.tell(w, Event{Kind: Unanswered})
		return
	case cause == ByLifetime && m.plan.spec.Renew == RenewBefore:
		m.due = true
		m.tell(w, Event{Kind: RenewalDue})
		return
	}
	end := m.end(cause, now)
	switch spec := &m.plan.spec; cause {
	case ByPing:
		end.Detail = say.Sentence("no Pong came within %v of the Ping", spec.PingTimeout)
	case ByHeartbeat:
		end.Detail = say.Sentence("%sno answer came within %v of the heartbeat", say.Own(m.step()), spec.Heartbeat.Timeout)
		if m.beatPong {
			end.ErrorType = reasons.ReplyTimedOutPong
		}
	case BySilence:
		end.Detail = say.Sentence("no wanted message came for %v", spec.MaxSilence)
	}
	m.giveUp(w, end, frame.CloseNormal, now)
}
