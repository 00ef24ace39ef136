package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// collection puts what was recorded into the outbox, time and again.
type collection struct {
	*Telemetry
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

// collect puts what was recorded since the last collection into the outbox, request by request.
func (c *collection) collect(produce func(func(...metricdata.ScopeMetrics))) {
	c.watchClock()
	produce(func(scopes ...metricdata.ScopeMetrics) { c.metrics.Add(c.batch(scopes...)) })
	c.tellDrops()
}

// watchClock tells of a clock that was set back behind what was exported, and of one that has caught up.
func (c *collection) watchClock() {
	times := &c.producer.times
	if !times.observe(time.Now()) {
		return
	}
	if behind := times.behind(); behind > 0 {
		c.log.Warn("the clock is behind the last time that was exported: Prometheus refuses results until it has caught up",
			"behind", behind.Round(time.Second), "exported", times.latest.UTC())
	} else {
		c.log.Info("the clock has caught up with the last time that was exported")
	}
}

// batch makes a batch of a request.
func (t *Telemetry) batch(scopes ...metricdata.ScopeMetrics) outbox.Batch {
	data := &metricdata.ResourceMetrics{Resource: t.resource, ScopeMetrics: scopes}
	return outbox.Batch{
		Encode: func() ([]byte, error) { return marshal(data) },
		Items:  countPoints(scopes...),
		At:     time.Now(),
	}
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
