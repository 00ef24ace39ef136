package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// Bounds of a gatherer.
const (
	gatherBytes = 8 << 20   // of the items that are not in a batch yet
	batchBytes  = 512 << 10 // of a batch, far below the 4 MiB that a gRPC server accepts
	gatherDelay = time.Second
)

// gatherer puts single items into batches of many, in their order. Its bounds go by the size of the items in a request.
type gatherer[T any] struct {
	size   func(T) int               // the most bytes of an item in a request
	encode func([]T) ([]byte, error) // makes a request
	lost   func(items int)           // counts the items for which there was no room

	wake chan struct{} // holds a value when there are items
	full chan struct{} // holds a value when they fill a batch

	mu    sync.Mutex
	items []T
	bytes int
}

func newGatherer[T any](size func(T) int, encode func([]T) ([]byte, error), lost func(items int)) *gatherer[T] {
	return &gatherer[T]{size: size, encode: encode, lost: lost, wake: make(chan struct{}, 1), full: make(chan struct{}, 1)}
}

// add appends an item. It waits for nothing. Without room the oldest items go.
func (g *gatherer[T]) add(item T) {
	g.mu.Lock()
	g.items = append(g.items, item)
	g.bytes += g.size(item)
	gone := 0
	for g.bytes > gatherBytes {
		g.bytes -= g.size(g.items[gone])
		gone++
	}
	g.forget(gone)
	whole := g.bytes >= batchBytes
	g.mu.Unlock()
	if gone > 0 {
		g.lost(gone)
	}
	signal(g.wake)
	if whole {
		signal(g.full)
	}
}

// forget lets go of the oldest items. The caller holds the lock.
func (g *gatherer[T]) forget(n int) {
	clear(g.items[:n])
	g.items = g.items[n:]
}

// take removes the items of one batch.
func (g *gatherer[T]) take() []T {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, bytes := 0, 0
	for n < len(g.items) && (n == 0 || bytes+g.size(g.items[n]) <= batchBytes) {
		bytes += g.size(g.items[n])
		n++
	}
	batch := append([]T(nil), g.items[:n]...)
	g.bytes -= bytes
	g.forget(n)
	return batch
}

// run hands batches over until ctx ends, and then the last items. Items wait for others as long as delay says.
func (g *gatherer[T]) run(ctx context.Context, delay func() time.Duration, hand func(outbox.Batch)) {
	for ended := false; !ended; {
		select {
		case <-g.wake:
			g.wait(ctx, delay())
		case <-ctx.Done():
		}
		ended = ctx.Err() != nil // before the items are taken, because those of before are the last
		for items := g.take(); len(items) > 0; items = g.take() {
			hand(outbox.Batch{
				Encode: func() ([]byte, error) { return g.encode(items) },
				Items:  len(items),
				At:     time.Now(),
			})
		}
	}
}

// wait lets items that come together travel together: it waits for others, unless the items fill a batch already.
func (g *gatherer[T]) wait(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.full:
	case <-ctx.Done():
	}
}

// signal puts a value into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
