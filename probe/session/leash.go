package session

import (
	"context"
	"sync"
	"time"
)

// leash is the context of a member. Tens of thousands wait at a time, so it costs a third of one of package context: it
// makes its channel when somebody asks, and it is no child of another.
type leash struct {
	mu    sync.Mutex
	ended bool
	done  chan struct{} // nil until somebody asks
	calls []*call
	held  *holder // to be told of the end, or nil
}

// call is a function to be called at the end.
type call struct{ f func() }

func (*leash) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*leash) Value(any) any               { return nil }

// Err returns context.Canceled after the end.
func (l *leash) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return context.Canceled
	}
	return nil
}

// Done returns a channel that the end closes.
func (l *leash) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = make(chan struct{})
		if l.ended {
			close(l.done)
		}
	}
	return l.done
}

// AfterFunc has f called at the end, as [context.AfterFunc] does, which uses it. F must not wait.
func (l *leash) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		go f()
		return func() bool { return false }
	}
	c := &call{f}
	l.calls = append(l.calls, c)
	return func() bool { return l.remove(c) }
}

// remove takes a call back, and reports whether it was still to come.
func (l *leash) remove(c *call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.calls {
		if l.calls[i] == c {
			last := len(l.calls) - 1
			l.calls[i], l.calls[last] = l.calls[last], nil
			l.calls = l.calls[:last]
			return true
		}
	}
	return false
}

// end ends the context.
func (l *leash) end() {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return
	}
	l.ended = true
	if l.done != nil {
		close(l.done)
	}
	calls, held := l.calls, l.held
	l.calls = nil
	l.mu.Unlock()
	if held != nil {
		held.interrupt(toStop)
	}
	for _, c := range calls {
		c.f()
	}
}

// hold has a holder told of the end, in place of the one before; nil has none. When a holder begins, nobody else waits
// for the end: the opening that made its connection is over, and the next one is still to come.
func (l *leash) hold(h *holder) {
	l.mu.Lock()
	l.held = h
	ended := l.ended
	if !ended && h != nil {
		l.done, l.calls = nil, nil
	}
	l.mu.Unlock()
	if ended && h != nil {
		h.interrupt(toStop)
	}
}
