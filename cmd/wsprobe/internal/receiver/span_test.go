package receiver_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// traceRequest has a root and its child.
func traceRequest() *receiver.TraceRequest {
	id := bytes.Repeat([]byte{0xab}, 16)
	return &receiver.TraceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "wsprobe")}},
		ScopeSpans: []*trace.ScopeSpans{{
			Scope: &common.InstrumentationScope{Name: "scope"},
			Spans: []*trace.Span{
				{TraceId: id, SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 1}, Flags: 0x101, Name: "probe chat", Kind: trace.Span_SPAN_KIND_CLIENT,
					StartTimeUnixNano: 1e9, EndTimeUnixNano: 2e9, Attributes: []*common.KeyValue{text("wsprobe.name", "chat")},
					Status: &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: "refused"}},
				{TraceId: id, SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 2}, ParentSpanId: []byte{0, 0, 0, 0, 0, 0, 0, 1}, Name: "dns",
					Kind: trace.Span_SPAN_KIND_INTERNAL},
			},
		}},
	}}}
}

func TestSpansOfARequest(t *testing.T) {
	got := slices.Collect(receiver.Spans(traceRequest()))
	if len(got) != 2 {
		t.Fatalf("%d spans, want 2", len(got))
	}
	root, child := got[0], got[1]
	if root.TraceID != "abababababababababababababababab" || root.SpanID != "0000000000000001" || root.ParentID != "" || !root.Sampled {
		t.Errorf("ids of the root: %+v", root)
	}
	if root.Name != "probe chat" || root.Kind != "client" || !root.Failed || root.Description != "refused" ||
		!root.Start.Equal(time.Unix(1, 0)) || !root.End.Equal(time.Unix(2, 0)) {
		t.Errorf("root: %+v", root)
	}
	if root.Scope != "scope" || root.Resource["service.name"] != "wsprobe" || root.Attributes["wsprobe.name"] != "chat" {
		t.Errorf("attributes of the root: %+v", root)
	}
	if child.ParentID != root.SpanID || child.Sampled || child.Failed || child.Kind != "internal" {
		t.Errorf("child: %+v", child)
	}
	for range receiver.Spans(traceRequest()) {
		break // a sequence that goes on would panic
	}
}

// TestSpansOverHTTP: what is accepted is handed over, and a remark goes back.
func TestSpansOverHTTP(t *testing.T) {
	var names []string
	r := &receiver.Receiver{Span: func(s receiver.Span) { names = append(names, s.Name) }}
	body, err := proto.Marshal(traceRequest())
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, receiver.TracesPath, bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/x-protobuf")
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, request)
	var response tracecollector.ExportTraceServiceResponse
	if err := proto.Unmarshal(answer.Body.Bytes(), &response); err != nil || answer.Code != http.StatusOK || response.PartialSuccess != nil {
		t.Errorf("got %d, %v, %v", answer.Code, &response, err)
	}
	if want := []string{"probe chat", "dns"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}
