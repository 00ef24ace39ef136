package otlp

import (
	"fmt"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Spans returns a request with spans, in their order. All must have the resource and the scope of the first. Links of
// spans, which wsprobe does not use, are left out.
func Spans(spans []sdktrace.ReadOnlySpan) ([]byte, error) {
	about := &traces.ResourceSpans{}
	inScope := &traces.ScopeSpans{}
	if len(spans) > 0 {
		r, scope := spans[0].Resource(), spans[0].InstrumentationScope()
		about.Resource, about.SchemaUrl = resourceOf(r), r.SchemaURL()
		inScope.Scope, inScope.SchemaUrl = scopeOf(scope), scope.SchemaURL
	}
	for _, s := range spans {
		inScope.Spans = append(inScope.Spans, span(s))
	}
	about.ScopeSpans = []*traces.ScopeSpans{inScope}
	request, err := proto.Marshal(&tracecollector.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{about}})
	if err != nil {
		return nil, fmt.Errorf("encoding spans: %w", err)
	}
	return request, nil
}

// span returns a span as OTLP has it. The kinds have the same numbers there.
func span(s sdktrace.ReadOnlySpan) *traces.Span {
	about, parent := s.SpanContext(), s.Parent()
	trace, id := about.TraceID(), about.SpanID()
	encoded := &traces.Span{
		TraceId:                trace[:],
		SpanId:                 id[:],
		TraceState:             about.TraceState().String(),
		Name:                   s.Name(),
		Kind:                   traces.Span_SpanKind(s.SpanKind()),
		StartTimeUnixNano:      nanos(s.StartTime()),
		EndTimeUnixNano:        nanos(s.EndTime()),
		Attributes:             keyValues(s.Attributes()),
		DroppedAttributesCount: uint32(s.DroppedAttributes()),
		Status:                 &traces.Status{Code: statusCode(s.Status().Code), Message: s.Status().Description},
		// The flags always say whether the parent is remote, which it never is.
		Flags: uint32(about.TraceFlags()) | uint32(traces.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK),
	}
	if id := parent.SpanID(); id.IsValid() {
		encoded.ParentSpanId = id[:]
	}
	for _, e := range s.Events() {
		encoded.Events = append(encoded.Events, &traces.Span_Event{TimeUnixNano: nanos(e.Time), Name: e.Name, Attributes: keyValues(e.Attributes)})
	}
	return encoded
}

func statusCode(c codes.Code) traces.Status_StatusCode {
	switch c {
	case codes.Ok:
		return traces.Status_STATUS_CODE_OK
	case codes.Error:
		return traces.Status_STATUS_CODE_ERROR
	}
	return traces.Status_STATUS_CODE_UNSET
}
