package telemetry

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// scopeName names the instrumentation scope of every metric.
const scopeName = "github.com/wsprobe/wsprobe"

// Telemetry collects what probes measure and delivers it to an OTLP receiver. Its methods may be called by several
// goroutines.
type Telemetry struct {
	options  Options
	route    *otlp.Route // nil with ProtocolNone
	resource *resource.Resource
	pending  *pending // nil with ProtocolNone
	self     *selfCounts
	producer *producer
	boxes    []*outbox.Outbox // of all signals that are exported, metrics first; none with ProtocolNone
	metrics  *outbox.Outbox   // nil with ProtocolNone
	log      *slog.Logger
	limited  *limitedHandler // of log
	live     live
	records  *records // nil without Options.Logs
	traces   *traces  // nil without Options.Traces
	// exposition is nil without Options.Exposition.
	exposition *exposition
}

// New prepares the export. It opens no connection; [Telemetry.Run] does. It takes the SpoolDir, if there is one, which
// Run gives back. The error says what is wrong with the options, or that another agent has the SpoolDir. Any other
// trouble with that directory is no error, because it can pass.
func New(options Options) (*Telemetry, error) {
	o := options.filled()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	t := newTelemetry(o)
	err := t.openExport()
	if err == nil && o.Exposition {
		t.exposition, err = t.newExposition()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry: %w", err), t.close())
	}
	return t, nil
}

// newTelemetry puts the parts together that hold nothing. The options are filled and valid.
func newTelemetry(o Options) *Telemetry {
	t := &Telemetry{
		options:  o,
		resource: newResource(o),
		limited:  newLimitedHandler(o.Logger.Handler()),
	}
	t.log = slog.New(t.limited)
	t.self = newSelfCounts(o.InFlight, t.backlog)
	t.self.forms = o.forms()
	t.self.streams, t.self.feed, t.self.discovery = o.Streams, o.Feed, o.Discovery
	if o.Protocol != ProtocolNone {
		t.pending = newPending(o.PendingRuns, func(points int) { t.self.drop(idAgentDropped, points, DropPendingFull) })
	}
	t.producer = &producer{
		scope: instrumentation.Scope{
			Name: scopeName, Version: o.ServiceVersion, SchemaURL: semconv.SchemaURL,
		},
		common:     o.common(),
		header:     headerSize(t.resource, o.ServiceVersion),
		start:      time.Now(),
		pending:    t.pending,
		self:       t.self,
		endMarkers: &t.live.endMarkers,

		exponential: o.Exponential,
		temporality: o.Temporality,
		process:     make(processTotals),
	}
	t.producer.worth.interval = &t.live.interval
	t.begin(otlp.Metrics, DropCauses())
	if o.Logs {
		t.begin(otlp.Logs, outbox.DropCauses())
		t.records = newRecords(o.located(t.resource), o.ServiceVersion,
			func(n int) { t.self.drop(idAgentRecordsDropped, n, outbox.DropQueueFull) })
	}
	if o.Traces {
		t.begin(otlp.Traces, outbox.DropCauses())
		t.traces = newTraces(o.TraceRatio, tracing.NewBuilder(o.located(t.resource), t.producer.scope),
			func(n int) { t.self.drop(idAgentTracesDropped, n, outbox.DropQueueFull) })
	}
	t.observeSelf()
	t.take(o)
	t.live.retimed = make(chan struct{}, 1)
	return t
}

// begin makes the counters of a signal begin.
func (t *Telemetry) begin(s otlp.Signal, causes []outbox.DropCause) {
	t.self.add(signals[s].sent, 0)
	for _, cause := range causes {
		t.self.add(signals[s].dropped, 0, string(cause))
	}
}

// headerSize is the most bytes that a request has besides its points.
func headerSize(r *resource.Resource, version string) int {
	size := len(scopeName) + len(version) + 2*len(semconv.SchemaURL)
	for _, kv := range r.Attributes() {
		size += encodedSize(kv)
	}
	for _, m := range table {
		size += len(m.Name) + len(m.Description) + len(m.Unit)
	}
	return size + 1024
}

// Probe registers a probe and returns where to record its results. Names should be unique.
func (t *Telemetry) Probe(id *metrics.Identity) *Series {
	return t.Replace(nil, []*metrics.Identity{id})[0]
}

// newSeries makes the series of a probe.
func (t *Telemetry) newSeries(id *metrics.Identity) *Series {
	keep := t.options.keep()
	keep.Exemplars = t.traces != nil
	return &Series{pending: t.pending, identity: id, counts: metrics.NewSeries(id, keep)}
}

// ObserveStart notes how late a run started.
func (t *Telemetry) ObserveStart(late time.Duration) { t.self.started(late) }

// ObserveConfigLoad notes an attempt to load a configuration.
func (t *Telemetry) ObserveConfigLoad(load ConfigLoad) { t.self.loadedConfig(load) }

// ObserveConfigStale notes whether the configuration on disk is another than the one in force.
func (t *Telemetry) ObserveConfigStale(stale bool) { t.self.staleConfig(stale) }

// ObserveOverload notes a run that the agent itself disturbed.
func (t *Telemetry) ObserveOverload() { t.self.add(idAgentOverloaded, 1) }

// ObserveProbeRequest notes a request for /probe that was answered with this status.
func (t *Telemetry) ObserveProbeRequest(status int) {
	t.self.add(idAgentProbeRequests, 1, strconv.Itoa(status))
}

// ObserveSkip notes runs that did not take place. The cause becomes an attribute: it must be one of a few
// fixed words.
func (t *Telemetry) ObserveSkip(cause string, runs int) { t.self.add(idAgentSkipped, runs, cause) }
