package session

import "github.com/wsprobe/wsprobe/probe/internal/frame"

// maxPongs bounds the Pongs for the bytes of one feed. A server that sends more Pings at once is flooding, and only the
// last one needs an answer (RFC 6455 5.5.3).
const maxPongs = 32

// pongs are those for the Pings of one feed.
type pongs struct {
	said  int
	last  [frame.MaxControlPayload]byte
	size  int
	waits bool // the last Ping has no answer yet
}

// note reports whether a Ping is to be answered at once.
func (p *pongs) note(payload []byte) bool {
	if p.said < maxPongs {
		p.said++
		return true
	}
	p.waits, p.size = true, copy(p.last[:], payload)
	return false
}

// pinged tells of a Ping of the server, and reports whether it is to be answered.
func (m *machine) pinged(w *work) bool {
	if n := len(w.events); n == 0 || w.events[n-1].Kind != Pinged {
		m.tell(w, Event{Kind: Pinged})
	}
	return !m.plan.spec.IgnorePings
}
