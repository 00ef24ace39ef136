package telemetry

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// batchOverhead is what a packed batch takes besides its content, in bytes.
const batchOverhead = 256

// content is one export request, as it was collected or packed.
type content struct {
	data   *metricdata.ResourceMetrics // nil once it is packed
	packed []byte
}

// batch is one export request on its way.
type batch struct {
	content
	points    int
	collected time.Time
	passed    int // the last pass of the delivery that passed it over
	strikes   int // how often it was refused while another was accepted
}

// size is what the batch counts against the limit: nothing unless it is packed.
func (b *batch) size() int64 {
	if b.packed == nil {
		return 0
	}
	return int64(len(b.packed)) + batchOverhead
}

// queue holds the batches between their collection and their delivery, oldest first.
//
// A batch comes as metricdata, which is large and, in the ordinary course, gone again at once. Whatever the
// next collection still finds is packed: encoded and compressed, a tenth of the size and the form in which a
// store that outlives the process would keep it. Only packed batches count against the limit. The others are
// the yield of one collection, which the bound on pending runs keeps in check.
type queue struct {
	limit int64
	drop  func(DropCause, int)
	wake  chan struct{} // holds a value when batches have come

	mu      sync.Mutex
	batches []*batch
	bytes   int64     // of packed batches
	latest  time.Time // when the newest batches were collected
	sending *batch
	ahead   bool // the batch that was sent last went ahead of older ones
}

func newQueue(limit int64, drop func(DropCause, int)) *queue {
	return &queue{limit: limit, drop: drop, wake: make(chan struct{}, 1)}
}

// add appends the batches of a collection.
func (q *queue) add(collected time.Time, batches []*batch) {
	q.mu.Lock()
	q.latest = collected
	q.batches = append(q.batches, batches...)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// pack packs what is not packed yet and drops the oldest packed batches that are over the limit. Batches are
// encoded without the lock, for it takes a while. The one that is being sent is packed too, in case it comes
// back, but never dropped: it may have arrived.
func (q *queue) pack(encode func(*metricdata.ResourceMetrics) ([]byte, error)) {
	q.mu.Lock()
	waiting := slices.Clone(q.batches)
	q.mu.Unlock()
	for _, b := range waiting {
		if b.data == nil {
			continue // only this method clears data, so it can be read without the lock
		}
		packed, err := encode(b.data)
		q.mu.Lock()
		switch at := slices.Index(q.batches, b); {
		case at < 0: // delivered meanwhile
		case err != nil:
			q.batches = slices.Delete(q.batches, at, at+1)
			q.drop(DropUnencodable, b.points)
		default:
			b.content = content{packed: packed}
			q.bytes += b.size()
			q.shrink()
		}
		q.mu.Unlock()
	}
}

// shrink drops the oldest packed batches until the rest is within the limit. The caller holds the lock.
func (q *queue) shrink() {
	for i := 0; i < len(q.batches) && q.bytes > q.limit; {
		b := q.batches[i]
		if b == q.sending || b.data != nil {
			i++
			continue
		}
		q.batches = slices.Delete(q.batches, i, i+1)
		q.bytes -= b.size()
		q.drop(DropQueueFull, b.points)
	}
}

// next returns the batch to send now and marks it as being sent, or nil. That is the oldest one, but every
// other time the oldest of the latest collection if that collection was made before newsDue. Batches that
// this pass has passed over are left out.
func (q *queue) next(pass int, newsDue time.Time) (*batch, content) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := func(b *batch) bool { return b.passed != pass }
	news := func(b *batch) bool { return left(b) && b.collected.Equal(q.latest) }
	at := slices.IndexFunc(q.batches, left)
	if at < 0 {
		q.sending, q.ahead = nil, false
		return nil, content{}
	}
	first := at
	if q.latest.Before(newsDue) && !q.ahead {
		at = max(at, slices.IndexFunc(q.batches, news))
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

// remove takes a batch out.
func (q *queue) remove(b *batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sending == b {
		q.sending = nil
	}
	if at := slices.Index(q.batches, b); at >= 0 {
		q.batches = slices.Delete(q.batches, at, at+1)
		q.bytes -= b.size()
	}
}

// state returns how much waits.
func (q *queue) state(now time.Time) queueState {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := queueState{batches: len(q.batches), bytes: q.bytes}
	if len(q.batches) > 0 {
		s.age = now.Sub(q.batches[0].collected)
	}
	return s
}

// points returns how many points wait.
func (q *queue) points() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, b := range q.batches {
		n += b.points
	}
	return n
}
