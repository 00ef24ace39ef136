package tracing

import (
	"context"
	"encoding/binary"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Builder makes the spans of one run after the other. Its methods must not be called by several goroutines at once.
type Builder struct {
	tracer trace.Tracer
	spans  []sdktrace.ReadOnlySpan

	run    probe.Trace  // that is being built
	nextID trace.SpanID // of the next span
}

// NewBuilder returns a Builder whose spans belong to the resource and the scope.
func NewBuilder(r *resource.Resource, scope instrumentation.Scope) *Builder {
	b := &Builder{}
	// Every option is set, so that OTEL_ variables cannot override the configuration.
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(r),
		sdktrace.WithIDGenerator(presetIDs{b}),
		sdktrace.WithSampler(presetSampler{b}),
		sdktrace.WithSpanProcessor(spanCollector{b}),
		sdktrace.WithRawSpanLimits(sdktrace.SpanLimits{AttributeValueLengthLimit: -1, AttributeCountLimit: -1,
			EventCountLimit: -1, AttributePerEventCountLimit: -1}),
	)
	b.tracer = provider.Tracer(scope.Name,
		trace.WithInstrumentationVersion(scope.Version), trace.WithSchemaURL(scope.SchemaURL))
	return b
}

// Spans returns the spans of a run: its children in the order in which they ended, and then its own. The attributes are
// those of its probe, as its metrics bear them.
func (b *Builder) Spans(probed []metrics.Attribute, r probe.Result) []sdktrace.ReadOnlySpan {
	return b.build("probe", probed, r, func(trace.Span) {})
}

// build makes the spans of a run or of a session. The function completes its own span.
func (b *Builder) build(of string, probed []metrics.Attribute, r probe.Result, complete func(trace.Span)) []sdktrace.ReadOnlySpan {
	b.run, b.nextID, b.spans = r.Trace, r.Trace.Run, nil
	e := newEndpoint(probed)
	ctx, run := b.tracer.Start(context.Background(), of+" "+e.name, trace.WithTimestamp(r.Started),
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(keyValues(probed)...), trace.WithAttributes(e.attributes()...), trace.WithAttributes(runAttributes(r)...))
	if r.Reason != reasons.OK {
		run.SetStatus(codes.Error, r.Detail)
	}
	complete(run)
	ended := r.Ended.Sub(r.Started)
	for i, c := range children(e, r) {
		b.nextID = childID(r.Trace.Run, i)
		if c.kind == trace.SpanKindClient {
			b.nextID = r.Trace.Upgrade
		}
		_, child := b.tracer.Start(ctx, c.name, trace.WithTimestamp(r.Started.Add(c.span.Start)),
			trace.WithSpanKind(c.kind), trace.WithAttributes(c.attributes...))
		if c.failed {
			child.SetAttributes(errorType(r.ErrorType))
			child.SetStatus(codes.Error, r.Detail)
		}
		child.End(trace.WithTimestamp(r.Started.Add(c.span.End)))
		ended = max(ended, c.span.End)
	}
	run.End(trace.WithTimestamp(r.Started.Add(ended)))
	return b.spans
}

// child is a part of a run.
type child struct {
	name       string
	kind       trace.SpanKind
	span       probe.Span
	failed     bool
	attributes []attribute.KeyValue
}

// children are the parts of a run that took place, in their order. The steps of an exchange stand in the place of the
// round trip, which is one of them.
func children(e endpoint, r probe.Result) []child {
	var all []child
	for phase, span := range r.Phases {
		phase := probe.Phase(phase)
		if phase == probe.PhaseRoundTrip && r.Steps != nil {
			all = append(all, steps(r)...)
			continue
		}
		if span.State == probe.SpanAbsent {
			continue
		}
		c := child{name: phase.String(), kind: trace.SpanKindInternal, span: span,
			// The close handshake is no part of the outcome.
			failed:     span.State == probe.SpanBroken && phase != probe.PhaseClose,
			attributes: append(phaseAttributes(phase, e, r), keyPhase.String(phase.String())),
		}
		if phase == probe.PhaseUpgrade {
			c.kind = trace.SpanKindClient
		}
		all = append(all, c)
	}
	return all
}

// Count is the number of spans of a run.
func Count(r probe.Result) int {
	n := 1
	for phase, span := range r.Phases {
		if span.State != probe.SpanAbsent && (probe.Phase(phase) != probe.PhaseRoundTrip || r.Steps == nil) {
			n++
		}
	}
	for _, span := range r.Steps {
		if span.State != probe.SpanAbsent {
			n++
		}
	}
	return n
}

// steps are those of an exchange that began.
func steps(r probe.Result) []child {
	var all []child
	for i, span := range r.Steps {
		if span.State == probe.SpanAbsent {
			continue
		}
		c := child{name: "step " + strconv.Itoa(i+1), kind: trace.SpanKindInternal, span: span,
			failed: span.State == probe.SpanBroken, attributes: []attribute.KeyValue{keyStep.Int(i + 1)}}
		if span == r.Phases[probe.PhaseRoundTrip] {
			c.attributes = append(c.attributes, keyPhase.String(probe.PhaseRoundTrip.String()))
		}
		all = append(all, c)
	}
	return all
}

// presetIDs gives spans their ids.
type presetIDs struct{ b *Builder }

func (p presetIDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	return trace.TraceID(p.b.run.ID), p.b.nextID
}

func (p presetIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return p.b.nextID }

// childID is the id of a child of a run by its number. It follows from that of the run, so that spans that are made
// twice, for a request that is tried again, are the same spans. (The mixing is that of SplitMix64.)
func childID(run trace.SpanID, i int) (id trace.SpanID) {
	x := binary.BigEndian.Uint64(run[:]) + uint64(i+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	binary.BigEndian.PutUint64(id[:], max(x^x>>31, 1))
	return id
}

// presetSampler samples what was sampled before the run, so that a span bears the same flags as the request did, and records
// everything.
type presetSampler struct{ b *Builder }

func (p presetSampler) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if p.b.run.Sampled {
		return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
	}
	return sdktrace.SamplingResult{Decision: sdktrace.RecordOnly}
}

func (presetSampler) Description() string { return "decided before the run" }

// spanCollector takes the spans that have ended.
type spanCollector struct{ b *Builder }

func (c spanCollector) OnEnd(s sdktrace.ReadOnlySpan)                 { c.b.spans = append(c.b.spans, s) }
func (spanCollector) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (spanCollector) Shutdown(context.Context) error                  { return nil }
func (spanCollector) ForceFlush(context.Context) error                { return nil }
