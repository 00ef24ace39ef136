package session

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// writeTimeout bounds how long a server may leave what we send in the buffers of the kernel.
const writeTimeout = 10 * time.Second

// write writes the output. A bare connection does not wait, but keeps what the kernel has no room for.
//
// A failure shows in the next read, which also finds what the server said before. A server that does not read is given
// up.
func (h *holder) write(d *desk) {
	if len(d.out) > 0 && h.cut() == nil {
		if h.poller == nil {
			h.send(d)
			return
		}
		_, err := h.conn.Write(d.out)
		h.noteCut(err)
	}
	if !h.charge() {
		h.m.unread(&d.work, ByMemory, time.Now())
	}
}

// charge takes the memory for what is unsent from that of all sessions, or gives it back. It reports whether there was
// enough.
func (h *holder) charge() bool {
	unsent := h.bare.Unsent()
	if unsent == 0 && h.extra == nil {
		return true
	}
	more := unsent - h.extras().kept
	if more > 0 && !h.m.plan.memory.take(more) {
		return false
	}
	h.m.plan.memory.give(max(0, -more))
	h.extra.kept = unsent
	return true
}

// send writes the output, and waits until the kernel has it or the server has not read for too long.
func (h *holder) send(d *desk) {
	h.setSending(true)
	_, err := h.conn.Write(d.out)
	h.setSending(false)
	if h.noteCut(err); tcp.IsTimeout(err) {
		h.giveUp(d)
	}
}

// setSending sets the end of the wait of a write. A session that ends has no time for a server that does not read.
func (h *holder) setSending(sending bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sending = sending
	switch {
	case !sending:
		h.raw.SetEnd(time.Time{})
	case h.stop != goOn || h.m.state != open:
		h.raw.SetEnd(time.Now().Add(closeBudget))
	default:
		h.raw.SetEnd(time.Now().Add(writeTimeout))
	}
}

// giveUp ends a session whose server does not read, but not before a stop that waits for that.
func (h *holder) giveUp(d *desk) {
	now := time.Now()
	if cause := h.takeStop(); cause != "" {
		h.m.stop(&d.work, cause, now)
	}
	h.m.unread(&d.work, ByWrite, now)
}

// noteCut remembers why a write failed.
func (h *holder) noteCut(err error) {
	if err != nil {
		h.extras().cut = err
	}
}

// cut is why a write failed, or nil.
func (h *holder) cut() error {
	if h.extra == nil {
		return nil
	}
	return h.extra.cut
}
