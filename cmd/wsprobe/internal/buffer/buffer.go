package buffer

import (
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// ErrClosed says that the Buffer was closed.
var ErrClosed = errors.New("the buffer is closed")

// Options say how much a Buffer keeps, and where.
type Options struct {
	Lanes      int    // workers that take events; 1 if it is less
	Dir        string // of the blocks; empty for a buffer in memory
	MaxEvents  int    // 0 for no such bound
	MaxBytes   int64  // 0 for no such bound
	DropNewest bool   // a full buffer discards new events, not the oldest ones
	// Patient makes a directory that another process has a trouble that can pass, as any other one is. Events stay in
	// memory, and the directory is taken once it is free.
	Patient bool
	// SpoolFailed is told of each failed use of the directory, by one of few fixed words. It must not wait for the
	// Buffer. Nil tells nobody.
	SpoolFailed func(kind string)
	Log         *slog.Logger // nil for no log
}

// Buffer keeps events. Each lane has one worker at a time; all other methods may be called by several goroutines.
type Buffer struct {
	options   Options
	start     time.Time
	store     *spool.Store // nil for a buffer in memory
	mostFresh int64        // bound of freshBytes
	small     int64        // a smaller block is written anew with what follows
	ahead     int64        // how much a lane keeps in memory of what is on disk
	kick      chan struct{}

	mu         sync.Mutex
	lanes      []*lane
	number     int // of the next item
	fresh      chain
	freshBytes int64
	blocks     []*block // on disk, in order
	nextOrder  uint64   // of a new block
	removed    []spool.Entry
	diskBytes  int64
	events     int
	taken      int64
	accepted   int64
	discarded  map[Cause]int64
	search     time.Time // until then, Next waits for blocks of earlier processes
	idle       bool      // Run waits for the first fresh item
	looked     int       // number of the next item when Run looked last
	sealed     bool
	closed     bool
	trouble    error // why the disk does not work, or nil

	// Only the goroutine of Run uses these, and Open before it, and Close after it.
	retry   time.Time // when the disk is tried again; zero if it works
	reading time.Time // when blocks are read again; zero if they can be
	tidied  time.Time // when files that could not be removed were tried again
	lastAt  time.Time // of the newest block
	marks   []spool.Entry
}

// Open makes a Buffer and takes its directory, which [Buffer.Close] gives back. The error says that another process has
// the directory, unless the Options are patient. Any other trouble with it is no error, because it can pass.
func Open(o Options) (*Buffer, error) {
	b := newBuffer(o)
	if b.store == nil {
		return b, nil
	}
	if err := b.take(); err != nil {
		return nil, err
	}
	return b, nil
}

func newBuffer(o Options) *Buffer {
	o.Lanes = min(max(o.Lanes, 1), 64)
	if o.MaxEvents <= 0 {
		o.MaxEvents = math.MaxInt
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = math.MaxInt64
	}
	b := &Buffer{
		options: o, start: time.Now(), mostFresh: math.MaxInt64, kick: make(chan struct{}, 1),
		fresh: chain{kind: ofFresh}, nextOrder: firstOrder, discarded: make(map[Cause]int64), idle: true,
	}
	for i := range o.Lanes {
		b.lanes = append(b.lanes, &lane{chain: chain{kind: ofLane}, bit: 1 << i, wake: make(chan struct{}, 1)})
	}
	if o.Dir == "" {
		return b
	}
	b.mostFresh = min(o.MaxBytes, mostFresh)
	b.small, b.ahead = smallBlock, min(o.MaxBytes/int64(o.Lanes), mostAhead)
	b.store = &spool.Store{
		Dir: spool.Dir{Path: o.Dir, Scanned: func() { signal(b.kick) }}, Kept: "events of the stream",
		Failed: o.SpoolFailed, Unrecognized: b.lost, Log: o.Log,
	}
	return b
}

// signal puts a value into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// unlock ends a use of the Buffer. It removes the files of blocks that are over, which waits for nothing.
func (b *Buffer) unlock() {
	removed := b.removed
	b.removed = nil
	b.mu.Unlock()
	for _, e := range removed {
		b.store.Dir.Remove(e)
	}
}

// Add takes an event, or discards it. It never waits for a disk or a worker.
func (b *Buffer) Add(item Item) {
	now := time.Since(b.start)
	b.mu.Lock()
	defer b.unlock()
	b.taken++
	cost := item.cost()
	switch {
	case b.sealed:
		b.discarded[Stopped]++
		return
	case cost+int64(len(item.Encoding)) > min(b.options.MaxBytes, b.mostFresh):
		b.discarded[TooLarge]++
		return
	case !b.makeRoom(cost):
		b.discarded[Full]++
		return
	}
	it := new(Item)
	*it = item
	it.lane, it.added, it.index = b.laneOf(item.Lane), now, b.number
	b.number++
	b.events++
	b.fresh.push(it)
	b.freshBytes += cost
	if !it.lane.behind {
		it.lane.list(it)
	}
	half := b.mostFresh / 2
	if b.idle && b.store != nil || b.freshBytes > half && b.freshBytes-cost <= half {
		b.idle = false
		signal(b.kick)
	}
}

// Miss counts events that came while the Buffer could not be opened, and for which there was no room anywhere.
func (b *Buffer) Miss(events int) {
	b.mu.Lock()
	defer b.unlock()
	b.taken += int64(events)
	b.discarded[Full] += int64(events)
}

// laneOf returns the lane of a name.
func (b *Buffer) laneOf(name string) *lane {
	if len(b.lanes) == 1 {
		return b.lanes[0]
	}
	hash := uint32(2166136261) // FNV-1a
	for i := range len(name) {
		hash = (hash ^ uint32(name[i])) * 16777619
	}
	return b.lanes[hash%uint32(len(b.lanes))]
}

// Accept ends the way of items whose delivery is proven, whether they are in flight or have come back meanwhile. An
// item that was accepted or discarded before does not count again.
func (b *Buffer) Accept(items ...*Item) {
	b.mu.Lock()
	defer b.unlock()
	b.accepted += b.end(items)
}

// Discard gives up items that [Buffer.Next] has returned.
func (b *Buffer) Discard(cause Cause, items ...*Item) {
	b.mu.Lock()
	defer b.unlock()
	if n := b.end(items); n > 0 {
		b.discarded[cause] += n
	}
}

// end takes items out that are still there, and returns their number. After Close, what is on disk stays there.
func (b *Buffer) end(items []*Item) int64 {
	n := int64(0)
	for _, it := range items {
		if !it.gone && !b.closed {
			b.leave(it)
			n++
		}
	}
	return n
}

// Return takes back what is in flight in a lane: its connection broke. It all comes first again, in the same order. It
// counts as sent once more, but for items that were not written.
func (b *Buffer) Return(lane int, unwritten ...*Item) {
	l := b.lanes[lane]
	b.mu.Lock()
	defer b.unlock()
	for _, it := range unwritten {
		if it.flying {
			it.Sends--
		}
	}
	for it := l.first; it != nil && it.flying; it = l.after(it) {
		it.flying = false
		it.Sends++
		l.count++
		l.bytes += int64(len(it.Text))
	}
	l.due = l.first
	signal(l.wake)
}

// Seal says that no more events come: from now on they are discarded as [Stopped]. [Buffer.Next] no longer lingers.
func (b *Buffer) Seal() {
	b.mu.Lock()
	defer b.unlock()
	b.sealed = true
	b.wakeAll()
}

func (b *Buffer) wakeAll() {
	for _, l := range b.lanes {
		signal(l.wake)
	}
}

// leave takes an item out.
func (b *Buffer) leave(it *Item) {
	it.gone = true
	if it.listed {
		it.lane.unlist(it)
	}
	b.events--
	if it.block != nil {
		b.lower(it.block)
		return
	}
	b.fresh.remove(it)
	b.freshBytes -= it.cost()
}
