package outbox

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// persistence persists the batches that were not delivered at once.
type persistence struct {
	queue   *queue
	pace    *pace
	failing func() bool // whether exports fail
}

// run persists batches until done is closed.
func (p *persistence) run(done <-chan struct{}) {
	slow := time.NewTimer(p.pace.persistAfter.get()) // ticks when the oldest unsaved batch should have arrived
	defer slow.Stop()
	for {
		select {
		case <-done:
			return
		case <-p.queue.urgent:
			p.queue.persist(time.Now())
		case <-p.queue.added:
			p.check(slow)
		case <-slow.C:
			p.check(slow)
		}
	}
}

// check persists what waits, if some of it has waited for too long, or if new batches have to wait in any case.
func (p *persistence) check(slow *time.Timer) {
	unsaved, oldest, others := p.queue.unsaved()
	if unsaved == 0 {
		return
	}
	if rest := p.pace.persistAfter.get() - time.Since(oldest); rest > 0 && !others && !p.failing() {
		slow.Reset(rest)
		return
	}
	p.queue.persist(time.Now())
}

// persist gives every waiting batch its lasting form: on disk if there is one that works, else packed in memory. It
// encodes and writes without the lock, because that takes a while. It also persists the batch that is being sent,
// because that can come back, and because the process can end before it has arrived. It drops what is over the limits.
//
// Two goroutines must not call it at once. Nothing else changes the content of a batch in the queue.
func (q *queue) persist(now time.Time) {
	usable := false
	if q.disk != nil {
		entries, err := q.disk.Ready()
		q.load(now, entries)
		q.search(time.Time{})
		usable = err == nil
	}
	q.expire(now)
	for _, b := range q.waiting(usable) {
		packed := b.packed
		if b.unsaved() {
			request, err := b.request()
			if err == nil {
				packed, err = Pack(request)
			}
			if err != nil {
				q.dropOne(b, DropUnencodable)
				continue
			}
		}
		saved := content{packed: packed}
		if usable {
			saved, usable = q.write(b, packed)
		}
		q.replace(b, saved)
	}
}

// waiting returns the batches that persist has work with.
func (q *queue) waiting(usable bool) []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	var waiting []*batch
	for _, b := range q.batches {
		if b.unsaved() || usable && b.file == nil {
			waiting = append(waiting, b)
		}
	}
	return waiting
}

// write puts a packed batch on the disk, once there is room for it within the limit. The batch stays in memory if that
// fails.
func (q *queue) write(b *batch, packed []byte) (saved content, ok bool) {
	size := spool.Size(len(packed))
	if size > q.limits.disk {
		return content{packed: packed}, true // for memory, whose limit is not larger, to refuse
	}
	q.shrink(size)
	file, err := q.disk.Put(b.at, b.items, packed)
	if err != nil {
		return content{packed: packed}, false
	}
	return content{file: &file}, true
}

// replace changes the form of a batch, unless it was delivered meanwhile.
func (q *queue) replace(b *batch, saved content) {
	q.mu.Lock()
	here := slices.Contains(q.batches, b)
	if here {
		q.count(b, -1)
		b.content = saved
		q.count(b, +1)
	}
	q.mu.Unlock()
	if !here && saved.file != nil {
		q.disk.Dir.Remove(*saved.file)
	}
	q.shrink(0)
	signal(q.settled)
}

// shrink drops the oldest batches until the others are within the limits, with so many bytes to spare on disk. The
// batch that is being sent stays, because it may have arrived.
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
	q.discard(dropped, DropQueueFull)
}

// expire drops the batches that have waited for too long.
func (q *queue) expire(now time.Time) {
	if q.limits.age <= 0 {
		return
	}
	q.mu.Lock()
	var dropped []*batch
	for i := 0; i < len(q.batches); {
		if b := q.batches[i]; b == q.sending || now.Sub(b.at) <= q.limits.age {
			i++
			continue
		}
		dropped = append(dropped, q.take(i))
	}
	q.mu.Unlock()
	q.discard(dropped, DropExpired)
}

// dropOne drops one batch.
func (q *queue) dropOne(b *batch, cause DropCause) {
	q.remove(b)
	q.drop(cause, b.items)
}

// discard reports batches that were taken out, and removes their files.
func (q *queue) discard(dropped []*batch, cause DropCause) {
	items := 0
	for _, b := range dropped {
		items += b.items
		if b.file != nil {
			q.disk.Dir.Remove(*b.file)
		}
	}
	if items > 0 {
		q.drop(cause, items)
	}
	if len(dropped) > 0 {
		signal(q.settled)
	}
}
