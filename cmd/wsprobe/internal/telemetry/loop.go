package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// Run exports until ctx ends, then delivers what it can within the stop budget and closes the connection. With
// ProtocolNone it just waits. The answers of a receiver are no error: see [Telemetry.ExportState]. Run must be called
// once only.
func (t *Telemetry) Run(ctx context.Context) error {
	t.producer.begin()
	if t.options.Protocol == ProtocolNone {
		<-ctx.Done()
		return t.end()
	}
	working, cancel := outlive(ctx, t.options.StopBudget)
	defer cancel()
	var exports sync.WaitGroup
	export := func(box *outbox.Outbox, fill func()) {
		last := make(chan struct{}) // closed when nothing more comes
		exports.Go(func() { box.Run(working, last) })
		exports.Go(func() { defer close(last); fill() })
	}
	export(t.metrics, func() { (&collection{t}).run(ctx) })
	if r := t.records; r != nil {
		export(r.box, func() { r.run(ctx, t.gatherDelay(r.box), r.box.Add) })
	}
	if r := t.traces; r != nil {
		export(r.box, func() { r.run(ctx, t.gatherDelay(r.box), r.box.Add) })
	}
	exports.Wait()
	return t.end()
}

// gatherDelay returns how long single items wait to travel together: shortly, or for an interval if others wait before
// them, so that an outage does not make a file of each second.
func (t *Telemetry) gatherDelay(box *outbox.Outbox) func() time.Duration {
	return func() time.Duration {
		if box.Backlog().Batches == 0 {
			return gatherDelay
		}
		return max(gatherDelay, t.interval())
	}
}

// end ends the export.
func (t *Telemetry) end() error {
	t.tellDrops()
	if err := t.close(); err != nil {
		return fmt.Errorf("telemetry: ending the export: %w", err)
	}
	return nil
}

// tellDrops logs the items that were dropped since the last call by code that must not wait for a log.
func (t *Telemetry) tellDrops() {
	for dropped, n := range t.self.takeUntold() {
		for _, signal := range signals {
			if signal.dropped == dropped.metric {
				t.log.Warn(signal.Items+" dropped: "+dropped.values[0], signal.Unit, n)
			}
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
