package main

import (
	"context"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// holdDisplay is how a held session is shown. Its methods are called one after the other.
type holdDisplay interface {
	begin(spec session.Spec) error
	event(e heldEvent) error
	// several shows messages that have no line of their own.
	several(c crowd) error
	// pulse shows that the session is held, once a second.
	pulse(t *tally, now time.Time) error
	sum(t *tally) error
}

// holdRun is what `hold` does.
type holdRun struct {
	spec    session.Spec
	options session.Options
	limit   time.Duration
	show    holdDisplay
	stop    context.CancelFunc

	mu     sync.Mutex // held for what follows, and while something is shown
	tally  tally
	pace   pace
	broken error // why nothing can be shown any more
}

// holdPreview is how many bytes of a message are shown.
const holdPreview = 256

// run holds the session until the context ends, and sums up.
func (h *holdRun) run(ctx context.Context) error {
	agent.BoundMemory([]config.Probe{{Spec: probe.Spec{MaxReply: h.spec.MaxReply}}})
	h.options.Preview = holdPreview
	held, err := session.NewHub(h.options).New(h.spec)
	if err != nil {
		return err
	}
	if h.limit > 0 {
		ctx, h.stop = context.WithTimeout(ctx, h.limit)
	} else {
		ctx, h.stop = context.WithCancel(ctx)
	}
	defer h.stop()
	if err := h.show.begin(h.spec); err != nil {
		return failure{err}
	}
	h.tally.spec, h.tally.began = h.spec, time.Now()
	var seconds sync.WaitGroup
	seconds.Go(func() { h.countSeconds(ctx) })
	held.Hold(ctx, h.take)
	h.stop()
	seconds.Wait()
	return h.end()
}

// take shows an event.
func (h *holdRun) take(e session.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Kind == session.Explained && e.End.Cause.Planned() {
		return // there is nothing to explain
	}
	noted := h.tally.note(e)
	counted, alone := h.pace.note(noted)
	h.showSeveral(counted)
	if alone && h.broken == nil {
		h.shown(h.show.event(noted))
	}
}

// countSeconds shows at the end of each second that the session is held, and the messages without a line of their own.
func (h *holdRun) countSeconds(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			h.mu.Lock()
			if h.showSeveral(h.pace.roll(now)); h.broken == nil {
				h.shown(h.show.pulse(&h.tally, now))
			}
			h.mu.Unlock()
		}
	}
}

func (h *holdRun) showSeveral(c crowd) {
	if c.messages > 0 && h.broken == nil {
		h.shown(h.show.several(c))
	}
}

// shown takes what came of showing something. What cannot be shown need not be held.
func (h *holdRun) shown(err error) {
	if err != nil {
		h.broken = err
		h.stop()
	}
}

// end sums up.
func (h *holdRun) end() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !h.tally.openAtTheEnd { // else the closing handshake does not count
		h.tally.ended = now
	}
	if h.showSeveral(h.pace.take(now)); h.broken == nil {
		h.shown(h.show.sum(&h.tally))
	}
	switch {
	case h.broken != nil:
		return failure{h.broken}
	case !h.tally.held():
		return errProbeFailed
	default:
		return nil
	}
}
