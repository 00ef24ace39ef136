package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// scopeName names the instrumentation scope of every metric.
const scopeName = "github.com/wsprobe/wsprobe"

// Telemetry collects what probes measure and delivers it to an OTLP receiver. Its methods may be called by
// several goroutines.
type Telemetry struct {
	options  Options
	wire     wire
	resource *resource.Resource
	pending  *pending
	agent    *agent
	producer *producer
	reader   sdkmetric.Reader
	provider *sdkmetric.MeterProvider
	queue    *queue
	delivery *delivery
	health   *health
	log      *limitedLog
}

// wire is the way to a receiver.
type wire struct {
	send  func(context.Context, content) verdict
	pack  func(*metricdata.ResourceMetrics) ([]byte, error)
	close func() error
}

// New prepares the export. It opens no connection; [Telemetry.Run] does.
func New(options Options) (*Telemetry, error) {
	o := options.filled()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	client, err := newOTLPClient(o)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return newTelemetry(o, wire{send: client.send, pack: client.pack, close: client.close}), nil
}

// newTelemetry puts the parts together. The options are filled and valid.
func newTelemetry(o Options, w wire) *Telemetry {
	instance := uuid.New()
	t := &Telemetry{
		options:  o,
		wire:     w,
		resource: newResource(o, instance),
		health:   newHealth(),
		log:      newLimitedLog(o.Logger),
	}
	t.queue = newQueue(o.QueueBytes, func(cause DropCause, points int) { t.agent.drop(cause, points) })
	t.agent = newAgent(o.InFlight, t.queue.state)
	t.pending = newPending(o.PendingRuns, func(points int) { t.agent.drop(DropPendingFull, points) })
	t.producer = &producer{
		scope: instrumentation.Scope{
			Name: scopeName, Version: o.ServiceVersion, SchemaURL: semconv.SchemaURL,
		},
		header:  headerSize(t.resource, o.ServiceVersion),
		start:   time.Now(),
		pending: t.pending,
		agent:   t.agent,
	}
	// A reader needs a provider to work. Ours has no instrument; its resource is not used, see collect.
	t.reader = sdkmetric.NewManualReader(sdkmetric.WithProducer(t.producer))
	t.provider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(t.reader))
	t.delivery = &delivery{
		queue:  t.queue,
		send:   w.send,
		agent:  t.agent,
		health: t.health,
		log:    t.log,
		// Short enough for the last collection to have its turn before the stop budget is used up.
		patience: min(o.Interval, o.StopBudget) / 2,
		spread:   spreadOf(instance.String()),
	}
	return t
}

// headerSize is the most bytes that a request has besides its points.
func headerSize(r *resource.Resource, version string) int {
	size := encodedSize(r.Attributes()) + len(scopeName) + len(version) + 2*len(semconv.SchemaURL)
	for _, m := range table {
		size += len(m.Name) + len(m.Description) + len(m.Unit)
	}
	return size + 1024
}

// Probe registers a probe and returns where to record its results. Names should be unique.
func (t *Telemetry) Probe(target Target) *Series {
	s := newSeries(target, t.pending)
	t.producer.add(s)
	return s
}

// ObserveStart notes how late a run started.
func (t *Telemetry) ObserveStart(late time.Duration) { t.agent.started(late) }

// ObserveOverload notes a run that the agent itself disturbed.
func (t *Telemetry) ObserveOverload() { t.agent.overloaded() }

// ObserveSkip notes runs that did not take place. The cause becomes an attribute: it must be one of a few
// fixed words.
func (t *Telemetry) ObserveSkip(cause string, runs int) { t.agent.skip(cause, runs) }

// Health says whether telemetry gets through.
func (t *Telemetry) Health() Health { return t.health.get() }

// Run exports until ctx ends, then delivers what it can within the stop budget and closes the connection.
// What a receiver does is no error: see [Telemetry.Health]. Run must be called once only.
func (t *Telemetry) Run(ctx context.Context) error {
	working, cancel := outlive(ctx, t.options.StopBudget)
	defer cancel()

	last := make(chan struct{})
	var delivering sync.WaitGroup
	delivering.Go(func() { t.delivery.run(working, last) })
	ticker := time.NewTicker(t.options.Interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-ticker.C:
		case <-t.pending.half:
		}
		t.queue.pack(t.wire.pack)
		t.collect()
		t.tellDrops()
	}
	t.collect()
	close(last)
	delivering.Wait()
	t.tellDrops()

	if n := t.queue.points(); n > 0 {
		t.log.log(slog.LevelWarn, "stopped with data points undelivered", "points", n)
	}
	if err := errors.Join(t.provider.Shutdown(context.WithoutCancel(ctx)), t.wire.close()); err != nil {
		return fmt.Errorf("telemetry: ending the export: %w", err)
	}
	return nil
}

// collect puts everything that was recorded since the last collection into the queue.
func (t *Telemetry) collect() {
	var all metricdata.ResourceMetrics
	if err := t.reader.Collect(context.Background(), &all); err != nil { // it waits for nothing
		t.log.log(slog.LevelError, "collection failed", "error", err)
	}
	now := time.Now()
	batches := make([]*batch, 0, len(all.ScopeMetrics))
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
	t.queue.add(now, batches)
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
