package outbox

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// queued returns the requests of the packed batches in order.
func queued(t *testing.T, q *queue) string {
	t.Helper()
	var all []string
	for _, b := range q.batches {
		if b.packed == nil {
			continue
		}
		word, err := unpack(b.packed)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(word))
	}
	return strings.Join(all, " ")
}

// fill adds a batch of one item for each word, each a second after the one before.
func fill(q *queue, words string) []*batch {
	var batches []*batch
	for _, word := range strings.Fields(words) {
		b := named(word, newest(q).Add(time.Second))
		batches = append(batches, b)
		q.add(b)
	}
	return batches
}

// newest is when the last batch was collected.
func newest(q *queue) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return time.Time{}
	}
	return q.batches[len(q.batches)-1].at
}

// named is a batch of one item whose request is a word.
func named(word string, at time.Time) *batch {
	return newBatch(Batch{Encode: func() ([]byte, error) { return []byte(word), nil }, Items: 1, At: at})
}

// letter is what a batch of one letter takes in memory.
func letter(t *testing.T) int64 {
	t.Helper()
	return int64(packedSize(t, 'a')) + batchOverhead
}

func TestQueueDropsTheOldest(t *testing.T) {
	dropped := map[DropCause]int{}
	q := newQueue(limits{memory: 3 * letter(t)}, nil, func(cause DropCause, items int) { dropped[cause] += items })
	fill(q, "a b c d e")
	if q.used.memory != 0 || len(q.batches) != 5 {
		t.Errorf("unpacked batches count: %d bytes in %d", q.used.memory, len(q.batches))
	}
	q.persist(time.Now())
	if got := queued(t, q); got != "c d e" || dropped[DropQueueFull] != 2 || q.used.memory != q.limits.memory {
		t.Errorf("%q left with %d bytes, %v dropped", got, q.used.memory, dropped)
	}
	s := q.backlog(newest(q).Add(time.Second))
	items, _ := q.items()
	if s != (Backlog{Batches: 3, Bytes: q.limits.memory, Age: 3 * time.Second}) || items != 3 {
		t.Errorf("backlog: got %+v and %d items", s, items)
	}
	for _, b := range slices.Clone(q.batches) {
		q.remove(b)
	}
	if s := q.backlog(time.Now()); s != (Backlog{}) {
		t.Errorf("backlog of an empty queue: got %+v", s)
	}
}

func TestBatchThatIsBeingSentIsNotDropped(t *testing.T) {
	q := newQueue(limits{memory: letter(t)}, nil, func(DropCause, int) {})
	fill(q, "a b c")
	sending, _ := q.next(1, window{})
	q.persist(time.Now())
	if got := queued(t, q); got != "a" {
		t.Errorf("%q left, want the one that is being sent", got)
	}
	q.remove(sending)
	if q.used.memory != 0 {
		t.Errorf("%d bytes left", q.used.memory)
	}
}

func TestBatchDeliveredWhileItIsPersisted(t *testing.T) {
	q := newQueue(limits{memory: 1 << 20}, nil, func(cause DropCause, _ int) { t.Errorf("dropped: %v", cause) })
	first := named("a", time.Now())
	first.source.encode = func() ([]byte, error) {
		q.remove(first)
		return []byte("a"), nil
	}
	q.add(first)
	fill(q, "b")
	q.persist(time.Now())
	if got := queued(t, q); got != "b" || q.used.memory != letter(t) {
		t.Errorf("%q left with %d bytes", got, q.used.memory)
	}
}

func TestBatchThatCannotBeEncoded(t *testing.T) {
	dropped := map[DropCause]int{}
	q := newQueue(limits{memory: 1 << 20}, nil, func(cause DropCause, items int) { dropped[cause] += items })
	fill(q, "a b")[0].source.encode = func() ([]byte, error) { return nil, errors.New("not encodable") }
	q.persist(time.Now())
	if got := queued(t, q); got != "b" || dropped[DropUnencodable] != 1 {
		t.Errorf("%q left, %v dropped", got, dropped)
	}
}

func TestNextIsTheOldestUnlessNewsAreDue(t *testing.T) {
	q := newQueue(limits{memory: 1 << 20}, nil, func(DropCause, int) {})
	fill(q, "a b c")
	q.persist(time.Now())
	next := func(pass int, news window) string {
		b, c := q.next(pass, news)
		if b == nil {
			return ""
		}
		word, err := c.request()
		if err != nil {
			t.Fatal(err)
		}
		return string(word)
	}
	if got := next(1, window{}); got != "a" {
		t.Errorf("got %q, want the oldest", got)
	}
	last := newest(q)
	for name, news := range map[string]window{"too old": {last.Add(1), last.Add(2)}, "too new": {last.Add(-1), last}} {
		if got := next(1, news); got != "a" {
			t.Errorf("got %q, want the oldest: the last is %s", got, name)
		}
	}
	due := window{last, last.Add(1)}
	for _, want := range []string{"c", "a", "c", "a"} {
		if got := next(1, due); got != want {
			t.Errorf("got %q, want the latest and the oldest in turn", got)
		}
	}
	q.keep(q.batches[2], 1)
	for range 2 {
		if got := next(1, due); got != "a" {
			t.Errorf("got %q, want the oldest, the latest was passed over", got)
		}
	}
	q.keep(q.batches[0], 1)
	if got := next(1, window{}); got != "b" {
		t.Errorf("got %q, want the next", got)
	}
	q.keep(q.batches[1], 1)
	if got := next(1, due); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
	if got := next(2, window{}); got != "a" {
		t.Errorf("got %q in the next pass", got)
	}
}
