package telemetry

import (
	"context"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// collection puts what was recorded into the outbox, time and again.
type collection struct {
	*Telemetry
}

// run collects every interval until ctx ends, and then once more. Many runs are collected ahead of time, and so is the
// first one, for whoever waits to see whether it all works.
func (c *collection) run(ctx context.Context) {
	ticker := time.NewTicker(c.interval())
	defer ticker.Stop()
	var early <-chan time.Time
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticker.C:
			early = nil
			c.collect(c.producer.produceAll)
		case <-c.live.retimed:
			ticker.Reset(c.interval())
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
func (c *collection) collect(produce func(func(...otlp.Scope))) {
	c.watchClock()
	produce(func(scopes ...otlp.Scope) { c.metrics.Add(c.batch(scopes...)) })
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
func (t *Telemetry) batch(scopes ...otlp.Scope) outbox.Batch {
	return outbox.Batch{
		Encode: func() ([]byte, error) { return otlp.Points(t.resource, scopes...) },
		Items:  countPoints(scopes...),
		At:     time.Now(),
	}
}

// countPoints returns the number of points of a request.
func countPoints(scopes ...otlp.Scope) int {
	n := 0
	for _, scope := range scopes {
		for _, f := range scope.Families {
			n += len(f.Points)
		}
	}
	return n
}
