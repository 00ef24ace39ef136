package session

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// hold keeps a connection in this goroutine, until it has ended and is closed. It returns the next one if that has
// opened already, or else the wait before its open.
func (h *holder) hold() (next *probe.Held, wait time.Duration) {
	for h.m.state != done {
		h.round()
	}
	return h.over()
}

// round waits until there is something to do, and does it.
func (h *holder) round() {
	if h.beginWait() {
		if waited, _ := h.raw.Wait(); !waited {
			h.act(h.readOnce)
		}
	}
	h.endWait()
	h.act(h.serve)
}

// beginWait reports whether there is something to wait for.
func (h *holder) beginWait() bool {
	due := h.due() // whoever changes it after this pokes
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting = !h.more && h.stop == goOn && !h.poked; h.waiting {
		h.raw.SetEnd(due)
	}
	return h.waiting
}

// endWait ends a wait. What has come can then be read, also if time is up.
func (h *holder) endWait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting, h.poked = false, false
	h.raw.SetEnd(time.Time{})
}

// readOnce waits for bytes with a buffer, on a connection that cannot wait without one.
func (h *holder) readOnce(d *desk) {
	n, err := h.conn.Read(d.chunk[:])
	h.endWait()
	d.lateAt = time.Now().Add(judgeTime) // the wait is no part of it
	defer h.lock()()
	h.take(d, n, err)
}
