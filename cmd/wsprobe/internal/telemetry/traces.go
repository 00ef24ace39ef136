package telemetry

import (
	"sync"
	"sync/atomic"

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
	sampler atomic.Pointer[tracing.Sampler]

	building sync.Mutex
	builder  *tracing.Builder // for one request at a time
}

// tracedRun is a run whose trace is to be exported. As a result it takes about a third of the size of its spans.
type tracedRun struct {
	identity *metrics.Identity // of its probe
	result   probe.Result
	session  *tracing.Session // nil for a run
	size     int
}

// newTraces makes the way of traces.
func newTraces(ratio float64, builder *tracing.Builder, lost func(items int)) *traces {
	t := &traces{builder: builder}
	t.sampler.Store(tracing.NewSampler(ratio))
	t.gatherer = newGatherer(func(r tracedRun) int { return r.size }, t.request, lost)
	return t
}

// request encodes the traces of runs.
func (t *traces) request(runs []tracedRun) ([]byte, error) {
	t.building.Lock()
	defer t.building.Unlock()
	var spans []sdktrace.ReadOnlySpan
	for _, r := range runs {
		if probed := r.identity.Append(nil); r.session != nil {
			spans = append(spans, t.builder.SessionSpans(probed, r.result, r.session)...)
		} else {
			spans = append(spans, t.builder.Spans(probed, r.result)...)
		}
	}
	return otlp.Spans(spans)
}

// traceSize returns the most bytes that a trace takes in a request: the attributes of the probe, of which some are in
// several spans, the run's own attributes, and those of each span.
func traceSize(id *metrics.Identity, r *probe.Result) int {
	const ofRun, ofSpan = 1024, 512
	return 3*metrics.Size(id.Append(nil)) + 2*len(r.Detail) + ofRun + ofSpan*tracing.Count(*r)
}

// Tracer takes the runs, or the held sessions, of one probe whose traces are exported. A nil Tracer takes none. Its
// methods must not be called by two goroutines at once.
type Tracer struct {
	identity *metrics.Identity
	traces   *traces

	open  []*tracing.Session // the held sessions that are open, the oldest first
	ended *tracedRun         // the last one, until its end is explained; else nil
}

// Tracer returns what takes the traces of a probe, nil without Options.Traces.
func (t *Telemetry) Tracer(id *metrics.Identity) *Tracer {
	if t.traces == nil {
		return nil
	}
	return &Tracer{identity: id, traces: t.traces}
}

// Observe takes a run, or a held session that has ended, if its trace is kept. It waits for nothing.
func (t *Tracer) Observe(o *metrics.Observation) {
	switch {
	case t == nil:
	case o.Session != nil:
		t.session(o)
	case o.Result.Traced():
		t.traces.add(t.traced(&o.Result, nil))
	}
}

// traced is a run, or a session, whose trace is kept.
func (t *Tracer) traced(r *probe.Result, s *tracing.Session) tracedRun {
	run := tracedRun{t.identity, *r, s, traceSize(t.identity, r)}
	run.result.Body, run.result.LastReply, run.result.CloseReason = "", "", "" // no span bears them
	if s != nil {
		run.size += s.Size()
	}
	return run
}

// Trace returns the trace of a run that is about to start; the zero Trace if runs are not traced. The result must bear
// it when it is recorded.
func (t *Telemetry) Trace() probe.Trace {
	if t.traces == nil {
		return probe.Trace{}
	}
	return t.traces.sampler.Load().Draw()
}
