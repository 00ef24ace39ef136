package buffer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

const (
	// persistAfter is how long an event waits for its acceptance before it is written.
	persistAfter = 400 * time.Millisecond
	// retryAfter is the pause after a failure of the disk.
	retryAfter = time.Second
	// tidyAfter is the pause between tries to remove files that could not be removed.
	tidyAfter = 10 * time.Second
	// maxSearch bounds how long Next waits for blocks of earlier processes, whose events are older than all others. Only
	// a very slow disk takes longer, and a broken order is better than no delivery.
	maxSearch = 30 * time.Second
	// mostFresh is how much may be in memory only beside a directory, in bytes.
	mostFresh = 16 << 20
	// mostAhead bounds the events on disk that a lane also has in memory, in bytes.
	mostAhead = 1 << 20
)

// Run does the work with the disk until ctx ends. Without a directory there is none.
func (b *Buffer) Run(ctx context.Context) {
	if b.store == nil {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.kick:
		case <-timer.C:
		}
		for b.work(time.Now()) && ctx.Err() == nil {
		}
		timer.Reset(b.rest(time.Now()))
	}
}

// work writes what has waited for too long, and reads a block that is due. It reports whether there can be more to do.
func (b *Buffer) work(now time.Time) bool {
	if b.store.Dir.Scanning() {
		b.find(b.store.Dir.Found(0))
	}
	if now.Before(b.retry) {
		return b.refill(now)
	}
	due := b.writeDue(now)
	if due && now.Sub(b.tidied) >= tidyAfter || !b.retry.IsZero() {
		_ = b.ready(now)
	}
	if due && b.retry.IsZero() {
		b.write(now)
	}
	return b.refill(now)
}

// rest returns when there is work again, if nobody kicks before. As long as events come, Run looks after them now and
// then: to be woken by each one costs more than the event.
func (b *Buffer) rest(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.fresh.first
	b.idle = first == nil && b.number == b.looked
	b.looked = b.number
	wait := time.Duration(math.MaxInt64)
	switch {
	case !b.retry.IsZero():
		wait = b.retry.Sub(now)
	case first != nil:
		wait = persistAfter - b.waited(first, now)
	case !b.idle:
		wait = persistAfter
	}
	if !b.reading.IsZero() {
		wait = min(wait, b.reading.Sub(now))
	}
	return max(wait, 0)
}

// writeDue reports whether something waits for too long in memory only, or too much.
func (b *Buffer) writeDue(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.fresh.first
	return first != nil && (b.waited(first, now) >= persistAfter || b.freshBytes > b.mostFresh/2)
}

// ready makes the disk usable, if it can, and takes over what it has found.
func (b *Buffer) ready(now time.Time) error {
	entries, err := b.store.Ready()
	b.tidied = now
	b.after(err)
	b.find(entries)
	return err
}

// after notes whether a use of the disk failed, which is then left alone for a moment.
func (b *Buffer) after(err error) {
	if b.retry = (time.Time{}); err != nil {
		b.retry = time.Now().Add(retryAfter)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = err
}

// take takes the directory at the start.
func (b *Buffer) take() error {
	now := time.Now()
	if err := b.ready(now); errors.Is(err, spool.ErrInUse) && !b.options.Patient {
		return b.InUse()
	}
	if b.store.Dir.Scanning() {
		b.mu.Lock()
		b.search = now.Add(maxSearch)
		b.mu.Unlock()
	}
	return nil
}

// InUse is an error while another process has the directory, which was found out a second ago at most.
func (b *Buffer) InUse() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.trouble, spool.ErrInUse) {
		return fmt.Errorf("buffer %s: %w", b.options.Dir, spool.ErrInUse)
	}
	return nil
}

// lost counts events of an earlier process that are lost with files that are no blocks.
func (b *Buffer) lost(_, items int) {
	if items == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken += int64(items)
	b.discarded[Damaged] += int64(items)
}

// Close writes what is in memory only, or discards it as [Stopped], and gives the directory back. What is on disk
// waits for the next start. Run must have ended.
func (b *Buffer) Close() error {
	if !b.lastEvents() {
		return nil
	}
	if now := time.Now(); b.store != nil && b.ready(now) == nil {
		b.write(now)
		b.mark()
	}
	b.mu.Lock()
	for b.fresh.first != nil {
		b.leave(b.fresh.first)
		b.discarded[Stopped]++
	}
	b.closed = true
	b.wakeAll()
	b.unlock()
	if b.store == nil {
		return nil
	}
	return b.store.Dir.Close()
}

// lastEvents seals the Buffer for its end, and reports whether it was not closed before.
func (b *Buffer) lastEvents() bool {
	b.mu.Lock()
	defer b.unlock()
	b.sealed = true
	return !b.closed
}
