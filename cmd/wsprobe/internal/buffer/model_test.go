package buffer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// check holds what is always true within a Buffer.
func check(t *testing.T, b *Buffer) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	events, bytes, listed := 0, int64(0), make(map[*block]int)
	unlisted := make(map[*lane]bool)
	for it := b.fresh.first; it != nil; it = b.fresh.after(it) {
		events, bytes = events+1, bytes+it.cost()
		if it.gone || it.block != nil {
			t.Fatal("a fresh item is gone or on disk")
		}
		unlisted[it.lane] = unlisted[it.lane] || !it.listed
	}
	if bytes != b.freshBytes {
		t.Fatalf("%d bytes are fresh, and %d are counted", bytes, b.freshBytes)
	}
	for i, l := range b.lanes {
		if unlisted[l] && !l.behind {
			t.Fatalf("lane %d is not behind, and has items that are not listed", i)
		}
		checkLane(t, l, listed)
	}
	disk := int64(0)
	for _, k := range b.blocks {
		away := 0
		for at := range k.entry.Items {
			if k.isAway(at) {
				away++
			}
		}
		if away != k.away || listed[k]+away != k.left || k.left == 0 {
			t.Fatalf("block: %d away, counted %d; %d listed; %d left", away, k.away, listed[k], k.left)
		}
		events, disk = events+k.left, disk+k.entry.Size
	}
	if events != b.events || disk != b.diskBytes {
		t.Fatalf("%d events and %d bytes on disk, counted %d and %d", events, disk, b.events, b.diskBytes)
	}
}

func checkLane(t *testing.T, l *lane, listed map[*block]int) {
	t.Helper()
	count, bytes, due := 0, int64(0), l.due == nil
	for it := l.first; it != nil; it = l.after(it) {
		if it == l.due {
			due = true
		}
		if it.gone || !it.listed || it.flying == (l.due != nil && due) {
			t.Fatal("an item of a list is gone, or not where it should be")
		}
		if next := l.after(it); next != nil && !it.place().before(next.place()) {
			t.Fatalf("%v stands before %v", it.place(), next.place())
		}
		if !it.flying {
			count, bytes = count+1, bytes+int64(len(it.Text))
		}
		listed[it.block]++
	}
	if count != l.count || bytes != l.bytes || !due {
		t.Fatalf("%d due with %d bytes, counted %d with %d", count, bytes, l.count, l.bytes)
	}
}

// sum holds that every event is in exactly one number.
func sum(t *testing.T, b *Buffer) Counts {
	t.Helper()
	c := b.Counts()
	total := c.Accepted + int64(c.Size.Events)
	for _, n := range c.Discarded {
		total += n
	}
	if total != c.Taken {
		t.Fatalf("taken %d, but %+v", c.Taken, c)
	}
	return c
}

// world is a Buffer under random use, and what is known of its events.
type world struct {
	t       *testing.T
	random  *rand.Rand
	dir     string
	lossy   bool        // bounds are reached and files are damaged
	full    atomic.Bool // the disk
	b       *Buffer
	stop    context.CancelFunc
	done    chan struct{}
	flight  [][]*Item        // of each lane
	link    []map[string]int // the last number of each name on this connection
	seen    map[string]int   // the highest number that was handed out, of each name
	added   map[string]int   // the number of the last event of each name
	at      map[string]time.Time
	ended   map[string]bool // accepted or discarded by us
	handed  map[string]int
	over    map[string]bool // accepted or discarded by us, and no kill since
	trouble time.Time       // the last time that the disk failed
}

func (w *world) open() {
	o := Options{Lanes: 1 + w.random.IntN(4), Dir: w.dir}
	if w.lossy {
		o.MaxEvents, o.MaxBytes, o.DropNewest = 20+w.random.IntN(300), int64(20_000+w.random.IntN(300_000)), w.random.IntN(2) == 0
	}
	b := newBuffer(o)
	if b.store != nil {
		b.ahead = int64(w.random.IntN(20_000))
		b.store.Dir.Write = func(name string, content []byte) error {
			if w.full.Load() {
				return syscall.ENOSPC
			}
			return os.WriteFile(name, content, 0o600)
		}
		if err := b.take(); err != nil {
			w.t.Fatal(err)
		}
	}
	w.b, w.flight, w.link, w.done = b, make([][]*Item, len(b.lanes)), nil, make(chan struct{})
	for range b.lanes {
		w.link = append(w.link, make(map[string]int))
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go func() {
		defer close(w.done)
		b.Run(ctx)
	}()
	if c := b.Counts(); w.lossy && (c.Size.Events > o.MaxEvents || c.Size.Bytes > o.MaxBytes) {
		w.t.Fatalf("%+v exceeds %+v", c.Size, o)
	}
}

func (w *world) add() {
	for range 1 + w.random.IntN(20) {
		name := fmt.Sprint("probe", w.random.IntN(6))
		size := w.random.IntN(500)
		if w.random.IntN(50) == 0 {
			size = w.random.IntN(50_000)
		}
		w.added[name]++
		id := fmt.Sprintf("%s/%d", name, w.added[name])
		w.at[id] = time.Now()
		w.b.Add(Item{
			ID: id, Lane: name, At: time.Now(), Encoding: fmt.Sprint("e", w.random.IntN(10)/9),
			Text: []byte(strings.Repeat("x", size)), Slot: w.random.IntN(3) - 1,
		})
	}
}

func (w *world) next() {
	lane := w.random.IntN(len(w.flight))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(w.random.IntN(100))*time.Millisecond)
	defer cancel()
	most := Batch{Events: w.random.IntN(30), Bytes: int64(w.random.IntN(3000))}
	items, err := w.b.Next(ctx, lane, most, time.Duration(w.random.IntN(200))*time.Millisecond)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, io.EOF) {
		w.t.Fatal(err)
	}
	w.take(lane, most, items)
}

// take holds what Next promises.
func (w *world) take(lane int, most Batch, items []*Item) {
	bytes := int64(0)
	for _, it := range items {
		bytes += int64(len(it.Text))
		name, text, _ := strings.Cut(it.ID, "/")
		n := 0
		if _, err := fmt.Sscan(text, &n); err != nil || name != it.Lane || it.Encoding != items[0].Encoding {
			w.t.Fatalf("item %q of %q", it.ID, it.Lane)
		}
		if w.over[it.ID] {
			w.t.Fatalf("%s came again", it.ID)
		}
		if n <= w.link[lane][name] {
			w.t.Fatalf("%s came after %d on one connection", it.ID, w.link[lane][name])
		}
		if first := w.handed[it.ID] == 0; first && n < w.seen[name] {
			w.t.Fatalf("%s came first after %d", it.ID, w.seen[name])
		} else if !first && it.Sends == 0 {
			w.t.Fatalf("%s was handed out before", it.ID)
		}
		w.link[lane][name], w.seen[name] = n, max(n, w.seen[name])
		w.handed[it.ID]++
	}
	if most.Events > 0 && len(items) > most.Events || len(items) > 1 && most.Bytes > 0 && bytes > most.Bytes {
		w.t.Fatalf("%d items with %d bytes, for %+v", len(items), bytes, most)
	}
	w.flight[lane] = append(w.flight[lane], items...)
}

// end accepts some of what is in flight, or now and then gives it up.
func (w *world) end() {
	lane := w.random.IntN(len(w.flight))
	var rest []*Item
	for _, it := range w.flight[lane] {
		switch w.random.IntN(40) {
		case 0:
			w.b.Discard(Rejected, it)
			w.over[it.ID], w.ended[it.ID] = true, true
		case 1, 2, 3:
			rest = append(rest, it)
		default:
			w.b.Accept(it, it)
			w.over[it.ID], w.ended[it.ID] = true, true
		}
	}
	w.flight[lane] = rest
}

func (w *world) broken() {
	lane := w.random.IntN(len(w.flight))
	w.b.Return(lane)
	late := w.flight[lane]
	w.flight[lane], w.link[lane] = nil, make(map[string]int)
	if len(late) > 0 && w.random.IntN(3) == 0 { // an acknowledgement that comes late
		w.b.Accept(late[0])
		w.over[late[0].ID], w.ended[late[0].ID] = true, true
	}
}

// restart ends the Buffer: in order, or as if its process was killed.
func (w *world) restart(kill bool) {
	w.stop()
	<-w.done
	if kill {
		_ = w.b.store.Dir.Close()
		w.over = make(map[string]bool)
		if w.lossy {
			w.seen = make(map[string]int) // events that were discarded come again
		}
		for id, at := range w.at {
			if !w.ended[id] && (time.Since(at) < 500*time.Millisecond || at.Sub(w.trouble) < 2*time.Second) {
				w.ended[id] = true // it may be lost
			}
		}
	} else {
		if err := w.b.Close(); err != nil {
			w.t.Fatal(err)
		}
		if w.full.Load() { // no marks
			w.over, w.seen = make(map[string]bool), make(map[string]int)
		}
		if stopped := sum(w.t, w.b).Discarded[Stopped]; stopped > 0 {
			if !w.full.Load() && w.dir != "" {
				w.t.Fatalf("%d events were lost at the stop", stopped)
			}
			for id := range w.at {
				w.ended[id] = true
			}
		}
	}
	if w.lossy && w.random.IntN(2) == 0 {
		w.damage()
	}
	w.open()
}

// damage cuts the file of a block off.
func (w *world) damage() {
	files, _ := filepath.Glob(filepath.Join(w.dir, "*.*[1-9]*.batch"))
	if len(files) > 0 {
		_ = os.Truncate(files[w.random.IntN(len(files))], 50)
	}
}

func (w *world) step() {
	if w.full.Load() {
		w.trouble = time.Now()
	}
	switch n := w.random.IntN(100); {
	case n < 30:
		w.add()
	case n < 60:
		w.next()
	case n < 80:
		w.end()
	case n < 85:
		w.broken()
	case n < 96:
		time.Sleep(time.Duration(w.random.IntN(400)) * time.Millisecond)
	case n < 98 && w.dir != "":
		w.full.Store(!w.full.Load())
	case n == 98 && w.lossy && w.dir != "":
		w.damage()
	case n == 99 && w.random.IntN(3) == 0:
		w.restart(w.dir != "" && w.random.IntN(2) == 0)
	}
	synctest.Wait()
	check(w.t, w.b)
	sum(w.t, w.b)
}

// drain accepts all that is left.
func (w *world) drain() {
	w.full.Store(false)
	time.Sleep(5 * time.Second)
	w.b.Seal()
	for lane := range w.flight {
		w.b.Return(lane)
		w.link[lane] = make(map[string]int)
		for {
			items, err := w.b.Next(context.Background(), lane, Batch{Events: 50}, time.Hour)
			if errors.Is(err, io.EOF) {
				break
			}
			w.take(lane, Batch{}, items)
			w.b.Accept(items...)
			for _, it := range items {
				w.over[it.ID], w.ended[it.ID] = true, true
			}
			check(w.t, w.b)
		}
	}
	if c := sum(w.t, w.b); c.Size.Events != 0 || c.Size.Bytes != 0 || c.Size.Age != 0 {
		w.t.Fatalf("left: %+v", c.Size)
	}
	w.stop()
	<-w.done
	if err := w.b.Close(); err != nil {
		w.t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*.batch*")); len(left) > 0 && w.dir != "" {
		w.t.Fatalf("left: %v", left)
	}
	for id := range w.at {
		if !w.ended[id] && !w.lossy {
			w.t.Fatalf("%s never came", id)
		}
	}
}

// live uses a Buffer at random.
func live(t *testing.T, dir string, lossy bool, seed uint64, steps int) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, random: rand.New(rand.NewPCG(seed, 0)), dir: dir, lossy: lossy, seen: make(map[string]int),
			added: make(map[string]int), at: make(map[string]time.Time), ended: make(map[string]bool), handed: make(map[string]int),
			over: make(map[string]bool),
		}
		w.open()
		for range steps {
			w.step()
		}
		w.drain()
	})
}

// TestModel holds over random uses, faults, stops and kills: each event is in exactly one number; the events of a name
// come in order; nothing that is not counted gets lost.
func TestModel(t *testing.T) {
	for _, c := range []struct {
		name        string
		disk, lossy bool
	}{{"memory", false, false}, {"memory, full", false, true}, {"disk", true, false}, {"disk, full and damaged", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(20) {
				dir := ""
				if c.disk {
					dir = filepath.Join(t.TempDir(), "spool")
				}
				live(t, dir, c.lossy, seed, 300)
			}
		})
	}
}
