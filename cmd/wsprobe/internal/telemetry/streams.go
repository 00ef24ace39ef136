package telemetry

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// StreamStats are the numbers of a stream: sums since the start, but for Open and what is buffered.
type StreamStats struct {
	Name                      string
	Open                      int
	Established               int64
	Failed                    map[Pair]int64 // by reason and error type
	Shutdown                  map[Pair]int64 // by who ended it and the close code
	Received, Sent, Resent    int64
	Discarded, BufferFailures map[string]int64 // by cause
	Messages, Bytes           int64
	Buffered                  int
	BufferSize                int64
	BufferAge                 time.Duration
}

// FeedStats are the numbers of the agent's own stream.
type FeedStats struct {
	Clients          int
	Dropped, Refused map[string]int64 // by cause
}

// Pair is the values of two attributes with closed sets of values. An empty one is an absent attribute.
type Pair [2]string

// addStreams adds the points of streams.
func addStreams(b *batcher, all []StreamStats, start, now time.Time) {
	for i := range all {
		s := &all[i]
		set := func(more ...metrics.Attribute) metrics.Set {
			return b.sets.Alone(append([]metrics.Attribute{metrics.Text(keyStream, s.Name)}, more...)...)
		}
		sum := func(id metrics.ID, value int64, values ...string) {
			b.sum(id, set(withValues(table[id].Attributes[1:], values)...), start, now, value)
		}
		sum(idStreamEstablished, s.Established)
		sum(idStreamOpen, int64(s.Open))
		sum(idStreamReceived, s.Received)
		sum(idStreamSent, s.Sent)
		sum(idStreamResent, s.Resent)
		sum(idStreamBuffered, int64(s.Buffered))
		sum(idStreamBufferSize, s.BufferSize)
		sum(idStreamMessages, s.Messages)
		sum(idStreamBytes, s.Bytes)
		if s.Buffered > 0 {
			b.gauge(idStreamBufferAge, set(), start, now, s.BufferAge.Seconds())
		}
		for _, pair := range slices.SortedFunc(maps.Keys(s.Failed), Pair.compare) {
			sum(idStreamFailed, s.Failed[pair], pair[:]...)
		}
		for _, pair := range slices.SortedFunc(maps.Keys(s.Shutdown), Pair.compare) {
			sum(idStreamShutdown, s.Shutdown[pair], pair[:]...)
		}
		for _, cause := range slices.Sorted(maps.Keys(s.Discarded)) {
			sum(idStreamDiscarded, s.Discarded[cause], cause)
		}
		for _, cause := range slices.Sorted(maps.Keys(s.BufferFailures)) {
			sum(idStreamBufferFailures, s.BufferFailures[cause], cause)
		}
	}
}

// addFeed adds the points of the agent's own stream.
func addFeed(b *batcher, f FeedStats, start, now time.Time) {
	b.sum(idFeedClients, b.sets.Alone(), start, now, int64(f.Clients))
	for _, one := range []struct {
		id     metrics.ID
		counts map[string]int64
	}{{idFeedDropped, f.Dropped}, {idFeedRefused, f.Refused}} {
		for _, cause := range slices.Sorted(maps.Keys(one.counts)) {
			b.sum(one.id, b.sets.Alone(metrics.Text(keyDropCause, cause)), start, now, one.counts[cause])
		}
	}
}

func (p Pair) compare(other Pair) int {
	return cmp.Or(cmp.Compare(p[0], other[0]), cmp.Compare(p[1], other[1]))
}

// withValues returns attributes. An empty value is an absent one.
func withValues(keys, values []string) []metrics.Attribute {
	var all []metrics.Attribute
	for i, value := range values {
		if value != "" {
			all = append(all, metrics.Text(keys[i], value))
		}
	}
	return all
}
