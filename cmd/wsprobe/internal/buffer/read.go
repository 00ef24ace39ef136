package buffer

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// maxTries is how often a file is read that cannot be read, while the disk answers.
const maxTries = 10

// wants reports whether a lane should have more of its items in memory.
func (b *Buffer) wants(l *lane) bool { return l.behind && l.loaded() <= b.ahead/2 }

// refillSoon lets Run read what is due in a lane.
func (b *Buffer) refillSoon(l *lane) {
	if b.wants(l) {
		signal(b.kick)
	}
}

// refill reads a block for the lanes that want more. It reports whether there can be more to do.
func (b *Buffer) refill(now time.Time) bool {
	k := b.toRead(now)
	if k == nil {
		return false
	}
	if k.items != nil {
		b.mu.Lock()
		defer b.unlock()
		b.bring(k, func(at int) *lane { return k.items[at].lane }, func(at int) *Item { return k.items[at] })
		return true
	}
	records, err := b.read(k)
	switch {
	case err == nil:
	case errors.Is(err, spool.ErrDamaged):
		b.giveUp(k)
		return true
	default:
		b.reading = now.Add(retryAfter)
		return false
	}
	b.mu.Lock()
	defer b.unlock()
	laneAt := func(at int) *lane { return b.laneOf(records[at].lane) }
	b.bring(k, laneAt, func(at int) *Item {
		it := records[at].item()
		it.lane, it.block, it.index = laneAt(at), k, at
		if k.earlier {
			it.Sends++
		}
		return it
	})
	return true
}

// toRead returns a block that has the next items of a lane that wants more. A lane without such a block gets its fresh
// items.
func (b *Buffer) toRead(now time.Time) *block {
	if !now.Before(b.reading) {
		b.reading = time.Time{}
	}
	b.mu.Lock()
	defer b.unlock()
	var next *block
	for _, l := range b.lanes {
		if !b.wants(l) {
			continue
		}
		k := b.nextFor(l)
		switch {
		case k == nil:
			b.catchUp(l)
		case next == nil && (k.items != nil || b.reading.IsZero()):
			next = k
		}
	}
	return next
}

// catchUp lists all items of a lane that are not listed. None is on disk.
func (b *Buffer) catchUp(l *lane) {
	l.behind = false
	for it := b.fresh.first; it != nil; it = b.fresh.after(it) {
		if it.lane == l && !it.listed {
			l.list(it)
		}
	}
	if b.sealed {
		signal(l.wake)
	}
}

// bring lists the items of a block that are away, for the lanes that want them next.
func (b *Buffer) bring(k *block, laneAt func(at int) *lane, item func(at int) *Item) {
	wanting := uint64(0)
	for _, l := range b.lanes {
		if b.wants(l) && b.nextFor(l) == k {
			wanting |= l.bit
			l.cursor = k.order + 1
		}
	}
	for at := range k.entry.Items {
		if k.isAway(at) && laneAt(at).bit&wanting != 0 {
			k.bring(at)
			laneAt(at).list(item(at))
		}
	}
}

// read returns the items of a block. The error is [spool.ErrDamaged] if they are lost.
func (b *Buffer) read(k *block) ([]record, error) {
	content, err := b.store.Get(k.entry)
	switch {
	case errors.Is(err, spool.ErrDamaged):
		return nil, err
	case err != nil:
		if !errors.Is(err, spool.ErrStuck) {
			k.tries++
		}
		if k.tries < maxTries {
			return nil, err
		}
	default:
		var records []record
		if records, err = decode(content, k.entry.Items); err == nil {
			return records, nil
		}
	}
	b.store.Dir.SetAside(k.entry, err.Error())
	return nil, spool.ErrDamaged
}

// giveUp discards what is away in a block that cannot be read.
func (b *Buffer) giveUp(k *block) {
	b.mu.Lock()
	defer b.unlock()
	for k.away > 0 {
		b.discardAway(k, k.firstAway(), Damaged)
	}
}

// find takes over the blocks of earlier processes that were found. Their items come before all others, but for those
// that a worker has had.
func (b *Buffer) find(entries []spool.Entry) {
	now := time.Now()
	gone := b.readMarks(entries)
	searching := b.store.Dir.Scanning()
	b.mu.Lock()
	defer b.unlock()
	if !searching && !b.search.IsZero() {
		b.search = time.Time{}
		b.wakeAll()
	}
	found := b.unknown(entries, gone, now)
	if len(found) == 0 {
		return
	}
	for _, k := range found {
		b.taken += int64(k.left)
		b.events += k.left
		b.diskBytes += k.entry.Size
		if k.entry.Time.After(b.lastAt) {
			b.lastAt = k.entry.Time
		}
	}
	b.blocks = slices.Concat(found, b.blocks)
	for _, l := range b.lanes {
		for l.last != nil && !l.last.held {
			b.unload(l.last)
		}
		l.behind, l.cursor = true, 0
	}
	for b.over(0, 0) && b.shrink(found) {
	}
	signal(b.kick)
}

// unknown returns the blocks among files that are not known yet.
func (b *Buffer) unknown(entries []spool.Entry, gone map[string][]byte, now time.Time) []*block {
	known := make(map[string]bool)
	for _, k := range b.blocks {
		known[k.entry.File] = true
	}
	entries = slices.DeleteFunc(entries, func(e spool.Entry) bool { return known[e.File] || e.Items == 0 })
	entries = b.newestOnly(entries)
	order := uint64(firstOrder)
	if len(b.blocks) > 0 {
		order = b.blocks[0].order
	}
	order -= uint64(len(entries))
	var found []*block
	for i, e := range entries {
		at := now.Add(-max(0, now.Round(0).Sub(e.Time))) // a time to come counts as now
		k := newBlock(e, order+uint64(i), at)
		k.earlier, k.lanes = true, math.MaxUint64
		if k.forget(gone[e.File]); k.left == 0 {
			b.removed = append(b.removed, e)
			continue
		}
		found = append(found, k)
	}
	return found
}

// newestOnly leaves out files that were written anew, when the process ended before it removed them. The new file has
// the time of the old one, and no other two files have.
func (b *Buffer) newestOnly(entries []spool.Entry) []spool.Entry {
	var newest []spool.Entry
	for _, e := range entries {
		if last := len(newest) - 1; last >= 0 && newest[last].Time.Equal(e.Time) && runOf(newest[last]) == runOf(e) {
			b.removed = append(b.removed, newest[last])
			newest[last] = e
			continue
		}
		newest = append(newest, e)
	}
	return newest
}

// runOf returns the part of a file's name that stands for the process.
func runOf(e spool.Entry) string {
	parts := strings.FieldsFunc(e.File, func(r rune) bool { return r == '-' || r == '.' })
	if len(parts) < 3 {
		return e.File
	}
	return parts[2]
}

// shrink discards one event because the bounds are smaller than before, and reports whether there was one.
func (b *Buffer) shrink(found []*block) bool {
	if !b.options.DropNewest {
		return b.discardOldest()
	}
	for _, k := range slices.Backward(found) {
		if k.away > 0 {
			b.discardAway(k, k.lastAway(), Full)
			return true
		}
	}
	return false
}
