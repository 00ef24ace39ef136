package otlp

import (
	"slices"
	"testing"

	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestMetricsAreSplitByTime: the older half of the points comes first, whatever their order in the request.
func TestMetricsAreSplitByTime(t *testing.T) {
	parts, err := Metrics.Split(numbered(t, 8, 7, 1, 2, 3, 4, 5, 6))
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	older, newer := numbersOf(t, parts[0].Request), numbersOf(t, parts[1].Request)
	if !slices.Equal(older, []float64{1, 2, 3, 4}) || !slices.Equal(newer, []float64{8, 7, 5, 6}) || parts[0].Items != 4 || parts[1].Items != 4 {
		t.Errorf("%d: %v and %d: %v", parts[0].Items, older, parts[1].Items, newer)
	}
}

// TestRecordsAreSplitInTheirOrder has records of two scopes.
func TestRecordsAreSplitInTheirOrder(t *testing.T) {
	scope := func(names ...string) *logs.ScopeLogs {
		s := &logs.ScopeLogs{}
		for _, name := range names {
			s.LogRecords = append(s.LogRecords, &logs.LogRecord{EventName: name})
		}
		return s
	}
	request := encoded(t, &logscollector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		ScopeLogs: []*logs.ScopeLogs{scope("a", "b"), scope("c", "d", "e")},
	}}})
	parts, err := Logs.Split(request)
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for i, want := range [][]string{{"a", "b"}, {"c", "d", "e"}} {
		var part logscollector.ExportLogsServiceRequest
		if err := proto.Unmarshal(parts[i].Request, &part); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range part.ResourceLogs[0].ScopeLogs {
			for _, r := range s.LogRecords {
				got = append(got, r.EventName)
			}
		}
		if !slices.Equal(got, want) || parts[i].Items != len(want) {
			t.Errorf("part %d: %d items, %v, want %v", i, parts[i].Items, got, want)
		}
	}
}

// TestTracesAreSplitWhole: the spans of a trace stay together.
func TestTracesAreSplitWhole(t *testing.T) {
	scope := &traces.ScopeSpans{}
	for _, s := range []struct{ trace, name string }{{"1", "a"}, {"1", "b"}, {"2", "c"}, {"3", "d"}, {"2", "e"}, {"3", "f"}} {
		scope.Spans = append(scope.Spans, &traces.Span{TraceId: []byte(s.trace), Name: s.name})
	}
	request := encoded(t, &tracecollector.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{{ScopeSpans: []*traces.ScopeSpans{scope}}}})
	parts, err := Traces.Split(request)
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for i, want := range []struct {
		items int
		spans []string
	}{{1, []string{"a", "b"}}, {2, []string{"c", "d", "e", "f"}}} {
		var part tracecollector.ExportTraceServiceRequest
		if err := proto.Unmarshal(parts[i].Request, &part); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range part.ResourceSpans[0].ScopeSpans[0].Spans {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, want.spans) || parts[i].Items != want.items {
			t.Errorf("part %d: %d items, %v, want %+v", i, parts[i].Items, got, want)
		}
	}
}

// TestSmallestRequestsAreNotSplit, and neither are requests that cannot be decoded.
func TestSmallestRequestsAreNotSplit(t *testing.T) {
	for _, s := range []Signal{Metrics, Logs, Traces} {
		if parts, err := s.Split(nil); err != nil || parts != nil {
			t.Errorf("an empty request: %d parts, %v", len(parts), err)
		}
		if parts, err := s.Split([]byte("\xff")); err == nil || parts != nil {
			t.Errorf("garbage: %d parts, %v", len(parts), err)
		}
	}
	if parts, err := Metrics.Split(numbered(t, 1)); err != nil || parts != nil {
		t.Errorf("one point: %d parts, %v", len(parts), err)
	}
}
