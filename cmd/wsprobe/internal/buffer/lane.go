package buffer

import (
	"context"
	"io"
	"math"
	"time"
)

// Batch bounds what [Buffer.Next] returns: 0 is no bound.
type Batch struct {
	Events int
	Bytes  int64 // of texts; a single item can exceed them
}

// lane has the items of some names. Its list has the next ones, without a gap: first those in flight, then those that
// are due. The list ends before the newest item if the lane is behind. The others are in blocks, from the cursor on,
// and among the fresh items that are not listed.
type lane struct {
	chain
	bit    uint64 // which stands for the lane in a set
	due    *Item  // the first item of the list that is not in flight
	count  int    // of the items that are due
	bytes  int64  // of their texts
	behind bool
	cursor uint64 // of the first block that can have items to list

	wake    chan struct{}
	waiting bool  // the worker waits
	wanted  Batch // for so much
}

// list appends an item.
func (l *lane) list(it *Item) {
	l.push(it)
	it.listed = true
	if l.due == nil {
		l.due = it
	}
	l.count++
	l.bytes += int64(len(it.Text))
	if l.waiting && (l.count == 1 || l.full(l.wanted)) {
		l.waiting = false
		signal(l.wake)
	}
}

// unlist takes an item out of the list.
func (l *lane) unlist(it *Item) {
	if it == l.due {
		l.due = l.after(it)
	}
	l.remove(it)
	it.listed = false
	if !it.flying {
		l.count--
		l.bytes -= int64(len(it.Text))
	}
	it.flying = false
}

// full reports whether there is enough for a batch.
func (l *lane) full(most Batch) bool {
	return most.Events > 0 && l.count >= most.Events || most.Bytes > 0 && l.bytes >= most.Bytes
}

// loaded is how much of what is due is in memory.
func (l *lane) loaded() int64 { return l.bytes + int64(l.count)*overhead }

// Next returns the next items of a lane, in order and of one encoding, and marks them as in flight. It waits until
// there are enough for a batch, or until the first one has waited for linger, or was handed out before. The error is
// that of the context, or [ErrClosed]. It is [io.EOF] once the Buffer is sealed and the rest of the lane is in flight.
func (b *Buffer) Next(ctx context.Context, lane int, most Batch, linger time.Duration) ([]*Item, error) {
	l := b.lanes[lane]
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		items, wait, err := b.fetch(l, most, linger, time.Now())
		if items != nil || err != nil {
			return items, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// fetch returns the next items, or how long to wait for them.
func (b *Buffer) fetch(l *lane, most Batch, linger time.Duration, now time.Time) ([]*Item, time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.waiting, l.wanted = true, most
	switch first := l.due; {
	case b.closed:
		return nil, 0, ErrClosed
	case now.Before(b.search):
		return nil, b.search.Sub(now), nil
	case first == nil && b.sealed && !l.behind:
		return nil, 0, io.EOF
	case first == nil:
		b.refillSoon(l)
		return nil, math.MaxInt64, nil
	case b.sealed, first.held, l.full(most), b.waited(first, now) >= linger:
	default:
		return nil, linger - b.waited(first, now), nil
	}
	l.waiting = false
	items := l.batch(most)
	for _, it := range items {
		it.flying, it.held = true, true
		l.count--
		l.bytes -= int64(len(it.Text))
	}
	l.due = l.after(items[len(items)-1])
	b.refillSoon(l)
	return items, 0, nil
}

// waited returns for how long an item has been in the Buffer.
func (b *Buffer) waited(it *Item, now time.Time) time.Duration { return now.Sub(b.start) - it.added }

// batch returns the items of a batch. There is at least one that is due.
func (l *lane) batch(most Batch) []*Item {
	n, bytes := 0, int64(0)
	for it := l.due; it != nil && it.Encoding == l.due.Encoding; it = l.after(it) {
		bytes += int64(len(it.Text))
		if n > 0 && (n == most.Events || most.Bytes > 0 && bytes > most.Bytes) {
			break
		}
		n++
	}
	items := make([]*Item, 0, n)
	for it := l.due; len(items) < n; it = l.after(it) {
		items = append(items, it)
	}
	return items
}
