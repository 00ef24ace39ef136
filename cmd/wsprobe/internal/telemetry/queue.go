package telemetry

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// batchOverhead is what a packed batch in memory takes besides its content, in bytes.
const batchOverhead = 256

// content is one export request in one of its forms: as it was collected, packed, or packed on disk.
type content struct {
	data   *metricdata.ResourceMetrics
	packed []byte
	file   *spool.Entry
}

// request returns the request in protobuf.
func (c content) request() ([]byte, error) {
	if c.data != nil {
		return marshal(c.data)
	}
	return unpack(c.packed)
}

// batch is one export request on its way.
type batch struct {
	content
	points    int
	collected time.Time
	passed    int  // the last pass of the delivery that passed it over
	strikes   int  // how often it was refused for a reason that can be its own
	part      bool // it is a half of a batch that was split
	// unanswered says that it may have reached the receiver already.
	unanswered bool
}

// sizes is what the batch counts against the limits: nothing before it is packed.
func (b *batch) sizes() (memory, disk int64) {
	switch {
	case b.file != nil:
		return 0, b.file.Size
	case b.packed != nil:
		return int64(len(b.packed)) + batchOverhead, 0
	}
	return 0, 0
}

// limits bound what waits in a queue.
type limits struct {
	memory int64         // of packed batches in memory, in bytes
	disk   int64         // of batches on disk, in bytes
	age    time.Duration // since the collection
}

// queue holds the batches between their collection and their delivery, oldest first.
//
// A batch comes as metricdata, which is large and, in the ordinary course, gone again at once. What is not is
// settled: packed, a tenth of the size, and put on the disk if there is one. See [queue.settle]. Only settled batches count
// against the limits. The others are the yield of one collection, which the bound on pending runs keeps in
// check.
type queue struct {
	limits    limits
	disk      *disk // nil if batches stay in memory
	drop      func(DropCause, int)
	wake      chan struct{} // holds a value when batches have come
	unsettled chan struct{} // holds a value when batches should be settled without delay
	removed   chan struct{} // holds a value when a batch was removed

	mu       sync.Mutex
	batches  []*batch
	searched time.Time // until then, batches of earlier processes are waited for; zero once they are here
	used     limits    // the sizes of settled batches
	sending  *batch
	ahead    bool // the batch that was sent last went ahead of older ones
}

func newQueue(l limits, d *disk, drop func(DropCause, int)) *queue {
	return &queue{
		limits: l, disk: d, drop: drop,
		wake: make(chan struct{}, 1), unsettled: make(chan struct{}, 1), removed: make(chan struct{}, 1),
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
}

// window is a time, from one moment and before another.
type window struct{ from, before time.Time }

func (w window) contains(t time.Time) bool { return !t.Before(w.from) && t.Before(w.before) }

// next returns the batch to send now and marks it as being sent, or nil. That is the oldest one, but every
// other time the oldest that was collected within the window of the news. Batches that this pass has passed over
// are left out.
func (q *queue) next(pass int, news window) (*batch, content) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := func(b *batch) bool { return b.passed != pass }
	due := func(b *batch) bool { return left(b) && news.contains(b.collected) }
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

// remove takes a batch out, from the disk, too.
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
		q.disk.remove(b.file) // after its removal from the list nobody else changes the batch
	}
	signal(q.removed)
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
		q.disk.remove(b.file)
	}
	signal(q.unsettled)
}

// loose returns how many batches are not settled, when the oldest of them was collected, and whether others wait.
func (q *queue) loose() (n int, oldest time.Time, others bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.batches {
		if b.data == nil {
			continue
		}
		if n++; n == 1 {
			oldest = b.collected
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

// count adds a batch to what is used, or subtracts it. The caller holds the lock.
func (q *queue) count(b *batch, sign int64) {
	memory, disk := b.sizes()
	q.used.memory += sign * memory
	q.used.disk += sign * disk
}

// state returns how much waits.
func (q *queue) state(now time.Time) queueState {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := queueState{batches: len(q.batches), bytes: q.used.memory + q.used.disk}
	if len(q.batches) > 0 {
		s.age = now.Sub(q.batches[0].collected)
	}
	return s
}

// points returns how many points wait in memory, and how many on disk.
func (q *queue) points() (memory, disk int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.batches {
		if b.file != nil {
			disk += b.points
		} else {
			memory += b.points
		}
	}
	return memory, disk
}
