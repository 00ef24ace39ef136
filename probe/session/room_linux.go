//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package session

import (
	"syscall"
	"time"
)

// block waits for room for what is unsent. Until there is, nothing is read, and nobody waits for an answer.
func (p *poller) block(h *holder) {
	if !h.blocked {
		h.blocked, h.paused = true, false
		h.extras().room = time.Now().Add(writeTimeout)
		_ = p.watch(syscall.EPOLL_CTL_MOD, h.bare.Descriptor(), forRoom) // it fails only for want of memory
	}
	until := h.extra.room
	if next := h.due(); h.m.state != open && next.Before(until) {
		until = next
	}
	p.schedule(h, until)
}

// flush sends what is unsent, as far as there is room.
func (p *poller) flush(h *holder) {
	all, err := h.bare.Flush()
	if h.noteCut(err); all || err != nil {
		h.blocked = false
		_ = p.watch(syscall.EPOLL_CTL_MOD, h.bare.Descriptor(), forBytes)
		return
	}
	h.despair(&p.desk)
	h.deliver(&p.desk)
	h.rouseOthers()
}

// despair ends a session for which there has been no room for too long, or that is to end anyway.
func (h *holder) despair(d *desk) {
	defer h.lock()()
	now := time.Now()
	if cause := h.takeStop(); cause != "" {
		h.m.stop(&d.work, cause, now)
	}
	switch {
	case !now.Before(h.extra.room):
		h.m.unread(&d.work, ByWrite, now)
	case h.m.state != open:
		h.m.tick(&d.work, now, now)
	}
}
