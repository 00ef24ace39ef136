package telemetry

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
)

// scopeName names the instrumentation scope of every metric.
const scopeName = "github.com/wsprobe/wsprobe"

// Telemetry collects what probes measure and delivers it to an OTLP receiver. Its methods may be called by several
// goroutines.
type Telemetry struct {
	options  Options
	client   *otlp.Client // nil with ProtocolNone
	resource *resource.Resource
	pending  *pending // nil with ProtocolNone
	agent    *agent
	producer *producer
	boxes    []*outbox.Outbox // of all signals that are exported, metrics first; none with ProtocolNone
	metrics  *outbox.Outbox   // nil with ProtocolNone
	log      *slog.Logger
	limited  *limitedHandler // of log
	records  *records        // nil without Options.Logs
	traces   *traces         // nil without Options.Traces
	scrapes  http.Handler    // nil without Options.Scrapes
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
	if err == nil && o.Scrapes {
		t.scrapes, err = t.newScrapes()
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
	t.agent = newAgent(o.InFlight, t.backlog)
	t.agent.build = buildAttributes(o.ServiceVersion, runtime.Version(), revision(), o.PageURL)
	if o.Protocol != ProtocolNone {
		t.pending = newPending(o.PendingRuns, func(points int) { t.agent.metrics.dropUntold(DropPendingFull, points) })
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
	if o.Logs {
		t.agent.records = newSignalCounts(outbox.DropCauses())
		t.records = newRecords(o.located(t.resource), o.ServiceVersion,
			func(n int) { t.agent.records.dropUntold(outbox.DropQueueFull, n) })
	}
	if o.Traces {
		t.agent.traces = newSignalCounts(outbox.DropCauses())
		t.traces = newTraces(o.TraceRatio, tracing.NewBuilder(o.located(t.resource), t.producer.scope),
			func(n int) { t.agent.traces.dropUntold(outbox.DropQueueFull, n) })
	}
	t.observeSelf()
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
func (t *Telemetry) Probe(target Target) *Series { return t.Replace(nil, []Target{target})[0] }

// newSeries makes the series of a probe.
func (t *Telemetry) newSeries(target Target) *Series {
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
