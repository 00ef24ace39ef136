package buffer

import "time"

// The sizes of blocks, in bytes, and their number.
const (
	smallBlock   = 32 << 10  // a smaller one is written anew with what follows, while there are few blocks
	manyBlocks   = 8 << 10   // with so many, blocks get larger
	usualBlock   = 256 << 10 // as long as the disk keeps pace
	largestBlock = 1 << 20
)

// write writes all items that were in memory only at a time.
func (b *Buffer) write(until time.Time) {
	for {
		items, sends, tail := b.pick(until)
		if len(items) == 0 {
			return
		}
		at := items[0].At.Round(0)
		if !at.After(b.lastAt) {
			at = b.lastAt.Add(1) // because the times of files are their order
		}
		if tail != nil {
			at = tail.entry.Time
		}
		e, err := b.store.Put(at, len(items), encode(items, sends))
		if err != nil {
			b.after(err)
			return
		}
		b.lastAt = at
		b.wrote(&block{order: b.nextOrder, entry: e, at: items[0].At}, items, tail)
	}
}

// pick returns the items of the next block and how often each was sent. They begin with those of the newest block if
// that is small: it is returned, too. The items stay in memory only until wrote.
func (b *Buffer) pick(until time.Time) (items []*Item, sends []int, tail *block) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.fresh.first
	if first == nil || b.waited(first, until) < 0 {
		return nil, nil, nil
	}
	if len(b.blocks) > 0 {
		if newest := b.blocks[len(b.blocks)-1]; newest.items != nil {
			tail = newest
			for at, it := range tail.items {
				if tail.isAway(at) || it.listed {
					items = append(items, it)
				}
			}
		}
	}
	most := min(max(b.freshBytes/4, usualBlock), largestBlock)
	for it := first; it != nil && b.waited(it, until) >= 0; it = b.fresh.after(it) {
		if most -= it.cost(); most < 0 && it != first {
			break
		}
		items = append(items, it)
	}
	for _, it := range items {
		sends = append(sends, it.Sends)
	}
	return items, sends, tail
}

// wrote takes a new block over, in the place of a small one if there is one.
func (b *Buffer) wrote(k *block, items []*Item, tail *block) {
	b.mu.Lock()
	defer b.unlock()
	*k = *newBlock(k.entry, k.order, k.at)
	if tail != nil && tail.left > 0 {
		k.order = tail.order
	} else {
		tail = nil
		b.nextOrder++
	}
	for at, it := range items {
		b.move(it, k, at)
	}
	b.diskBytes += k.entry.Size
	last := len(b.blocks) - 1
	if last >= 0 {
		b.blocks[last].items = nil
	}
	if tail != nil {
		b.removed = append(b.removed, tail.entry)
		b.diskBytes -= tail.entry.Size
		b.blocks = b.blocks[:last]
	}
	if k.left == 0 {
		b.removed = append(b.removed, k.entry)
		b.diskBytes -= k.entry.Size
		return
	}
	if k.entry.Size < max(b.small, min(b.diskBytes/manyBlocks, largestBlock)) {
		k.items = items
	}
	b.blocks = append(b.blocks, k)
	for _, l := range b.lanes {
		b.cut(l)
	}
}

// move gives an item, which was written, its place in a new block.
func (b *Buffer) move(it *Item, k *block, at int) {
	away := false
	switch {
	case it.block != nil:
		away = it.block.isAway(it.index)
	case !it.gone:
		b.fresh.remove(it)
		b.freshBytes -= it.cost()
		away = !it.listed
	}
	it.block, it.index = k, at
	switch {
	case away:
		b.left(it)
	case it.listed:
		k.bring(at)
	default: // it has gone meanwhile
		k.bring(at)
		k.left--
	}
	k.lanes |= it.lane.bit
}

// left notes that an item of a block is for its lane to read later.
func (b *Buffer) left(it *Item) {
	l := it.lane
	if !l.behind {
		l.behind, l.cursor = true, it.block.order
	}
	l.cursor = min(l.cursor, it.block.order)
	it.block.lanes |= l.bit
}

// cut shortens the list of a lane to what is to be in memory. Items that a worker has had stay, because what is known
// of them is in memory only. They are few.
func (b *Buffer) cut(l *lane) {
	for l.loaded() > b.ahead && l.count > 1 && !l.last.held {
		b.unload(l.last)
	}
}

// unload takes an item off the list of its lane. It stays on disk, or among the fresh ones.
func (b *Buffer) unload(it *Item) {
	l := it.lane
	l.unlist(it)
	if it.block != nil {
		it.block.unload(it.index)
		b.left(it)
		return
	}
	if !l.behind {
		l.behind, l.cursor = true, b.nextOrder
	}
}
