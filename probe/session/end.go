package session

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// end describes an end that is now. Its time is that of the call. An end of the connection can have come before our last
// word, which did not know of it.
func (m *machine) end(cause Cause, now time.Duration) *End {
	lastOut := m.lastOut
	if lastOut > now {
		lastOut = m.outBefore
	}
	code, kind := reasons.Explain(cause.evidence())
	return &End{
		Cause: cause, Reason: code, ErrorType: kind,
		Lifetime: now, IdleIn: max(0, now-m.lastIn), IdleOut: max(0, now-lastOut),
		LongestIdle: min(m.longestIdle, now), SinceMessage: max(0, now-m.lastMessage), SinceWanted: max(0, now-m.lastWanted),
		InFlight: InFlight{Ping: m.pinging, Heartbeat: m.beating, Message: m.started},
		Totals:   m.totals,
	}
}

// evidence is that of a cause. A breach and a failure of the network have more of their own.
func (c Cause) evidence() reasons.Evidence {
	switch c {
	case ByClose:
		return reasons.Evidence{Stage: reasons.StageHold, CloseReceived: true}
	case ByFIN:
		return reasons.Evidence{Stage: reasons.StageHold, Err: io.EOF}
	case ByReset:
		return reasons.Evidence{Stage: reasons.StageHold, Err: syscall.ECONNRESET}
	case ByNetwork:
		return reasons.Evidence{Stage: reasons.StageHold}
	case ByBreach:
		return reasons.Evidence{Stage: reasons.StageHold, Breach: reasons.ProtocolError}
	case ByPing:
		return reasons.Evidence{Stage: reasons.StagePong, DeadlinePassed: true}
	case ByHeartbeat:
		return reasons.Evidence{Stage: reasons.StageReply, DeadlinePassed: true}
	case BySilence:
		return reasons.Evidence{Stage: reasons.StageHold, DeadlinePassed: true}
	case ByWrite:
		return reasons.Evidence{Stage: reasons.StageSend, DeadlinePassed: true}
	case ByMemory:
		return reasons.Evidence{Stage: reasons.StageHold, DeadlinePassed: true, Starved: true}
	default: // our plan
		return reasons.Evidence{Stage: reasons.StageDone}
	}
}

// tellEnd tells of the end.
func (m *machine) tellEnd(w *work, end *End) {
	end.At = w.at
	m.tell(w, Event{Kind: Ended, End: end})
}

// breach ends the session with the code of a breach (RFC 6455 7.1.7). After our close frame it ends the machine: the
// close frame of the server can no longer be found.
func (m *machine) breach(w *work, b *frame.Breach, now time.Duration) {
	if m.state != open {
		m.finish(w, false)
		return
	}
	end := m.end(ByBreach, now)
	end.ErrorType, end.Detail = b.Type, b.About
	m.giveUp(w, end, b.Code, now)
	m.state = ending // what follows cannot be read
}

// outOfMemory ends the session because all sessions together have no memory left.
func (m *machine) outOfMemory(w *work, now time.Duration) {
	m.giveUp(w, starved(m.end(ByMemory, now)), frame.CloseTooBig, now)
}

// starved completes an end.
func starved(end *End) *End {
	if end.Cause == ByMemory {
		end.Detail = say.Own("the messages that are under way in all sessions need more memory than they may have together")
	}
	return end
}

// unread ends a session whose server does not read. No close frame can follow: another frame was cut off. The cause is
// ByWrite, or ByMemory if there is none to wait with.
func (m *machine) unread(w *work, cause Cause, at time.Time) {
	now := m.begin(w, at)
	if m.state == open {
		end := starved(m.end(cause, now))
		end.Code = frame.CloseAbnormal
		m.tellEnd(w, end)
	}
	if m.state != done {
		m.finish(w, false)
	}
}

// gone takes the end of the connection: io.EOF for one without an error.
func (m *machine) gone(w *work, err error, at time.Time) {
	if last := m.opened.Add(m.lastIn); at.Before(last) { // the time of an end may be rough
		at = last
	}
	now := m.begin(w, at)
	switch m.state {
	case done:
		return
	case open:
		end := m.end(CauseOf(err), now)
		end.Code, end.Lag = frame.CloseAbnormal, w.lag
		if end.Cause != ByFIN {
			end.Detail = say.Sentence("%s", err)
		}
		m.tellEnd(w, end)
	}
	m.finish(w, m.closed && errors.Is(err, io.EOF))
}

// CauseOf names the end of a connection by the error of a read or a write. A write after a server's orderly end finds a broken pipe.
func CauseOf(err error) Cause {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return ByFIN
	case errors.Is(err, syscall.ECONNRESET):
		return ByReset
	default:
		return ByNetwork
	}
}
