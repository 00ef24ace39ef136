package telemetry

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// Bounds of a relay.
const (
	relayBytes = 8 << 20   // of what waits
	batchBytes = 512 << 10 // of a request, far below the 4 MiB that a gRPC server accepts
	relayDelay = time.Second
)

// relay takes what is not a metric to the receiver: single items, in order, in requests of many. What the receiver
// refuses for now is tried again; meanwhile the others wait, as many as there is room for. The oldest go first.
type relay[T any] struct {
	size   func(T) int // of an item in a request, in bytes, at most
	limit  int         // of what waits, by these sizes; 0 for relayBytes
	send   func(context.Context, []T) verdict
	spread float64 // see delivery

	// sent, drop and report are told what becomes of items, outside of any lock.
	sent   func(items int)
	drop   func(cause DropCause, items int)
	report func(v verdict, items int)

	wake chan struct{} // holds a value when there may be something to send
	full chan struct{} // holds a value when there may be a whole request

	mu    sync.Mutex
	items []T
	bytes int
}

// add appends an item. It waits for nothing.
func (r *relay[T]) add(item T) {
	r.mu.Lock()
	r.items = append(r.items, item)
	r.bytes += r.size(item)
	gone := 0
	for r.bytes > cmp.Or(r.limit, relayBytes) {
		r.bytes -= r.size(r.items[gone])
		gone++
	}
	r.forget(gone)
	whole := r.bytes >= batchBytes
	r.mu.Unlock()
	if gone > 0 {
		r.drop(DropQueueFull, gone)
	}
	signal(r.wake)
	if whole {
		signal(r.full)
	}
}

// forget lets go of the oldest items.
func (r *relay[T]) forget(n int) {
	clear(r.items[:n])
	r.items = r.items[n:]
}

// take removes what makes one request.
func (r *relay[T]) take() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, bytes := 0, 0
	for n < len(r.items) && (n == 0 || bytes+r.size(r.items[n]) <= batchBytes) {
		bytes += r.size(r.items[n])
		n++
	}
	batch := append([]T(nil), r.items[:n]...)
	r.bytes -= bytes
	r.forget(n)
	return batch
}

// run sends until last is closed, which says that nothing more comes, and everything has been sent. It gives up when
// ctx ends, and returns how many items that leaves.
func (r *relay[T]) run(ctx context.Context, last <-chan struct{}) (left int) {
	for ended := false; !ended; {
		select {
		case <-r.wake:
			r.gather(ctx, last)
		case <-last:
			ended = true
		case <-ctx.Done():
			ended = true
		}
		for batch := r.take(); len(batch) > 0; batch = r.take() {
			if !r.deliver(ctx, last, batch) {
				r.mu.Lock()
				defer r.mu.Unlock()
				return len(batch) + len(r.items)
			}
		}
	}
	return 0
}

// gather lets what comes together travel together: it waits for others, unless they make a request already.
func (r *relay[T]) gather(ctx context.Context, last <-chan struct{}) {
	timer := time.NewTimer(relayDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.full:
	case <-last:
	case <-ctx.Done():
	}
}

// deliver sends a batch until the receiver has decided about it. It returns false if ctx ended before.
func (r *relay[T]) deliver(ctx context.Context, last <-chan struct{}, batch []T) bool {
	for tries := 1; ctx.Err() == nil; tries++ {
		v := r.send(ctx, batch)
		if v.outcome == Deferred && v.doubtful && tries >= maxStrikes {
			v.outcome = Rejected
		}
		r.report(v, len(batch))
		switch v.outcome {
		case Deferred:
			own := time.Duration(float64(min(longPause, firstPause<<min(tries-1, 10))) * r.spread)
			pause(ctx, last, max(own, min(v.retryAfter, maxThrottle)))
			continue
		case Rejected:
			v.rejected = len(batch)
		}
		v.rejected = min(v.rejected, len(batch))
		if v.rejected > 0 {
			r.drop(DropRejected, v.rejected)
		}
		r.sent(len(batch) - v.rejected)
		return true
	}
	return false
}

// pause waits, though not beyond the end of ctx. Once last is closed it only keeps a receiver that is away from being
// asked without a break.
func pause(ctx context.Context, last <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
		return
	case <-last:
	}
	timer.Reset(min(d, lastPause))
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// lastPause is between two tries when the agent stops.
const lastPause = 100 * time.Millisecond
