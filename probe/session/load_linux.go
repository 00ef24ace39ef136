//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package session

import (
	"sync/atomic"
	"time"
)

// load measures how busy a poller is.
type load struct {
	begun, woke time.Time     // of the measurement, and of the work under way
	worked      time.Duration // since begun
	percent     atomic.Int32  // of the last measurement
}

// loadTime is how long a measurement takes at least.
const loadTime = time.Second

// rest ends the work under way. It reports whether a measurement has ended and found the poller busy.
func (l *load) rest(now time.Time) bool {
	if l.begun.IsZero() {
		l.begun, l.woke = now, now
	}
	l.worked += now.Sub(l.woke)
	took := now.Sub(l.begun)
	if took < loadTime {
		return false
	}
	l.percent.Store(int32(100 * l.worked / took))
	l.begun, l.worked = now, 0
	return l.percent.Load() > busy
}

// share is the share of its time that a poller last spent at work, in percent.
func (p *poller) share() int32 { return p.load.percent.Load() }

// relieve moves every second connection to another poller, if there is one with less than half the load.
func (p *poller) relieve() {
	other := p.hub.idlest(p)
	if other == nil || 2*other.share() > p.share() {
		return
	}
	moves := false
	for _, h := range p.held {
		if h == nil {
			continue
		}
		if moves = !moves; moves {
			p.forget(h)
			h.bare.Move(&other.receiver)
			h.moveTo(other)
			other.look(h)
		}
	}
}

// with is the poller that has the connection, or nil.
func (h *holder) with() *poller {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.poller
}

// moveTo gives the connection to a poller, or takes it from the last one.
func (h *holder) moveTo(p *poller) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.poller = p
}
