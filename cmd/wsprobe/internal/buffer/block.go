package buffer

import (
	"math/bits"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// firstOrder is the order of the first block. Blocks of earlier processes that are found later are counted down from
// it.
const firstOrder = 1 << 40

// block is a file of items. An item of it is listed in its lane, or gone, or away: on disk only.
type block struct {
	order   uint64
	entry   spool.Entry
	at      time.Time // of its first item
	earlier bool      // an earlier process wrote it
	lanes   uint64    // the set of lanes that can have items in it
	items   []*Item   // of the newest block, while it is small; else nil
	here    []uint64  // a bit for each item that is not away
	away    int
	left    int // the items that are not gone
	tries   int // to read it that failed
}

// newBlock returns a block whose items are all away.
func newBlock(e spool.Entry, order uint64, at time.Time) *block {
	return &block{
		order: order, entry: e, at: at, here: make([]uint64, (e.Items+63)/64), away: e.Items, left: e.Items,
	}
}

func (k *block) isAway(at int) bool { return k.here[at/64]&(1<<(at%64)) == 0 }

// bring notes that an item is not away any more.
func (k *block) bring(at int) {
	k.here[at/64] |= 1 << (at % 64)
	k.away--
}

// unload notes that an item is away.
func (k *block) unload(at int) {
	k.here[at/64] &^= 1 << (at % 64)
	k.away++
}

// firstAway returns the first item that is away. There must be one.
func (k *block) firstAway() int {
	for i, word := range k.here {
		if word != ^uint64(0) {
			return i*64 + bits.TrailingZeros64(^word)
		}
	}
	return 0
}

// lastAway returns the last item that is away. There must be one.
func (k *block) lastAway() int {
	at := k.entry.Items - 1
	for at > 0 && !k.isAway(at) {
		at--
	}
	return at
}

// firstAway returns the first block with an item that is away, or nil.
func (b *Buffer) firstAway() *block {
	for _, k := range b.blocks {
		if k.away > 0 {
			return k
		}
	}
	return nil
}

// nextFor returns the block that has a lane's next items, or nil.
func (b *Buffer) nextFor(l *lane) *block {
	at, _ := b.indexOf(l.cursor)
	for _, k := range b.blocks[at:] {
		if k.away > 0 && k.lanes&l.bit != 0 {
			return k
		}
	}
	return nil
}

// indexOf returns where a block with this order stands, or would stand.
func (b *Buffer) indexOf(order uint64) (int, bool) {
	return slices.BinarySearchFunc(b.blocks, order, func(k *block, order uint64) int {
		switch {
		case k.order < order:
			return -1
		case k.order > order:
			return 1
		}
		return 0
	})
}

// lower notes that an item of a block is gone. The file goes with the last one.
func (b *Buffer) lower(k *block) {
	k.left--
	if k.left > 0 {
		return
	}
	b.removed = append(b.removed, k.entry)
	b.diskBytes -= k.entry.Size
	switch at, found := b.indexOf(k.order); {
	case !found:
	case at == 0:
		b.blocks[0] = nil
		b.blocks = b.blocks[1:]
	default:
		b.blocks = slices.Delete(b.blocks, at, at+1)
	}
}
