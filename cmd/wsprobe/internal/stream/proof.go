package stream

import (
	"context"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/bare"
)

// flight is an event that was written and is not proven. Its item is nil once it is.
type flight struct {
	item *buffer.Item
	at   time.Time
}

// proof knows what is in flight on one connection, and what proves it.
type proof struct {
	how    Proof
	path   *bare.Path            // nil: the message is the ID
	accept func(...*buffer.Item) // takes what is proven
	freed  chan struct{}         // something was proven
	stir   chan struct{}         // the next deadline has changed

	mu      sync.Mutex
	flights []flight
	head    int       // so many in front are proven
	first   uint64    // the number of the first one of flights
	since   time.Time // when the oldest flight became it
	open    int       // of flights without a proof
	bytes   int64
	byID    map[string]uint64 // the numbers of those without a proof, for Message
	window  *window
	heart   heart
	acks    acks
}

func newProof(o *Options, w *window, accept func(...*buffer.Item), now time.Time) *proof {
	p := &proof{window: w, how: o.Acknowledgements, accept: accept, freed: make(chan struct{}, 1), stir: make(chan struct{}, 1)}
	p.heart = heart{interval: o.PingInterval, timeout: o.PingTimeout, last: now.Add(-pace), beat: now}
	if p.how == Message {
		p.byID = make(map[string]uint64)
		if o.AckPath != "" {
			path := bare.NewPath(o.AckPath)
			p.path = &path
		}
	}
	return p
}

// signal wakes the receiver of a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// room waits until something may be written, and returns how much. Alone waits until nothing is in flight.
func (p *proof) room(ctx context.Context, alone bool) (events int, bytes int64) {
	for {
		p.mu.Lock()
		events, bytes = p.window.events-p.open, p.window.bytes-p.bytes
		if alone {
			events = 1 - p.open
		}
		p.mu.Unlock()
		if events > 0 && bytes > 0 {
			return events, bytes
		}
		select {
		case <-p.freed:
		case <-ctx.Done():
			return 0, 0
		}
	}
}

// rest waits until nothing is in flight, and hurries its proofs.
func (p *proof) rest(ctx context.Context) {
	p.mu.Lock()
	p.heart.hurry = true
	p.mu.Unlock()
	signal(p.stir)
	p.room(ctx, true)
}

// flying takes events that are about to be written.
func (p *proof) flying(items []*buffer.Item, now time.Time) {
	if p.how == Written {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == 0 {
		p.since = now
	}
	for _, item := range items {
		if p.byID != nil {
			p.byID[item.ID] = p.first + uint64(len(p.flights))
		}
		p.flights = append(p.flights, flight{item, now})
		p.bytes += int64(len(item.Text))
	}
	p.open += len(items)
}

// unproven are the events in flight.
func (p *proof) unproven() []*buffer.Item {
	p.mu.Lock()
	defer p.mu.Unlock()
	var items []*buffer.Item
	for _, f := range p.flights {
		if f.item != nil {
			items = append(items, f.item)
		}
	}
	return items
}

// prove takes the proof of the flight with a number. The caller holds the lock, and calls landed after that.
func (p *proof) prove(number uint64, to []*buffer.Item) []*buffer.Item {
	f := &p.flights[number-p.first]
	if f.item == nil {
		return to
	}
	to = append(to, f.item)
	p.open--
	p.bytes -= int64(len(f.item.Text))
	if p.byID != nil {
		delete(p.byID, f.item.ID)
	}
	f.item = nil
	return to
}

// land forgets the flights in front that are proven. Their room is used again.
func (p *proof) land(now time.Time) {
	if p.head < len(p.flights) && p.flights[p.head].item == nil {
		p.since = now
	}
	for p.head < len(p.flights) && p.flights[p.head].item == nil {
		p.head++
	}
	if 2*p.head < len(p.flights) {
		return
	}
	n := copy(p.flights, p.flights[p.head:])
	clear(p.flights[n:])
	p.flights, p.first, p.head = p.flights[:n], p.first+uint64(p.head), 0
}

// oldest is the number of the first flight without a proof, or of the next flight.
func (p *proof) oldest() uint64 { return p.first + uint64(p.head) }

// landed passes on what was proven.
func (p *proof) landed(items []*buffer.Item) {
	if len(items) > 0 {
		p.accept(items...)
		signal(p.freed)
	}
}
