package stream

import (
	"sync"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
)

// maxHeld bounds the events of a Holding.
const maxHeld = 10_000

// Holding takes the events of a stream that cannot begin yet, because another one gives its directory back. It is for
// the moment that this takes.
type Holding struct {
	setup *setup

	mu     sync.Mutex
	items  []buffer.Item
	missed int     // events for which there was no room
	to     *Stream // nil before Release
}

// Hold returns a Holding for a stream with these options. The error is that of an opening that is not valid.
func Hold(o Options) (*Holding, error) {
	s, err := newSetup(o)
	if err != nil {
		return nil, err
	}
	return &Holding{setup: s}, nil
}

// Observe takes an event that the selection of the stream admits.
func (h *Holding) Observe(e *event.Event) {
	item, admitted := h.setup.item(e)
	if !admitted {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.to != nil:
		h.to.buffer.Add(item)
	case len(h.items) < maxHeld:
		h.items = append(h.items, item)
	default:
		h.missed++
	}
}

// Release hands all events over to the stream, and those that still come.
func (h *Holding) Release(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, item := range h.items {
		s.buffer.Add(item)
	}
	s.buffer.Miss(h.missed)
	h.items, h.missed, h.to = nil, 0, s
}
