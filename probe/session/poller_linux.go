//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package session

import (
	"container/heap"
	"sync"
	"syscall"
	"time"
)

// poller serves many connections from one goroutine: one epoll, one heap of timers. A connection that waits has no
// goroutine, no timer of the runtime and no buffer.
type poller struct {
	epoll, wake int // wake is the reading end of a pipe, waker the other one
	waker       int

	mu    sync.Mutex
	inbox []*holder // that somebody wants to have served
	ended bool

	// These belong to the goroutine of run.
	held   map[int32]*holder
	timers timers
	ready  []*holder // that may have more to read
}

// newPoller makes a poller, or returns nil if the system has no descriptors for it.
func newPoller() *poller {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		_ = syscall.Close(epoll)
		return nil
	}
	p := &poller{epoll: epoll, wake: pipe[0], waker: pipe[1], held: make(map[int32]*holder)}
	_ = p.watch(int32(p.wake)) // it fails only for want of memory
	return p
}

func (p *poller) watch(fd int32) error {
	return syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, int(fd), &syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: fd})
}

// take serves a connection from now on, and calls finished once it has ended. It reports false for one that it cannot
// watch.
func (p *poller) take(h *holder, finished func()) bool {
	fd, ok := h.raw.Descriptor()
	if !ok {
		return false
	}
	h.endWait()
	h.mu.Lock()
	h.poller, h.fd, h.finished = p, int32(fd), finished
	h.mu.Unlock()
	p.look(h)
	return true
}

// look has a connection served soon.
func (p *poller) look(h *holder) {
	p.mu.Lock()
	p.inbox = append(p.inbox, h)
	p.mu.Unlock()
	p.rouse()
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
		n, _ := syscall.EpollWait(p.epoll, events[:], p.timeout()) // EINTR is no event
		ready := p.ready
		p.ready = nil
		for i := range max(n, 0) {
			if fd := events[i].Fd; int(fd) == p.wake {
				p.empty()
			} else if h := p.held[fd]; h != nil {
				p.serve(h)
			}
		}
		for _, h := range ready {
			if p.held[h.fd] == h {
				p.serve(h)
			}
		}
		for now := time.Now(); len(p.timers) > 0 && !p.timers[0].place.at.After(now); {
			p.serve(p.timers[0])
		}
	}
}

func (p *poller) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// timeout is the time until the first timer in whole milliseconds, rounded up, or -1 without one.
func (p *poller) timeout() int {
	switch {
	case len(p.ready) > 0:
		return 0
	case len(p.timers) == 0:
		return -1
	}
	wait := time.Until(p.timers[0].place.at)
	return int(max(0, (wait+time.Millisecond-1)/time.Millisecond))
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
		if h.isLent() || h.finished == nil {
			continue
		}
		if p.held[h.fd] != h {
			p.held[h.fd] = h
			if err := p.watch(h.fd); err != nil {
				h.act(func(d *desk) { h.m.gone(&d.work, err, time.Now()) })
			}
		}
		p.serve(h)
	}
}

// serve serves a connection, and sees to it that it is served again.
func (p *poller) serve(h *holder) {
	h.serve()
	switch {
	case h.m.state == done && h.unsent == nil:
		p.drop(h)
		finished := h.finished
		h.finished = nil
		finished()
		return
	case h.unsent != nil:
		p.drop(h)
		h.lend()
		return
	case h.more: // its turn comes after all others'
		p.ready = append(p.ready, h)
		p.schedule(h, time.Time{})
		return
	}
	p.schedule(h, h.due())
}

// schedule sets the timer of a connection; a zero time has none.
func (p *poller) schedule(h *holder, at time.Time) {
	h.place.at = at
	switch {
	case at.IsZero() && h.place.index > 0:
		heap.Remove(&p.timers, h.place.index-1)
	case at.IsZero():
	case h.place.index > 0:
		heap.Fix(&p.timers, h.place.index-1)
	default:
		heap.Push(&p.timers, h)
	}
}

// drop watches a connection no more.
func (p *poller) drop(h *holder) {
	delete(p.held, h.fd)
	_ = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, int(h.fd), nil)
	p.schedule(h, time.Time{})
}
