package receiver

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
)

// Inbox keeps what a [Receiver] hands over, for tests that wait for it. The zero value is empty and ready.
type Inbox[T any] struct {
	mu    sync.Mutex
	items []T
	more  chan struct{} // closed when something comes
}

// Add appends an item. It is what Receiver.Point, Record and Span want.
func (b *Inbox[T]) Add(item T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, item)
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
}

// Clear forgets what has come so far.
func (b *Inbox[T]) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = nil
}

// All returns what has come so far.
func (b *Inbox[T]) All() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.items)
}

// Where returns what has come so far and matches.
func (b *Inbox[T]) Where(match func(T) bool) []T {
	return slices.DeleteFunc(b.All(), func(item T) bool { return !match(item) })
}

// Await returns what matches as soon as there are n of it. The error says how many there were when ctx ended.
func (b *Inbox[T]) Await(ctx context.Context, n int, match func(T) bool) ([]T, error) {
	for {
		b.mu.Lock()
		if b.more == nil {
			b.more = make(chan struct{})
		}
		more := b.more
		b.mu.Unlock()
		found := b.Where(match)
		if len(found) >= n {
			return found, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return found, fmt.Errorf("%d arrived, want %d: %w", len(found), n, context.Cause(ctx))
		}
	}
}

// Of matches the points of a metric that a probe has.
func Of(metric, probe string) func(Point) bool {
	return func(p Point) bool { return p.Metric == metric && p.Attributes["wsprobe.name"] == probe }
}

// Running is a receiver that listens on a port of its own.
type Running struct {
	Address string
	end     context.CancelFunc
	served  chan error
}

// Start lets a receiver listen on loopback, until Stop is called.
func Start(r *Receiver) (*Running, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a receiver: %w", err)
	}
	ctx, end := context.WithCancel(context.Background())
	running := &Running{Address: l.Addr().String(), end: end, served: make(chan error, 1)}
	go func() { running.served <- r.Serve(ctx, l) }()
	return running, nil
}

// Stop ends it, and returns when nothing is handed over any more. The error is that of Serve.
func (r *Running) Stop() error {
	r.end()
	return <-r.served
}
