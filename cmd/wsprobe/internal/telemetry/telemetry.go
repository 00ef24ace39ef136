package telemetry

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
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
	pending  *pending // nil with ProtocolNone
	agent    *agent
	producer *producer
	queue    *queue
	delivery *delivery
	health   *health
	log      *limitedLog
	records  *records     // nil without Options.Logs
	traces   *traces      // nil without Options.Traces
	scrapes  http.Handler // nil without Options.Scrapes
}

// New prepares the export. It opens no connection; [Telemetry.Run] does. It takes the SpoolDir, if there is one, which
// Run gives back. That another agent has it is an error; any other trouble with it is not, for it can pass.
func New(options Options) (*Telemetry, error) {
	o := options.filled()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	w, err := newWire(o)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	t := newTelemetry(o, w)
	if o.Scrapes {
		t.scrapes, err = t.newScrapes()
	}
	if err == nil {
		err = t.queue.open(time.Now())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry: %w", err), w.close())
	}
	return t, nil
}

// newTelemetry puts the parts together. The options are filled and valid.
func newTelemetry(o Options, w wire) *Telemetry {
	t := &Telemetry{
		options:  o,
		wire:     w,
		resource: newResource(o),
		health:   newHealth(),
		log:      newLimitedLog(o.Logger),
	}
	t.health.grace = 2 * o.Interval
	t.queue = t.newQueue()
	t.agent = newAgent(o.InFlight, t.queue.state)
	t.agent.build = buildAttributes(o.ServiceVersion, runtime.Version(), revision(), o.PageURL)
	if o.Protocol == ProtocolNone {
		t.health.note(time.Now(), 0, verdict{outcome: Accepted}, false) // there is no export that could fail
	} else {
		t.pending = newPending(o.PendingRuns, func(points int) { t.agent.drop(DropPendingFull, points) })
	}
	t.producer = &producer{
		scope: instrumentation.Scope{
			Name: scopeName, Version: o.ServiceVersion, SchemaURL: semconv.SchemaURL,
		},
		common:     o.common(),
		header:     headerSize(t.resource, o.ServiceVersion),
		start:      time.Now(),
		pending:    t.pending,
		agent:      t.agent,
		endMarkers: o.EndMarkers,
	}
	t.delivery = &delivery{
		queue:      t.queue,
		send:       w.send,
		agent:      t.agent,
		health:     t.health,
		log:        t.log,
		interleave: o.Interleave,
		// Short enough for the last collection to have its turn before the stop budget is used up.
		patience: min(o.Interval, o.StopBudget) / 2,
		recent:   o.Interval + min(o.Interval, o.StopBudget)/2,
		spread:   spreadOf(o.InstanceID),
	}
	t.openRecords()
	t.openTraces()
	t.observeSelf()
	return t
}

// newQueue makes the queue that the options want.
func (t *Telemetry) newQueue() *queue {
	o := t.options
	bounds := limits{memory: o.QueueBytes, age: o.QueueAge}
	drop := func(cause DropCause, points int) { t.agent.drop(cause, points) }
	var spool *disk
	if o.SpoolDir != "" {
		bounds.memory, bounds.disk = min(o.QueueBytes, DefaultQueueBytes), o.QueueBytes
		spool = newDisk(o.SpoolDir, func() { t.agent.unrecognizedFile() }, func(kind string) { t.agent.spoolFailed(kind) }, t.log)
		spool.lost = func(points int) { drop(DropDamaged, points) }
		spool.dir.Patience = o.StopBudget // a stop waits for the disk as long as for the receiver
	}
	q := newQueue(bounds, spool, drop)
	if spool != nil {
		spool.dir.Scanned = func() { signal(q.unsettled) } // so that what is found late is taken over without delay
	}
	return q
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
	s.traces = t.traces
	if t.records != nil {
		s.records = &recorder{Handler: t.records.handler}
	}
	if t.options.Scrapes {
		s.last = new(run)
		if t.options.Traces {
			s.shown = new(exemplars)
		}
	}
	t.producer.add(s)
	return s
}

// ObserveStart notes how late a run started.
func (t *Telemetry) ObserveStart(late time.Duration) { t.agent.started(late) }

// ObserveConfigLoad notes an attempt to load a configuration.
func (t *Telemetry) ObserveConfigLoad(load ConfigLoad) { t.agent.loads.add(load) }

// ObserveOverload notes a run that the agent itself disturbed.
func (t *Telemetry) ObserveOverload() { t.agent.overloaded() }

// ObserveSkip notes runs that did not take place. The cause becomes an attribute: it must be one of a few
// fixed words.
func (t *Telemetry) ObserveSkip(cause string, runs int) { t.agent.skip(cause, runs) }

// Health says whether telemetry gets through.
func (t *Telemetry) Health() Health { return t.health.get() }
