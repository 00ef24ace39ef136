package feed

import "github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"

const (
	// batchEvents is how many events a client takes at a time.
	batchEvents = 64
	// batchBytes is how much it takes before the last of them.
	batchBytes = 32 << 10
)

// place is where a client stands in the past. The lock of the feed guards it.
type place struct {
	selection event.Selection
	snapshot  snapshot // of probes whose last event is due before the ring
	next      uint64   // number of the first event of the ring that the client has not got and may want
	idle      bool     // it wants nothing that stands there or behind

	live  bool   // it has all that had been when it came
	until uint64 // number of the last event of what had been
	id    string // of this event, or empty if there was none
	since found  // whether the event was there that it wanted to go on after
}

// found says what became of the ID that a client wants to go on after.
type found string

const (
	fresh   found = ""        // it gave none: the last event of each probe is what had been
	known   found = "known"   // the missed events follow, and no others
	unknown found = "unknown" // all there is follows
)

// begin puts a client at its place.
func (p *past) begin(s event.Selection, since string) *place {
	c := &place{selection: s}
	if since == "" {
		c.snapshot.open(p, 1, p.newest)
		c.next, c.idle = p.newest+1, true
	} else if next, certain := p.after(since, &s); certain {
		c.since, c.next = known, next
	} else {
		c.since = unknown
		c.skip(p, 1)
	}
	c.mark(p)
	return c
}

// skip has a client go on with the ring. It gets the last event of each probe that has one from a number to there.
func (c *place) skip(p *past, from uint64) {
	c.snapshot.open(p, from, p.oldest-1)
	c.next = p.oldest
	c.mark(p)
}

// mark notes what has been.
func (c *place) mark(p *past) {
	if c.until = p.newest; p.newest >= p.oldest {
		c.id = p.at(p.newest).id
	}
}

// turn is what a client has to do next.
type turn int

const (
	again   turn = iota // ask again, because probes were to have their turn first
	send                // send the events
	tell                // tell that what follows is live
	wait                // wait for an event
	tooSlow             // go, because events that it wanted are gone
)

// take returns what a client has to do next. Events to send are appended to batch.
func (c *place) take(p *past, batch [][]byte) ([][]byte, turn) {
	batch, more := c.takeSnapshot(p, batch)
	if len(batch) > 0 {
		return batch, send
	}
	if more {
		return batch, again
	}
	if !c.idle && c.next < p.oldest {
		// A client is dropped only if it was told that it gets everything. During a snapshot it may be as slow as its
		// connection. Then it gets the last event of a probe in place of all.
		if c.live || c.since == known {
			return batch, tooSlow
		}
		c.skip(p, c.next)
		return batch, again
	}
	if batch = c.takeRing(p, batch); len(batch) > 0 {
		return batch, send
	}
	if !c.live {
		c.live = true
		return batch, tell
	}
	return batch, wait
}

// takeSnapshot takes the last events of probes. That such an event changed nothing is no hindrance: it tells a state.
func (c *place) takeSnapshot(p *past, batch [][]byte) (all [][]byte, more bool) {
	size := 0
	more = c.snapshot.walk(p, func(e *entry) bool {
		if !c.selection.AdmitsReason(e.reason) || !c.selection.AdmitsProbe(e.probe.identity) {
			return true
		}
		if len(batch) == batchEvents || size >= batchBytes {
			return false
		}
		if text := p.text(e); text != nil {
			batch = append(batch, text)
			size += len(text)
		}
		return true
	})
	return batch, more
}

// takeRing takes events, at first up to where what had been ends. If the client wants none behind them, it is idle.
func (c *place) takeRing(p *past, batch [][]byte) [][]byte {
	size := 0
	for ; !c.idle; c.next++ {
		if c.next > p.newest {
			c.idle = true
			break
		}
		e := p.at(c.next)
		if !c.wants(e) {
			continue
		}
		if !c.live && c.next > c.until || len(batch) == batchEvents || size >= batchBytes {
			break
		}
		text := p.text(e)
		batch = append(batch, text)
		size += len(text)
	}
	return batch
}

// wants reports whether an event of the ring is selected.
func (c *place) wants(e *entry) bool {
	return (e.changed || !c.selection.Changes) && c.selection.AdmitsReason(e.reason) && c.selection.AdmitsProbe(e.probe.identity)
}

// come tells a client of an event that was added, and reports whether it has to be woken for it.
func (c *place) come(e *entry) bool {
	if !c.idle || !c.wants(e) {
		return false
	}
	c.next, c.idle = e.number, false
	return true
}
