package receiver

import (
	"context"
	"encoding/hex"
	"iter"
	"sync"
	"time"

	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// TracesPath is where a receiver over HTTP takes requests with spans.
const TracesPath = "/v1/traces"

// Span is one span of a trace.
type Span struct {
	// Resource and Scope say whose span it is.
	Resource map[string]any
	Scope    string

	// TraceID, SpanID and ParentID are in lower-case hex; ParentID is empty for the root.
	TraceID, SpanID, ParentID string
	Sampled                   bool // the flag of W3C Trace Context
	Name                      string
	Kind                      string // internal, client ...
	Start, End                time.Time
	// Failed says that the status is an error, and Description is what it says.
	Failed      bool
	Description string
	// Attributes are strings, int64, float64 or bool.
	Attributes map[string]any
	Events     []SpanEvent
}

// SpanEvent is what happened at a moment of a span.
type SpanEvent struct {
	Name       string
	Time       time.Time
	Attributes map[string]any
}

// The messages of OTLP about traces that appear in Receiver.
type (
	TraceRequest        = tracecollector.ExportTraceServiceRequest
	TracePartialSuccess = tracecollector.ExportTracePartialSuccess
)

var spanKinds = map[trace.Span_SpanKind]string{
	trace.Span_SPAN_KIND_INTERNAL: "internal", trace.Span_SPAN_KIND_CLIENT: "client", trace.Span_SPAN_KIND_SERVER: "server",
	trace.Span_SPAN_KIND_PRODUCER: "producer", trace.Span_SPAN_KIND_CONSUMER: "consumer",
}

// Spans returns the spans of a request in the order in which they stand there.
func Spans(request *TraceRequest) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		for _, rs := range request.GetResourceSpans() {
			resource := attributes(rs.GetResource().GetAttributes())
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					if !yield(newSpan(resource, ss.GetScope().GetName(), s)) {
						return
					}
				}
			}
		}
	}
}

func newSpan(resource map[string]any, scope string, s *trace.Span) Span {
	return Span{
		Resource: resource, Scope: scope,
		TraceID: hex.EncodeToString(s.GetTraceId()), SpanID: hex.EncodeToString(s.GetSpanId()),
		ParentID: hex.EncodeToString(s.GetParentSpanId()), Sampled: s.GetFlags()&1 != 0,
		Name: s.GetName(), Kind: spanKinds[s.GetKind()],
		Start: instant(s.GetStartTimeUnixNano()), End: instant(s.GetEndTimeUnixNano()),
		Failed: s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR, Description: s.GetStatus().GetMessage(),
		Attributes: attributes(s.GetAttributes()), Events: spanEvents(s),
	}
}

func spanEvents(s *trace.Span) []SpanEvent {
	var all []SpanEvent
	for _, e := range s.GetEvents() {
		all = append(all, SpanEvent{e.GetName(), instant(e.GetTimeUnixNano()), attributes(e.GetAttributes())})
	}
	return all
}

// traceService takes traces.
type traceService struct {
	tracecollector.UnimplementedTraceServiceServer
	receiver *Receiver

	mu sync.Mutex // held while spans are handed over
}

func (s *traceService) Export(ctx context.Context, request *TraceRequest) (*tracecollector.ExportTraceServiceResponse, error) {
	response := new(tracecollector.ExportTraceServiceResponse)
	if s.receiver.AnswerTraces != nil {
		partial, err := s.receiver.AnswerTraces(ctx, request)
		if err != nil {
			return nil, err
		}
		response.PartialSuccess = partial
	}
	if s.receiver.Span != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for span := range Spans(request) {
			s.receiver.Span(span)
		}
	}
	return response, nil
}
