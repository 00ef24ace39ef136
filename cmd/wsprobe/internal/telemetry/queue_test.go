package telemetry

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// queued returns the contents of the packed batches in order.
func queued(q *queue) string {
	var all []string
	for _, b := range q.batches {
		all = append(all, strings.TrimRight(string(b.packed), "."))
	}
	return strings.Join(all, " ")
}

// fill adds a batch that packs to 100 bytes, of one point, for each word, each a second after the one before.
func fill(q *queue, words string) []*batch {
	var batches []*batch
	for _, word := range strings.Fields(words) {
		b := &batch{points: 1, collected: newest(q).Add(time.Second), content: named(word)}
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
	return q.batches[len(q.batches)-1].collected
}

// named is data that packs to 100 bytes which begin with a word.
func named(word string) content {
	return content{data: &metricdata.ResourceMetrics{ScopeMetrics: []metricdata.ScopeMetrics{
		{Metrics: []metricdata.Metrics{{Name: word + strings.Repeat(".", 100-len(word))}}},
	}}}
}

func packName(data *metricdata.ResourceMetrics) ([]byte, error) {
	return []byte(data.ScopeMetrics[0].Metrics[0].Name), nil
}

func TestQueueDropsTheOldest(t *testing.T) {
	dropped := map[DropCause]int{}
	q := newQueue(limits{memory: 3 * (100 + batchOverhead)}, nil, func(cause DropCause, points int) { dropped[cause] += points })
	fill(q, "a b c d e")
	if q.used.memory != 0 || len(q.batches) != 5 {
		t.Errorf("unpacked batches count: %d bytes in %d", q.used.memory, len(q.batches))
	}
	q.settle(time.Now(), packName)
	if got := queued(q); got != "c d e" || dropped[DropQueueFull] != 2 || q.used.memory != q.limits.memory {
		t.Errorf("%q left with %d bytes, %v dropped", got, q.used.memory, dropped)
	}
	s := q.state(newest(q).Add(time.Second))
	points, _ := q.points()
	if s != (queueState{batches: 3, bytes: q.limits.memory, age: 3 * time.Second}) || points != 3 {
		t.Errorf("state: got %+v and %d points", s, points)
	}
	for _, b := range slices.Clone(q.batches) {
		q.remove(b)
	}
	if s := q.state(time.Now()); s != (queueState{}) {
		t.Errorf("state of an empty queue: got %+v", s)
	}
}

func TestBatchThatIsBeingSentIsNotDropped(t *testing.T) {
	q := newQueue(limits{memory: 100 + batchOverhead}, nil, func(DropCause, int) {})
	fill(q, "a b c")
	sending, _ := q.next(1, window{})
	q.settle(time.Now(), packName)
	if got := queued(q); got != "a" {
		t.Errorf("%q left, want the one that is being sent", got)
	}
	q.remove(sending)
	if q.used.memory != 0 {
		t.Errorf("%d bytes left", q.used.memory)
	}
}

func TestBatchDeliveredWhilePacking(t *testing.T) {
	q := newQueue(limits{memory: 1 << 20}, nil, func(cause DropCause, _ int) { t.Errorf("dropped: %v", cause) })
	batches := fill(q, "a b")
	q.settle(time.Now(), func(data *metricdata.ResourceMetrics) ([]byte, error) {
		q.remove(batches[0])
		return packName(data)
	})
	if got := queued(q); got != "b" || q.used.memory != 100+batchOverhead {
		t.Errorf("%q left with %d bytes", got, q.used.memory)
	}
}

func TestBatchThatCannotBeEncoded(t *testing.T) {
	dropped := map[DropCause]int{}
	q := newQueue(limits{memory: 1 << 20}, nil, func(cause DropCause, points int) { dropped[cause] += points })
	fill(q, "a b")
	q.settle(time.Now(), func(data *metricdata.ResourceMetrics) ([]byte, error) {
		if name, _ := packName(data); name[0] == 'a' {
			return nil, errors.New("not encodable")
		}
		return packName(data)
	})
	if got := queued(q); got != "b" || dropped[DropUnencodable] != 1 {
		t.Errorf("%q left, %v dropped", got, dropped)
	}
}

func TestNextIsTheOldestUnlessNewsAreDue(t *testing.T) {
	q := newQueue(limits{memory: 1 << 20}, nil, func(DropCause, int) {})
	fill(q, "a b c")
	q.settle(time.Now(), packName)
	next := func(pass int, news window) string {
		_, content := q.next(pass, news)
		return strings.TrimRight(string(content.packed), ".")
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
