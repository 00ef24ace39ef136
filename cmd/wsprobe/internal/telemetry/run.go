package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// slowAfter is how long a batch may be on its way before it is settled, in case that it does not arrive.
const slowAfter = time.Second

// Run exports until ctx ends, then delivers what it can within the stop budget and closes the connection. With
// ProtocolNone it just waits.
// What a receiver does is no error: see [Telemetry.Health]. Run must be called once only.
func (t *Telemetry) Run(ctx context.Context) error {
	t.producer.begin()
	if t.options.Protocol == ProtocolNone {
		<-ctx.Done()
		return t.end()
	}
	working, cancel := outlive(ctx, t.options.StopBudget)
	defer cancel()

	last, delivered := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(delivered)
		var others sync.WaitGroup
		others.Go(func() { t.relayRecords(working, last) })
		others.Go(func() { t.relayTraces(working, last) })
		t.delivery.run(working, last)
		others.Wait()
	}()
	c := &collection{Telemetry: t, slow: time.NewTimer(t.slowAfter()), delivered: delivered}
	defer c.slow.Stop()
	c.run(ctx)
	close(last)
	for waiting := true; waiting; {
		select {
		case <-delivered:
			waiting = false
		case <-c.slow.C:
			t.save()
		case <-t.queue.unsettled:
			t.save()
		}
	}
	return t.end()
}

// slowAfter is how long after its collection a batch is settled if it has not arrived. There is no hurry if that is only to
// save memory: encoding it twice is no help to a busy machine.
func (t *Telemetry) slowAfter() time.Duration {
	if t.options.SpoolDir == "" {
		return t.options.Interval / 2
	}
	return min(slowAfter, t.options.Interval/2)
}

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
func (t *Telemetry) end() error {
	t.save()
	t.tellDrops()
	lost, kept := t.queue.points()
	if lost > 0 {
		t.log.log(slog.LevelWarn, "stopped with data points undelivered", "points", lost)
	}
	if kept > 0 {
		t.log.log(slog.LevelInfo, "stopped with data points in the spool: the next start delivers them", "points", kept)
	}
	err := errors.Join(t.wire.close(), t.queue.close())
	t.log.flush()
	if err != nil {
		return fmt.Errorf("telemetry: ending the export: %w", err)
	}
	return nil
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
