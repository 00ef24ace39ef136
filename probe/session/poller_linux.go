//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package session

import (
	"container/heap"
	"sync"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// poller serves many connections from one goroutine: one epoll, one heap of timers, one desk. A connection that waits
// has no goroutine, no timer of the runtime, no buffer and no part in package net.
type poller struct {
	hub         *Hub
	load        load
	epoll, wake int // wake is the reading end of a pipe, waker the other one
	waker       int
	begun       time.Time // the zero of its clock

	mu    sync.Mutex
	inbox []*holder // that somebody wants to have served
	ended bool

	// These belong to the goroutine of run.
	receiver tcp.Receiver
	desk     desk
	held     []*holder // by their descriptors
	timers   timers
	heard    time.Time // when the last wait found all that had come
	floods
}

// newPoller makes a poller, or returns nil if the system has no descriptors for it.
func newPoller(hub *Hub) *poller {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		_ = syscall.Close(epoll)
		return nil
	}
	p := &poller{hub: hub, epoll: epoll, wake: pipe[0], waker: pipe[1], begun: time.Now()}
	_ = p.watch(syscall.EPOLL_CTL_ADD, int32(p.wake), forBytes) // it fails only for want of memory
	return p
}

// forBytes and forRoom are what a connection waits for.
const (
	forBytes = syscall.EPOLLIN | syscall.EPOLLRDHUP
	forRoom  = syscall.EPOLLOUT
)

// watch adds or changes the wait for a descriptor.
func (p *poller) watch(operation int, fd int32, events uint32) error {
	return syscall.EpollCtl(p.epoll, operation, int(fd), &syscall.EpollEvent{Events: events, Fd: fd})
}

// take serves a connection from now on. It reports false for one that it cannot watch.
func (p *poller) take(h *holder) bool {
	if !h.raw.Bare(&h.bare, &p.receiver) {
		return false
	}
	if h.conn == h.raw { // without TLS, nothing else needs the Conn
		h.conn, h.raw = &h.bare, nil
	}
	h.moveTo(p)
	p.look(h)
	return true
}

// look has a connection served soon.
func (p *poller) look(h *holder) {
	p.mu.Lock()
	p.inbox = append(p.inbox, h)
	first := len(p.inbox) == 1
	p.mu.Unlock()
	if first {
		p.rouse()
	}
}

// rouse ends the wait of run. A full pipe does so, too.
func (p *poller) rouse() { _, _ = syscall.Write(p.waker, []byte{0}) }

// end makes run return. No connection is left, and none comes.
func (p *poller) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.rouse()
}

// run serves until end.
func (p *poller) run() {
	defer func() {
		for _, fd := range []int{p.epoll, p.wake, p.waker} {
			_ = syscall.Close(fd)
		}
	}()
	var events [256]syscall.EpollEvent
	for !p.isOver() {
		p.heard = p.receiver.Wait()
		if p.load.rest(p.heard) {
			p.relieve()
		}
		timeout := p.timeout()
		n, _ := syscall.EpollWait(p.epoll, events[:], timeout) // EINTR is no event
		p.load.woke = time.Now()
		if slept := time.Duration(timeout) * time.Millisecond; n == 0 && slept > 0 && p.load.woke.Sub(p.heard) >= slept {
			p.heard = p.heard.Add(slept)
		}
		for i := range max(n, 0) {
			if fd := events[i].Fd; int(fd) == p.wake {
				p.empty()
			} else if h := p.held[fd]; h != nil && events[i].Events == syscall.EPOLLIN && !h.blocked {
				p.read(h)
			} else if h != nil {
				p.serve(h)
			}
		}
		p.tick()
		p.turns()
	}
}

func (p *poller) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// timeout is the time until the first timer or turn in whole milliseconds, rounded up, or -1 without one.
func (p *poller) timeout() int {
	wait := never
	if len(p.timers) > 0 {
		wait = p.timers[0].at - time.Since(p.begun)
	}
	if len(p.queue) > 0 {
		wait = min(wait, time.Until(p.resume))
	}
	if wait == never {
		return -1
	}
	return int(max(0, (wait+time.Millisecond-1)/time.Millisecond))
}

// holds reports whether a connection is one of the poller's.
func (p *poller) holds(h *holder) bool {
	fd := h.bare.Descriptor()
	return int(fd) < len(p.held) && p.held[fd] == h
}

// empty empties pipe and inbox.
func (p *poller) empty() {
	var bytes [64]byte
	_, _ = syscall.Read(p.wake, bytes[:])
	p.mu.Lock()
	inbox := p.inbox
	p.inbox = nil
	p.mu.Unlock()
	for _, h := range inbox {
		switch with := h.with(); {
		case p.holds(h):
			p.serve(h)
		case with == p:
			p.hold(h)
		case with != nil: // it moved meanwhile
			with.look(h)
		}
	}
}

// hold begins to watch a connection.
func (p *poller) hold(h *holder) {
	fd := h.bare.Descriptor()
	for int(fd) >= len(p.held) {
		p.held = append(p.held, nil)
	}
	p.held[fd] = h
	h.queued, h.paused = false, false
	events := uint32(forBytes)
	if h.blocked {
		events = forRoom
	}
	if err := p.watch(syscall.EPOLL_CTL_ADD, fd, events); err != nil {
		unlock := h.lock()
		h.m.gone(&p.desk.work, err, time.Now())
		unlock()
		h.deliver(&p.desk)
	}
	p.serve(h)
}

// tick serves the connections whose time has come. Most have to send a Ping and nothing to read, because all that had
// come was read after the last wait.
func (p *poller) tick() {
	for len(p.timers) > 0 {
		h, now := p.timers[0], time.Now()
		if h.at > now.Sub(p.begun) {
			return
		}
		if h.blocked || h.m.group != nil || now.Sub(p.heard) > maxUnheard || h.m.expires(now) {
			p.serve(h)
			continue
		}
		h.m.tick(&p.desk.work, now, p.heard)
		h.deliver(&p.desk)
		p.settle(h)
	}
}

// maxUnheard is how long ago the last wait may be for a Ping without another look.
const maxUnheard = 2 * time.Millisecond

// read serves a connection that has bytes, and had no end when the last wait looked.
func (p *poller) read(h *holder) {
	h.bare.Look(true)
	h.serveFrom(&p.desk, p.heard)
	p.settle(h)
}

// serve serves a connection.
func (p *poller) serve(h *holder) {
	h.bare.Look(false)
	if h.blocked {
		p.flush(h)
	}
	if !h.blocked {
		h.serve(&p.desk)
	}
	p.settle(h)
}

// settle sees to it that a connection is served again.
func (p *poller) settle(h *holder) {
	switch {
	case h.m.state == done:
		p.drop(h)
	case h.bare.Unsent() > 0:
		p.block(h)
	case h.more: // its turn comes after all others'
		p.postpone(h)
	default:
		if h.paused {
			p.pause(h, false)
		}
		p.schedule(h, h.due())
	}
}

// schedule sets the timer of a connection; a zero time has none.
func (p *poller) schedule(h *holder, at time.Time) {
	h.at = at.Sub(p.begun)
	switch {
	case at.IsZero() && h.index > 0:
		heap.Remove(&p.timers, int(h.index-1))
	case at.IsZero():
	case h.index > 0:
		heap.Fix(&p.timers, int(h.index-1))
	default:
		heap.Push(&p.timers, h)
	}
}

// drop goes on with what follows a connection that has ended.
func (p *poller) drop(h *holder) {
	p.forget(h)
	h.moveTo(nil)
	switch x := h.extra; {
	case x != nil && x.finished != nil:
		x.finished()
	case x != nil && x.next != nil || h.m.group != nil: // it may wait for them
		go h.member.goOn(h)
	default:
		h.member.goOn(h)
	}
}

// forget ends the watch over a connection.
func (p *poller) forget(h *holder) {
	fd := h.bare.Descriptor()
	p.held[fd] = nil
	_ = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, int(fd), nil)
	p.schedule(h, time.Time{})
}
