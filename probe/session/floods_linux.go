//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package session

import (
	"syscall"
	"time"
)

// floods are the connections of a poller that had more to read than fits into a turn. They have turns one after the
// other, and at most half of the time of the poller. So they keep no Ping of another connection away.
type floods struct {
	queue  []*holder
	resume time.Time // when the next turns begin
}

// postpone has a connection wait for its turn. Until then its bytes wake nobody.
func (p *poller) postpone(h *holder) {
	if !h.paused {
		p.pause(h, true)
	}
	if !h.queued {
		h.queued = true
		p.queue = append(p.queue, h)
	}
	p.schedule(h, time.Time{})
}

// pause says whether the poller watches for bytes. It fails only for want of memory.
func (p *poller) pause(h *holder, paused bool) {
	events := uint32(forBytes)
	if h.paused = paused; paused {
		events = 0
	}
	_ = p.watch(syscall.EPOLL_CTL_MOD, h.bare.Descriptor(), events)
}

// turns gives the connections that wait a turn each, as far as there is time, and then as much time to the others.
func (p *poller) turns() {
	began := time.Now()
	if len(p.queue) == 0 || began.Before(p.resume) {
		return
	}
	for range len(p.queue) {
		h := p.queue[0]
		p.queue[0], p.queue = nil, p.queue[1:]
		if p.holds(h) {
			h.queued = false
			p.serve(h)
		}
		if time.Since(began) >= turnTime {
			break
		}
	}
	now := time.Now()
	p.resume = now.Add(now.Sub(began))
}
