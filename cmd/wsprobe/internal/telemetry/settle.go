package telemetry

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// encoder packs a batch.
type encoder func(*metricdata.ResourceMetrics) ([]byte, error)

// open takes the directory of the spool, and over what an earlier process left there. The error says that another
// process has the directory; every other trouble with a disk can pass.
func (q *queue) open(now time.Time) error {
	if q.disk == nil {
		return nil
	}
	entries, err := q.disk.ready()
	if errors.Is(err, spool.ErrInUse) {
		return fmt.Errorf("spool %s: %w", q.disk.dir.Path, err)
	}
	q.load(now, entries)
	q.search(now.Add(maxSearch))
	return nil
}

// maxSearch bounds how long exports wait for batches of earlier processes, which are older than all others. It takes a disk
// that is very slow, and an order that is broken is better than no export.
const maxSearch = 30 * time.Second

// search notes whether batches of earlier processes are still being looked for, and until when to wait for them.
func (q *queue) search(until time.Time) {
	searching := q.disk.dir.Scanning()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !searching:
		q.searched = time.Time{}
	case !until.IsZero():
		q.searched = until
	}
}

// searching reports whether older batches than those in the queue are expected.
func (q *queue) searching(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return now.Before(q.searched)
}

// close gives the directory of the spool back.
func (q *queue) close() error {
	if q.disk == nil {
		return nil
	}
	return q.disk.dir.Close()
}

// settle gives every batch that waits its lasting form: on disk if there is one that works, else packed in
// memory. Batches are encoded and written without the lock, for it takes a while. The one that is being sent is
// settled, too, in case it comes back, or the process ends before it has arrived. What is over the limits goes.
//
// It must not be called by two goroutines at once, and nothing else changes the content of a batch that is in
// the queue.
func (q *queue) settle(now time.Time, encode encoder) {
	usable := false
	if q.disk != nil {
		entries, err := q.disk.ready()
		q.load(now, entries)
		q.search(time.Time{})
		usable = err == nil
	}
	q.expire(now)
	for _, b := range q.waiting(usable) {
		packed := b.packed
		if b.data != nil {
			var err error
			if packed, err = encode(b.data); err != nil {
				q.giveUp(b, DropUnencodable)
				continue
			}
		}
		settled := content{packed: packed}
		if usable {
			settled, usable = q.write(b, packed)
		}
		q.replace(b, settled)
	}
}

// waiting returns the batches that settle has work with.
func (q *queue) waiting(usable bool) []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	var waiting []*batch
	for _, b := range q.batches {
		if b.data != nil || usable && b.file == nil {
			waiting = append(waiting, b)
		}
	}
	return waiting
}

// write puts a packed batch on the disk, once there is room for it within the limit. If that fails the batch
// stays in memory.
func (q *queue) write(b *batch, packed []byte) (settled content, ok bool) {
	size := spool.Size(len(packed))
	if size > q.limits.disk {
		return content{packed: packed}, true // for memory, whose limit is no larger, to refuse
	}
	q.shrink(size)
	file, err := q.disk.put(b, packed)
	if err != nil {
		return content{packed: packed}, false
	}
	return content{file: file}, true
}

// replace changes the form of a batch, unless it was delivered meanwhile.
func (q *queue) replace(b *batch, settled content) {
	q.mu.Lock()
	here := slices.Contains(q.batches, b)
	if here {
		q.count(b, -1)
		b.content = settled
		q.count(b, +1)
	}
	q.mu.Unlock()
	if !here && settled.file != nil {
		q.disk.remove(settled.file)
	}
	q.shrink(0)
}

// shrink drops the oldest batches until the others are within the limits, with so many bytes to spare on disk.
// The one that is being sent stays: it may have arrived.
func (q *queue) shrink(spare int64) {
	q.mu.Lock()
	var dropped []*batch
	for i := 0; i < len(q.batches); {
		overMemory, overDisk := q.used.memory > q.limits.memory, q.used.disk+spare > q.limits.disk && q.disk != nil
		if !overMemory && !overDisk {
			break
		}
		b := q.batches[i]
		memory, disk := b.sizes()
		if b == q.sending || (memory == 0 || !overMemory) && (disk == 0 || !overDisk) {
			i++
			continue
		}
		dropped = append(dropped, q.take(i))
	}
	q.mu.Unlock()
	q.bury(dropped, DropQueueFull)
}

// expire drops what has waited for too long.
func (q *queue) expire(now time.Time) {
	if q.limits.age <= 0 {
		return
	}
	q.mu.Lock()
	var dropped []*batch
	for i := 0; i < len(q.batches); {
		if b := q.batches[i]; b == q.sending || now.Sub(b.collected) <= q.limits.age {
			i++
			continue
		}
		dropped = append(dropped, q.take(i))
	}
	q.mu.Unlock()
	q.bury(dropped, DropExpired)
}

// giveUp drops one batch.
func (q *queue) giveUp(b *batch, cause DropCause) {
	q.remove(b)
	q.drop(cause, b.points)
}

// bury does what is left to do for batches that were taken out.
func (q *queue) bury(dropped []*batch, cause DropCause) {
	for _, b := range dropped {
		q.drop(cause, b.points)
		if b.file != nil {
			q.disk.remove(b.file)
		}
	}
}

// load takes over batches that were found on the disk, ahead of all that this process has collected. Their age goes
// on from what the wall clock says it is now: a step of the clock cannot change it any more, and a time that is
// still to come counts as now.
func (q *queue) load(now time.Time, entries []spool.Entry) {
	if len(entries) == 0 {
		return
	}
	q.mu.Lock()
	known := make(map[string]bool)
	for _, b := range q.batches {
		if b.file != nil {
			known[b.file.File] = true
		}
	}
	var found []*batch
	for _, e := range entries {
		if known[e.File] {
			continue
		}
		age := max(0, now.Round(0).Sub(e.Time))
		b := &batch{content: content{file: &e}, points: e.Items, collected: now.Add(-age)}
		found = append(found, b)
		q.count(b, +1)
	}
	if len(found) > 0 {
		found[0].unanswered = true // it may have been on its way when the process before this one was killed
	}
	q.batches = append(found, q.batches...)
	q.mu.Unlock()
	q.expire(now)
	q.shrink(0)
	signal(q.wake)
}

// fetch returns the content of a batch in memory. A batch that is damaged is given up; one that cannot be read for
// now stays.
func (q *queue) fetch(b *batch, c content) (content, bool) {
	if c.file == nil {
		return c, true
	}
	packed, err := q.disk.get(c.file)
	if errors.Is(err, spool.ErrDamaged) {
		q.giveUp(b, DropDamaged)
	}
	return content{packed: packed, file: c.file}, err == nil
}

// spoilt gives up a batch that cannot be brought into the form of a request.
func (q *queue) spoilt(b *batch, c content, why string) {
	cause := DropDamaged
	switch {
	case c.data != nil:
		cause = DropUnencodable
	case c.file != nil:
		q.disk.setAside(c.file, why)
	}
	q.giveUp(b, cause)
}
