package session

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// Session is an endpoint that can be held open, prepared once.
type Session struct {
	hub      *Hub
	prepared atomic.Pointer[prepared]
}

// prepared is what a Spec was made into.
type prepared struct {
	opener *probe.Probe
	plan   *plan
}

// New makes a Session of the Hub. The error names every fault of the Spec, one a line.
func (h *Hub) New(s Spec) (*Session, error) {
	s = s.WithDefaults()
	if faults := s.Validate(); len(faults) > 0 {
		var errs []error
		for _, f := range faults {
			errs = append(errs, f)
		}
		return nil, errors.Join(errs...)
	}
	opener, err := probe.New(s.Run())
	if err != nil {
		return nil, err
	}
	p, err := h.plan(s)
	if err != nil {
		return nil, err
	}
	p.preview, p.reads = h.preview, p.reads || h.preview > 0
	made := &Session{hub: h}
	made.prepared.Store(&prepared{opener, p})
	return made, nil
}

// plan prepares a Spec, or returns the plan of the Spec before if that has another endpoint only: many do.
func (h *Hub) plan(s Spec) (*plan, error) {
	s.Opening = probe.Opening{Protocols: s.Protocols, Prepare: s.Prepare.Names()} // MQTT has messages of its own
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil || !reflect.DeepEqual(h.last.spec, s) {
		p, err := newPlan(s, h.memory)
		if err != nil {
			return nil, err
		}
		h.last = p
	}
	return h.last, nil
}

// Replace has the next opens go by another Session, which is then not to be used itself: one with credentials that were
// rotated, for instance. What is open stays open.
func (s *Session) Replace(by *Session) { s.prepared.Store(by.prepared.Load()) }

// Hold opens the endpoint, keeps the session open, and opens it anew after each end, until the context ends. It then
// closes with 1001 and returns within a second. It calls observe with every event, one after the other; the time
// that observe takes delays the session, and an Event is its own.
func (s *Session) Hold(ctx context.Context, observe func(Event)) {
	m := &member{life: life{Session: s, observe: observe}}
	unbind := context.AfterFunc(ctx, m.end)
	defer unbind()
	for m.Err() == nil && ctx.Err() == nil {
		held := m.life.open(m)
		for held != nil {
			var wait time.Duration
			h := m.begin(held)
			h.attend(nil)
			if held, wait = h.hold(); held == nil {
				sleep(m, wait)
			}
		}
	}
	m.life.leaveExplained()
}

// sleep waits, and reports whether the context lasted as long.
func sleep(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
