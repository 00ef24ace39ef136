package session

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// member is a Session that was added. Its leash ends with it.
type member struct {
	leash
	life life
}

// proceed goes on with the life of a member, from a connection or with its open. While a poller has the connection, and
// while it waits to open again, there is no goroutine for it.
func (m *member) proceed(held *probe.Held) {
	hub := m.life.hub
	for ok := true; ; {
		var wait time.Duration
		if held == nil {
			if held, wait, ok = m.life.try(m); !ok {
				hub.remove(m)
				return
			}
		}
		if held != nil {
			h := m.begin(held)
			p := hub.poller(held)
			h.attend(p)
			if p != nil && p.take(h) {
				return
			}
			held, wait = h.hold()
		}
		if held == nil {
			m.later(wait)
			return
		}
	}
}

// goOn goes on after a connection that a poller had.
func (m *member) goOn(h *holder) {
	next, wait := h.over()
	switch {
	case next != nil:
		m.proceed(next)
	case m.Err() != nil:
		m.life.leaveExplained()
		m.life.hub.remove(m)
	default:
		m.later(wait)
	}
}

// later has the member open after a wait, or find out at once that it has ended.
func (m *member) later(wait time.Duration) {
	hub := m.life.hub
	again := sync.OnceFunc(func() {
		hub.mu.Lock()
		defer hub.mu.Unlock()
		hub.want(m)
	})
	if wait <= 0 {
		again()
		return
	}
	var timer atomic.Pointer[time.Timer]
	unbind := m.leash.AfterFunc(func() {
		if t := timer.Load(); t != nil {
			t.Stop()
		}
		again()
	})
	timer.Store(time.AfterFunc(wait, func() {
		unbind()
		again()
	}))
}
