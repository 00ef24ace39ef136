package buffer

import (
	"math"
	"time"
)

// Item is an event that waits. Its fields but Sends do not change.
type Item struct {
	ID       string
	Lane     string // items with the same lane, the name of a probe, keep their order
	At       time.Time
	Encoding string // names the encoding of the Text, so that a message holds one encoding only
	Text     []byte
	Slot     int // see event.Form
	Sends    int // how often it was sent before; an item of an earlier process counts once more, because it can have been

	// The Buffer's own, under its lock.
	lane   *lane
	added  time.Duration // since the start of the Buffer, or longAgo
	links  [2]link
	block  *block // on disk; nil if the item is in memory only
	index  int    // in the block, or the number of the item if there is no block
	listed bool   // it is in the list of its lane
	held   bool   // a worker has had it
	flying bool   // it is in flight
	gone   bool   // it was accepted or discarded
}

// overhead is about what an Item takes beside its texts, in bytes.
const overhead = 256

// cost is what an item counts against MaxBytes while it is in memory only. It counts less on disk.
func (it *Item) cost() int64 { return int64(len(it.Text) + len(it.ID) + len(it.Lane) + overhead) }

// longAgo is when an item was added that was read from disk: it waits for no others.
const longAgo = time.Duration(math.MinInt64 / 2)

// place is where an item stands in the order of all items.
type place struct {
	block uint64
	index int
}

func (p place) before(q place) bool {
	return p.block < q.block || p.block == q.block && p.index < q.index
}

// place of an item that is in memory only is behind all that are on disk.
func (it *Item) place() place {
	if it.block == nil {
		return place{math.MaxUint64, it.index}
	}
	return place{it.block.order, it.index}
}

// link ties an item to its neighbours in a chain.
type link struct{ before, after *Item }

// The chains that an item can be in.
const (
	ofLane  = iota // the items of a lane in memory
	ofFresh        // the items that are in memory only
)

// chain is a list of items in order. Its links are in the items, so that an item leaves at once wherever it stands.
type chain struct {
	kind        int // ofLane or ofFresh
	first, last *Item
}

func (c *chain) after(it *Item) *Item { return it.links[c.kind].after }

func (c *chain) push(it *Item) {
	it.links[c.kind] = link{before: c.last}
	if c.last != nil {
		c.last.links[c.kind].after = it
	} else {
		c.first = it
	}
	c.last = it
}

func (c *chain) remove(it *Item) {
	l := it.links[c.kind]
	if l.before != nil {
		l.before.links[c.kind].after = l.after
	} else {
		c.first = l.after
	}
	if l.after != nil {
		l.after.links[c.kind].before = l.before
	} else {
		c.last = l.before
	}
	it.links[c.kind] = link{}
}
