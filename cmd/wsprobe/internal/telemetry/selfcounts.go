package telemetry

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// delayBounds are the bounds of the delays of starts, in ms. A start is late by less than a millisecond on an idle
// machine, and by seconds on a suspended one. They do not change.
var delayBounds = []float64{
	0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000,
}

// selfCounts counts the agent's own work: a number for each metric of the agent and each combination of its attributes.
type selfCounts struct {
	inFlight  func() int              // or nil
	streams   func() []StreamStats    // or nil
	feed      func() FeedStats        // or nil
	discovery func() []DiscoveryStats // or nil
	backlog   func() outbox.Backlog
	forms     metrics.Forms

	mu     sync.Mutex
	totals map[counter]int64
	untold map[counter]int64 // dropped items of which the log does not know yet
	delay  metrics.Values
	build  []metrics.Attribute
	load   ConfigLoad // the last attempt
	loaded time.Time  // when the configuration in force was loaded; zero if none was
	stale  float64    // 1 if the one on disk is another
}

// counter is a metric with the values of the attributes that its row of the table names, in that order. An empty value
// is an absent attribute.
type counter struct {
	metric metrics.ID
	values [2]string
}

func newCounter(m metrics.ID, values []string) counter {
	c := counter{metric: m}
	copy(c.values[:], values)
	return c
}

func newSelfCounts(inFlight func() int, backlog func() outbox.Backlog) *selfCounts {
	c := &selfCounts{inFlight: inFlight, backlog: backlog, totals: make(map[counter]int64), untold: make(map[counter]int64)}
	c.add(idAgentOverloaded, 0)
	c.add(idAgentSpoolUnrecognizedFiles, 0)
	c.add(idAgentRequests, 0, string(outbox.Accepted))
	return c
}

// add adds to a counter. To add 0 makes it begin, because a back end then sees the first increase.
func (c *selfCounts) add(m metrics.ID, n int, values ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals[newCounter(m, values)] += int64(n)
}

// drop counts dropped items of which the log learns at the next collection, because the caller must not wait for a log.
func (c *selfCounts) drop(m metrics.ID, n int, cause outbox.DropCause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dropped := newCounter(m, []string{string(cause)})
	c.totals[dropped] += int64(n)
	c.untold[dropped] += int64(n)
}

// takeUntold returns the dropped items of which the log does not know yet.
func (c *selfCounts) takeUntold() map[counter]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := maps.Clone(c.untold)
	clear(c.untold)
	return news
}

// started counts a run that started late by so much.
func (c *selfCounts) started(late time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay.Observe(c.forms, delayBounds, probe.Millis(late))
}

// addTo adds the agent's points.
func (c *selfCounts) addTo(b *batcher, probes int, start, now time.Time) {
	none := b.sets.Alone()
	b.sum(idAgentProbes, none, start, now, int64(probes))
	if c.inFlight != nil {
		b.sum(idAgentInFlight, none, start, now, int64(c.inFlight()))
	}
	waiting := c.backlog()
	b.sum(idAgentQueueLength, none, start, now, int64(waiting.Batches))
	b.sum(idAgentQueueSize, none, start, now, waiting.Bytes)
	if waiting.Batches > 0 {
		b.gauge(idAgentQueueAge, none, start, now, waiting.Age.Seconds())
	}

	if c.streams != nil {
		addStreams(b, c.streams(), start, now)
	}
	if c.feed != nil {
		addFeed(b, c.feed(), start, now)
	}
	if c.discovery != nil {
		addDiscovery(b, c.discovery(), start, now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b.gauge(idAgentBuild, b.sets.Alone(c.build...), start, now, 1)
	delay := c.delay.Distribution(delayBounds)
	b.sum(idAgentStarted, none, start, now, int64(delay.Count))
	if delay.Count > 0 {
		b.add(idAgentStartDelay, metrics.Point{Attributes: none, Start: start, Time: now, Distribution: &delay})
	}
	if !c.load.At.IsZero() {
		b.gauge(idAgentLoadDuration, none, start, now, c.load.Took.Seconds())
	}
	if !c.loaded.IsZero() {
		b.gauge(idAgentLoadTime, none, start, now, float64(c.loaded.UnixMilli())/1000)
		b.gauge(idAgentConfigStale, none, start, now, c.stale)
	}
	for _, total := range slices.SortedFunc(maps.Keys(c.totals), counter.compare) {
		b.sum(total.metric, b.sets.Alone(total.attributes()...), start, now, c.totals[total])
	}
}

func (c counter) compare(other counter) int {
	return cmp.Or(cmp.Compare(c.metric, other.metric), slices.Compare(c.values[:], other.values[:]))
}

func (c counter) attributes() []metrics.Attribute {
	keys := table[c.metric].Attributes
	return withValues(keys, c.values[:len(keys)])
}
