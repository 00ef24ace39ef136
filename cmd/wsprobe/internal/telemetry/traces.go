package telemetry

import (
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// traces is the way of traces: a sampler, the gatherer, and spans only when a request is encoded.
type traces struct {
	*gatherer[tracedRun]
	box     *outbox.Outbox
	sampler *tracing.Sampler

	building sync.Mutex
	builder  *tracing.Builder // for one request at a time
}

// tracedRun is a run whose trace is to be exported. As a result it takes about a third of the size of its spans.
type tracedRun struct {
	identity *metrics.Identity // of its probe
	result   probe.Result
	size     int
}

// newTraces makes the way of traces.
func newTraces(ratio float64, builder *tracing.Builder, lost func(items int)) *traces {
	t := &traces{sampler: tracing.NewSampler(ratio), builder: builder}
	t.gatherer = newGatherer(func(r tracedRun) int { return r.size }, t.request, lost)
	return t
}

// request encodes the traces of runs.
func (t *traces) request(runs []tracedRun) ([]byte, error) {
	t.building.Lock()
	defer t.building.Unlock()
	var spans []sdktrace.ReadOnlySpan
	for _, r := range runs {
		spans = append(spans, t.builder.Spans(r.identity.Append(nil), r.result)...)
	}
	return otlp.Spans(spans)
}

// traceSize returns the most bytes that a trace takes in a request: the attributes of the probe, of which some are in
// several spans, the run's own attributes, and those of each span.
func traceSize(id *metrics.Identity, r *probe.Result) int {
	const ofRun, ofSpan = 1024, 512
	return 3*metrics.Size(id.Append(nil)) + 2*len(r.Detail) + ofRun + ofSpan*tracing.Count(*r)
}

// Tracer takes the runs of one probe whose traces are exported. A nil Tracer takes none.
type Tracer struct {
	identity *metrics.Identity
	traces   *traces
}

// Tracer returns what takes the traces of a probe, nil without Options.Traces.
func (t *Telemetry) Tracer(id *metrics.Identity) *Tracer {
	if t.traces == nil {
		return nil
	}
	return &Tracer{id, t.traces}
}

// Observe takes a run if its trace is kept. It waits for nothing.
func (t *Tracer) Observe(o *metrics.Observation) {
	if t == nil || !o.Result.Traced() || o.Session != nil && o.Session.Moment != metrics.SessionEnded {
		return
	}
	r := o.Result
	r.Body, r.LastReply, r.CloseReason = "", "", "" // no span bears them
	t.traces.add(tracedRun{t.identity, r, traceSize(t.identity, &r)})
}

// Trace returns the trace of a run that is about to start; the zero Trace if runs are not traced. The result must bear
// it when it is recorded.
func (t *Telemetry) Trace() probe.Trace {
	if t.traces == nil {
		return probe.Trace{}
	}
	return t.traces.sampler.Draw()
}
