package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// slowAfter is how long a batch may be on its way before it is settled, in case that it does not arrive.
const slowAfter = time.Second

// Run exports until ctx ends, then delivers what it can within the stop budget and closes the connection.
// What a receiver does is no error: see [Telemetry.Health]. Run must be called once only.
func (t *Telemetry) Run(ctx context.Context) error {
	working, cancel := outlive(ctx, t.options.StopBudget)
	defer cancel()

	last, delivered := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(delivered)
		var both sync.WaitGroup
		both.Go(func() { t.relayRecords(working, last) })
		t.delivery.run(working, last)
		both.Wait()
	}()
	slow := time.NewTimer(t.slowAfter())
	defer slow.Stop()
	t.collectUntil(ctx, slow)
	close(last)
	for waiting := true; waiting; {
		select {
		case <-delivered:
			waiting = false
		case <-slow.C:
			t.save()
		case <-t.queue.unsettled:
			t.save()
		}
	}
	return t.end(ctx)
}

// collectUntil collects every interval until ctx ends, and then once more.
func (t *Telemetry) collectUntil(ctx context.Context, slow *time.Timer) {
	ticker := time.NewTicker(t.options.Interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-slow.C:
			t.save()
		case <-t.queue.unsettled:
			t.settle()
		case <-ticker.C:
			t.collect(slow)
		case <-t.pending.half:
			t.collect(slow)
		}
	}
	t.collect(slow)
}

// slowAfter is how long after a collection its batches are settled if they have not arrived.
func (t *Telemetry) slowAfter() time.Duration { return min(slowAfter, t.options.Interval/2) }

// settle settles what waits, and tells what was dropped.
func (t *Telemetry) settle() {
	t.queue.settle(time.Now(), t.wire.pack)
	t.tellDrops()
}

// save settles what waits if that makes it outlive the process.
func (t *Telemetry) save() {
	if t.options.SpoolDir != "" {
		t.settle()
	}
}

// end ends the export. What was not delivered stays in the spool if it got there.
func (t *Telemetry) end(ctx context.Context) error {
	t.save()
	t.tellDrops()
	lost, kept := t.queue.points()
	if lost > 0 {
		t.log.log(slog.LevelWarn, "stopped with data points undelivered", "points", lost)
	}
	if kept > 0 {
		t.log.log(slog.LevelInfo, "stopped with data points in the spool: the next start delivers them", "points", kept)
	}
	if err := errors.Join(t.provider.Shutdown(context.WithoutCancel(ctx)), t.wire.close(), t.queue.close()); err != nil {
		return fmt.Errorf("telemetry: ending the export: %w", err)
	}
	return nil
}

// collect puts everything that was recorded since the last collection into the queue. As long as exports get
// through it need not be settled: it is gone in a moment, or settled when slow ticks.
func (t *Telemetry) collect(slow *time.Timer) {
	t.settle()
	t.queue.add(t.produce())
	if !t.health.get().OK {
		t.settle()
	}
	slow.Reset(t.slowAfter())
}

// produce makes batches of everything that was recorded since the last collection.
func (t *Telemetry) produce() (now time.Time, batches []*batch) {
	var all metricdata.ResourceMetrics
	if err := t.reader.Collect(context.Background(), &all); err != nil { // it waits for nothing
		t.log.log(slog.LevelError, "collection failed", "error", err)
	}
	now = time.Now()
	for _, scope := range all.ScopeMetrics {
		batches = append(batches, &batch{
			// Not the resource of a provider, into which the SDK mixes OTEL_RESOURCE_ATTRIBUTES.
			content: content{data: &metricdata.ResourceMetrics{
				Resource: t.resource, ScopeMetrics: []metricdata.ScopeMetrics{scope},
			}},
			points:    countPoints(scope),
			collected: now,
		})
	}
	return now, batches
}

// countPoints returns the number of data points of the kinds that the producer makes.
func countPoints(scope metricdata.ScopeMetrics) int {
	n := 0
	for _, m := range scope.Metrics {
		switch data := m.Data.(type) {
		case metricdata.Gauge[float64]:
			n += len(data.DataPoints)
		case metricdata.Sum[int64]:
			n += len(data.DataPoints)
		case metricdata.Histogram[float64]:
			n += len(data.DataPoints)
		}
	}
	return n
}

// tellDrops logs what was dropped since the last collection. Whoever drops only counts: it holds a lock, or
// is a probe that must not wait for a log.
func (t *Telemetry) tellDrops() {
	for cause, points := range t.agent.untold() {
		if cause != DropRejected { // the delivery has told, in the receiver's words
			t.log.log(slog.LevelWarn, "data points dropped: "+string(cause), "points", points)
		}
	}
}

// outlive returns a context that ends some time after its parent.
func outlive(parent context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.NewTimer(by)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { stop(); cancel() }
}
