package telemetry

import (
	"context"
	"log/slog"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
)

// tracesBytes bounds the traces that wait, by their size in a request. As results, which they wait as, they take about a
// third of it.
const tracesBytes = 32 << 20

// traces are the way of traces: a sampler, the relay, and spans only when they are sent.
type traces struct {
	sampler *tracing.Sampler
	relay   relay[tracedRun]
}

// tracedRun is a run whose trace is to be exported.
type tracedRun struct {
	series *Series // of its probe
	result probe.Result
	size   int
}

// newTraces makes the way to what sends. A request that is made again has the same spans, by the same ids.
func newTraces(ratio float64, builder *tracing.Builder, send func(context.Context, []sdktrace.ReadOnlySpan) verdict) *traces {
	return &traces{
		sampler: tracing.NewSampler(ratio),
		relay: relay[tracedRun]{size: func(r tracedRun) int { return r.size }, limit: tracesBytes, spread: 1, wake: make(chan struct{}, 1),
			send: func(ctx context.Context, runs []tracedRun) verdict {
				var spans []sdktrace.ReadOnlySpan
				for _, r := range runs {
					spans = append(spans, builder.Spans(r.series.appendBase(nil), r.result)...)
				}
				return send(ctx, spans)
			}},
	}
}

// traceSize is the most bytes that a trace takes in a request: the attributes of the probe, of which some are in several
// spans, the run's own, and those of each span.
func traceSize(s *Series, r probe.Result) int {
	const ofRun, ofSpan = 1024, 512
	return 3*encodedSize(s.appendBase(nil)) + 2*len(r.Detail) + ofRun + ofSpan*tracing.Count(r)
}

// add takes a run whose trace is kept. It waits for nothing.
func (t *traces) add(s *Series, r probe.Result) {
	r.Body, r.LastReply, r.CloseReason = "", "", "" // no span bears them
	t.relay.add(tracedRun{s, r, traceSize(s, r)})
}

// openTraces prepares the export of traces.
func (t *Telemetry) openTraces() {
	if t.wire.sendSpans == nil {
		return
	}
	t.agent.countTraces()
	t.traces = newTraces(t.options.TraceRatio, tracing.NewBuilder(t.options.located(t.resource), t.producer.scope), t.wire.sendSpans)
	t.traces.relay.spread = t.delivery.spread
	t.traces.relay.sent = t.agent.tracesSent
	t.traces.relay.drop = t.agent.dropTraces
	t.traces.relay.report = (&relayReport{log: t.log, what: "traces", unit: "traces"}).tell
}

// relayTraces exports traces as [relay.run] does, if they are wanted.
func (t *Telemetry) relayTraces(ctx context.Context, last <-chan struct{}) {
	if t.traces == nil {
		return
	}
	if left := t.traces.relay.run(ctx, last); left > 0 {
		t.log.log(slog.LevelWarn, "stopped with traces undelivered", "traces", left)
	}
}

// Trace returns the trace that a run which is about to start is in, the zero Trace if runs are not traced. The result
// must bear it when it is recorded.
func (t *Telemetry) Trace() probe.Trace {
	if t.traces == nil {
		return probe.Trace{}
	}
	return t.traces.sampler.Draw()
}
