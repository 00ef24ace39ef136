package session

import (
	"encoding/binary"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
)

// closeBudget bounds the closing handshake.
const closeBudget = 500 * time.Millisecond

// sayClose sends a close frame and begins the closing handshake.
func (m *machine) sayClose(w *work, code int, now time.Duration, next state) {
	payload := ""
	if code != frame.CloseNoStatus {
		payload = string(binary.BigEndian.AppendUint16(nil, uint16(code)))
	}
	m.sayControl(w, frame.Close, payload, now)
	m.state, m.until = next, now+closeBudget
	m.forget()
}

// forget frees what a machine holds beside itself.
func (m *machine) forget() {
	if b := m.buffers; b != nil {
		m.plan.memory.give(cap(b.body) + cap(b.window) + cap(b.packet))
		m.buffers = nil
	}
	if m.talk != nil {
		m.talk.forget()
		m.setTalk(nil)
	}
}

// serverClosed answers the server's close frame with its own code (RFC 6455 5.5.1).
func (m *machine) serverClosed(w *work, now time.Duration) {
	code, reason, _ := m.parser.Closed()
	m.closed = true
	if m.state == closing {
		m.state = ending
		return
	}
	end := m.end(ByClose, now)
	end.Code, end.CloseReason = code, reason
	m.tellEnd(w, end)
	m.sayClose(w, code, now, ending)
}

// stop ends the session on purpose: with 1000 for a renewal and 1001 for a stop (RFC 6455 7.4.1).
func (m *machine) stop(w *work, cause Cause, at time.Time) {
	if m.state != open {
		return
	}
	now, code := m.begin(w, at), closeGoingAway
	if cause == ByLifetime {
		code = frame.CloseNormal
	}
	m.giveUp(w, m.end(cause, now), code, now)
}

// closeGoingAway is the code of an endpoint that stops.
const closeGoingAway = 1001

// giveUp ends the session from our side.
func (m *machine) giveUp(w *work, end *End, code int, now time.Duration) {
	end.Code = code
	m.tellEnd(w, end)
	m.sayClose(w, code, now, closing)
}

// finish is the end of the machine.
func (m *machine) finish(w *work, clean bool) {
	m.state = done
	m.forget()
	m.tell(w, Event{Kind: Closed, Clean: clean})
}
