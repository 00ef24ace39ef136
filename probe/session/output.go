package session

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// writeTimeout bounds how long a server may leave what we send in the buffers of the kernel.
const writeTimeout = 10 * time.Second

// maxInline is the longest output in bytes that fits into every empty buffer of the kernel.
const maxInline = 1024

// write writes the output. A poller does not wait: it keeps an output that may not fit into the buffer of the kernel.
//
// A failure shows in the next read, which also finds what the server said before. A server that does not read is given
// up.
func (h *holder) write(d *desk) {
	if len(d.out) == 0 || h.cut != nil {
		return
	}
	if h.poller != nil && (h.unsent != nil || len(d.out) > maxInline || h.raw.Unsent() > 0) {
		if h.m.plan.memory.take(len(d.out)) {
			h.unsent = append(h.unsent, d.out...)
		} else {
			h.m.unread(&d.work, ByMemory, time.Now())
		}
		return
	}
	if h.send(d.out); tcp.IsTimeout(h.cut) {
		h.giveUp(d)
	}
}

// send writes bytes, and waits until the kernel has them or the server has not read for too long.
func (h *holder) send(out []byte) {
	h.setSending(true)
	_, h.cut = h.conn.Write(out)
	h.setSending(false)
}

// setSending sets the end of the wait of a write. A session that ends has no time for a server that does not read.
func (h *holder) setSending(sending bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sending = sending
	switch {
	case !sending:
		h.raw.SetEnd(time.Time{})
	case h.stop != "" || h.m.state != open:
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

// lend writes in a goroutine what the poller does not wait for, and then returns the connection to it. Many may wait, so
// none of them has a desk.
func (h *holder) lend() {
	out := h.unsent
	h.setLent(true)
	h.unsent = nil
	go func() { // it ends within writeTimeout, and the session not before
		h.send(out)
		h.m.plan.memory.give(len(out))
		if tcp.IsTimeout(h.cut) {
			h.act(h.giveUp)
		}
		h.setLent(false)
		h.poller.look(h)
	}()
}

func (h *holder) setLent(lent bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lent = lent
}

func (h *holder) isLent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lent
}
