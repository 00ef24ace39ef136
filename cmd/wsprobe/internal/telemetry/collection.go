package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// maxLoose is how many batches may be in memory as points: one on its way, and one that is made meanwhile.
const maxLoose = 2

// collection puts what was recorded into the queue, time and again.
type collection struct {
	*Telemetry
	slow *time.Timer // ticks when the oldest batch that is not settled should have arrived
	late bool        // one did not, during the collection under way
	// delivered is closed when there is no delivery any more.
	delivered <-chan struct{}
}

// run collects every interval until ctx ends, and then once more. Many runs are collected ahead of time, and so is the
// first one, for whoever waits to see whether it all works.
func (c *collection) run(ctx context.Context) {
	ticker := time.NewTicker(c.options.Interval)
	defer ticker.Stop()
	var early <-chan time.Time
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-c.slow.C:
			c.check()
		case <-c.queue.unsettled:
			c.settle()
		case <-ticker.C:
			early = nil
			c.collect(c.producer.produceAll)
		case <-c.pending.many:
			c.collect(c.producer.produce)
		case <-c.pending.first:
			if c.options.FirstAfter > 0 {
				early = time.After(c.options.FirstAfter)
			}
		case <-early:
			c.collect(c.producer.produceAll)
		}
	}
	c.collect(c.producer.produceLast)
}

// collect puts what was recorded since the last collection into the queue, request by request. As long as exports get
// through it need not be settled: it is gone in a moment, or settled when slow ticks.
func (c *collection) collect(produce func(func(...metricdata.ScopeMetrics))) {
	c.late = false
	c.watchClock()
	produce(c.add)
	c.tellDrops()
}

// watchClock tells of a clock that was set back behind what was exported, and of one that has caught up.
func (c *collection) watchClock() {
	times := &c.producer.times
	if !times.observe(time.Now()) {
		return
	}
	if behind := times.behind(); behind > 0 {
		c.log.log(slog.LevelWarn, "the clock is behind the last time that was exported: Prometheus refuses results until it has caught up",
			"behind", behind.Round(time.Second), "exported", times.latest.UTC())
	} else {
		c.log.log(slog.LevelInfo, "the clock has caught up with the last time that was exported")
	}
}

// add puts a request into the queue. It returns when there is room in memory for another.
func (c *collection) add(scopes ...metricdata.ScopeMetrics) {
	c.queue.add(c.batch(scopes...))
	if loose, _, _ := c.queue.loose(); loose == 1 {
		c.slow.Reset(c.slowAfter())
	}
	for c.full() {
		select {
		case <-c.queue.removed:
		case <-c.queue.unsettled:
			c.settle()
		case <-c.slow.C:
			c.check()
		case <-c.delivered:
			c.late = true
		}
	}
}

// batch makes a batch of a request.
func (t *Telemetry) batch(scopes ...metricdata.ScopeMetrics) *batch {
	data := &metricdata.ResourceMetrics{Resource: t.resource, ScopeMetrics: scopes}
	return &batch{content: content{data: data}, points: countPoints(scopes...), collected: time.Now()}
}

// check settles what waits if some of it has waited for too long.
func (c *collection) check() {
	loose, oldest, _ := c.queue.loose()
	if loose == 0 {
		return
	}
	if rest := c.slowAfter() - time.Since(oldest); rest > 0 {
		c.slow.Reset(rest)
		return
	}
	c.late = true
	c.settle()
}

// full reports whether to wait before another request is made. If waiting makes no sense it settles what there is:
// packed, or on disk, it takes little.
func (c *collection) full() bool {
	loose, _, others := c.queue.loose()
	if c.late || others || !c.health.get().OK {
		c.settle()
		return false
	}
	return loose >= maxLoose
}

// countPoints returns the number of data points of the kinds that there are.
func countPoints(scopes ...metricdata.ScopeMetrics) int {
	n := 0
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[float64]:
				n += len(data.DataPoints)
			case metricdata.Sum[int64]:
				n += len(data.DataPoints)
			case metricdata.Sum[float64]:
				n += len(data.DataPoints)
			case metricdata.Histogram[float64]:
				n += len(data.DataPoints)
			}
		}
	}
	return n
}
