package agent

import (
	"maps"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
)

// observe makes the telemetry count what the streams do.
func (s *outlets) observe(o *telemetry.Options) {
	o.Streams = s.stats
	if s.feed != nil {
		o.Feed = s.feedStats
	}
}

// sumsOf are the counts of the streams of a name: of that of now, of those that still drain, and of those before.
type sumsOf struct {
	name   string
	open   int
	counts stream.Counts
}

// sums returns those of all streams, the ones of now first and in their order.
func (s *outlets) sums() []*sumsOf {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*sumsOf
	byName := make(map[string]*sumsOf)
	add := func(name string, open int, c *stream.Counts) {
		one := byName[name]
		if one == nil {
			one = &sumsOf{name: name}
			if before := s.past[name]; before != nil {
				one.counts.Add(&before.Counts)
				one.counts.Waiting = buffer.Size{} // what is left in a directory waits for nobody
			}
			byName[name] = one
			all = append(all, one)
		}
		one.open += open
		one.counts.Add(c)
	}
	for _, one := range slices.Concat(s.streams, s.leaving) {
		counts := one.stream.Counts()
		add(one.Name, one.stream.State().Open, &counts)
	}
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(s.past)) {
		if byName[name] == nil && now.Before(s.past[name].until) {
			add(name, 0, &stream.Counts{})
		}
	}
	return all
}

// stats are the numbers of the streams in the words of the telemetry.
func (s *outlets) stats() []telemetry.StreamStats {
	sums := s.sums()
	all := make([]telemetry.StreamStats, len(sums))
	for i, one := range sums {
		counts := one.counts
		t := telemetry.StreamStats{
			Name: one.name, Open: one.open, Established: counts.Established, Received: counts.Events, Sent: counts.Sent,
			Resent: counts.Resent, Messages: counts.Messages, Bytes: counts.Bytes, BufferFailures: counts.Disk,
			Buffered: counts.Waiting.Events, BufferSize: counts.Waiting.Bytes, BufferAge: counts.Waiting.Age,
			Failed: make(map[telemetry.Pair]int64), Shutdown: make(map[telemetry.Pair]int64), Discarded: discarded(counts),
		}
		for f, n := range counts.Failed {
			t.Failed[telemetry.Pair{f.Reason, f.ErrorType}] = n
		}
		for e, n := range counts.Shutdown {
			t.Shutdown[telemetry.Pair{e.By, e.CloseCode}] = n
		}
		all[i] = t
	}
	return all
}

// discarded is the number of events given up by each cause, 0 included.
func discarded(counts stream.Counts) map[string]int64 {
	all := make(map[string]int64)
	for _, cause := range buffer.Causes() {
		all[string(cause)] = counts.Discarded[cause]
	}
	return all
}

// feedStats are the numbers of the feed in the words of the telemetry.
func (s *outlets) feedStats() telemetry.FeedStats {
	f := s.feed.Stats()
	return telemetry.FeedStats{
		Clients: f.Clients,
		Dropped: map[string]int64{"slow": f.Slow, "mute": f.Mute, "noisy": f.Noisy},
		Refused: map[string]int64{"full": f.Full, "foreign": f.Foreign},
	}
}
