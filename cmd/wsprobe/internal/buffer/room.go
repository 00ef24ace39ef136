package buffer

// makeRoom discards old events until one that costs so much has room within the bounds. It reports false if the new one
// is to be discarded.
func (b *Buffer) makeRoom(cost int64) bool {
	for {
		var discard func() bool
		switch {
		case b.freshBytes > b.mostFresh-cost:
			discard = b.discardFresh
		case b.over(1, cost):
			discard = b.discardOldest
		default:
			return true
		}
		if b.options.DropNewest || !discard() {
			return false
		}
	}
}

// over reports whether so much more would exceed a bound.
func (b *Buffer) over(events int, bytes int64) bool {
	return b.events > b.options.MaxEvents-events || b.freshBytes+b.diskBytes > b.options.MaxBytes-bytes
}

// discardOldest discards the oldest event that is not in flight, and reports whether there was one.
func (b *Buffer) discardOldest() bool {
	var oldest *Item
	for _, l := range b.lanes {
		if l.due != nil && (oldest == nil || l.due.place().before(oldest.place())) {
			oldest = l.due
		}
	}
	if blk := b.firstAway(); blk != nil {
		if at := blk.firstAway(); oldest == nil || (place{blk.order, at}).before(oldest.place()) {
			b.discardAway(blk, at, Full)
			return true
		}
	}
	if oldest == nil {
		return b.discardFresh()
	}
	b.leave(oldest)
	b.discarded[Full]++
	return true
}

// discardFresh discards the oldest event that is in memory only and not in flight, and reports whether there was one.
func (b *Buffer) discardFresh() bool {
	for it := b.fresh.first; it != nil; it = b.fresh.after(it) {
		if !it.flying {
			b.leave(it)
			b.discarded[Full]++
			return true
		}
	}
	return false
}

// discardAway discards an event that is on disk only.
func (b *Buffer) discardAway(blk *block, at int, cause Cause) {
	blk.bring(at)
	b.events--
	b.discarded[cause]++
	b.lower(blk)
}
