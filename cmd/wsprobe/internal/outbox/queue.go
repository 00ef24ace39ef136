package outbox

import (
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// limits bound the batches in a queue.
type limits struct {
	memory int64         // of packed batches in memory, in bytes
	disk   int64         // of batches on disk, in bytes
	age    time.Duration // since the collection; 0 for no bound
}

// queue holds the batches between Add and their delivery, oldest first.
//
// Most batches are delivered at once. The others are persisted, see [queue.persist]: packed to about a tenth, and
// written to the disk if there is one. Only persisted batches count against the limits, because [Outbox.Add] keeps the
// others to a few.
type queue struct {
	limits  limits
	disk    *spool.Store // nil if batches stay in memory
	drop    func(DropCause, int)
	wake    chan struct{} // holds a value when the delivery has batches to send
	added   chan struct{} // holds a value when a batch was added
	urgent  chan struct{} // holds a value when batches should be persisted without delay
	settled chan struct{} // holds a value when a batch was removed or persisted

	mu       sync.Mutex
	batches  []*batch
	searched time.Time // the queue waits until then for batches of earlier processes; zero once they are here
	used     limits    // the sizes of persisted batches
	sending  *batch
	ahead    bool // the batch that was sent last went ahead of older ones
}

func newQueue(l limits, d *spool.Store, drop func(DropCause, int)) *queue {
	return &queue{
		limits: l, disk: d, drop: drop,
		wake: make(chan struct{}, 1), added: make(chan struct{}, 1),
		urgent: make(chan struct{}, 1), settled: make(chan struct{}, 1),
	}
}

// signal puts a value into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add appends a batch.
func (q *queue) add(b *batch) {
	q.mu.Lock()
	q.batches = append(q.batches, b)
	q.mu.Unlock()
	signal(q.wake)
	signal(q.added)
}

// window is a span of time that begins at from and ends before before.
type window struct{ from, before time.Time }

func (w window) contains(t time.Time) bool { return !t.Before(w.from) && t.Before(w.before) }

// next returns the batch to send now and marks it as being sent, or returns nil. It is the oldest batch, but every
// other time the oldest one within the window of the news. It leaves out batches that this pass has passed over.
func (q *queue) next(pass int, news window) (*batch, content) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := func(b *batch) bool { return b.passed != pass }
	due := func(b *batch) bool { return left(b) && news.contains(b.at) }
	at := slices.IndexFunc(q.batches, left)
	if at < 0 {
		q.sending, q.ahead = nil, false
		return nil, content{}
	}
	first := at
	if !q.ahead {
		at = max(at, slices.IndexFunc(q.batches, due))
	}
	q.sending, q.ahead = q.batches[at], at != first
	return q.sending, q.sending.content
}

// keep leaves a batch, which was being sent, for another pass.
func (q *queue) keep(b *batch, pass int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sending = nil
	b.passed = pass
}

// remove takes a batch out, and its file from the disk.
func (q *queue) remove(b *batch) {
	q.mu.Lock()
	if q.sending == b {
		q.sending = nil
	}
	at := slices.Index(q.batches, b)
	if at >= 0 {
		q.take(at)
	}
	q.mu.Unlock()
	if at >= 0 && b.file != nil {
		q.disk.Dir.Remove(*b.file) // nobody else changes the batch after its removal from the list
	}
	signal(q.settled)
}

// split puts others, packed, into the place of a batch.
func (q *queue) split(b *batch, parts []*batch) {
	q.mu.Lock()
	at := slices.Index(q.batches, b)
	if at >= 0 {
		q.take(at)
		q.batches = slices.Insert(q.batches, at, parts...)
		for _, part := range parts {
			q.count(part, +1)
		}
	}
	if q.sending == b {
		q.sending = nil
	}
	q.mu.Unlock()
	if at >= 0 && b.file != nil {
		q.disk.Dir.Remove(*b.file)
	}
	signal(q.urgent)
}

// unsaved returns the number of unsaved batches, the time of the oldest one, and whether others wait.
func (q *queue) unsaved() (n int, oldest time.Time, others bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.batches {
		if !b.unsaved() {
			continue
		}
		if n++; n == 1 {
			oldest = b.at
		}
	}
	return n, oldest, n < len(q.batches)
}

// take takes the batch at an index out of the list. The caller holds the lock.
func (q *queue) take(at int) *batch {
	b := q.batches[at]
	q.batches = slices.Delete(q.batches, at, at+1)
	q.count(b, -1)
	return b
}

// count adds a batch to the bytes in use, or subtracts it. The caller holds the lock.
func (q *queue) count(b *batch, sign int64) {
	memory, disk := b.sizes()
	q.used.memory += sign * memory
	q.used.disk += sign * disk
}

// backlog returns how much waits.
func (q *queue) backlog(now time.Time) Backlog {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := Backlog{Batches: len(q.batches), Bytes: q.used.memory + q.used.disk}
	if len(q.batches) > 0 {
		waiting.Age = now.Sub(q.batches[0].at)
	}
	return waiting
}

// items returns how many items wait in memory, and how many on disk.
func (q *queue) items() (memory, disk int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.batches {
		if b.file != nil {
			disk += b.items
		} else {
			memory += b.items
		}
	}
	return memory, disk
}
