package otlp

import (
	"fmt"

	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// Split cuts a request of the signal in two with half of the items each: points, log records or traces. Everything in
// the first half is older, so that the order of time holds from the one to the other. It returns none for a request of
// one item.
func (s Signal) Split(request []byte) ([]outbox.Part, error) {
	switch s {
	case Metrics:
		return splitMetrics(request)
	case Logs:
		return splitLogs(request)
	default:
		return splitTraces(request)
	}
}

// decode reads a request.
func decode(raw []byte, into proto.Message) error {
	if err := proto.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decoding a batch: %w", err)
	}
	return nil
}

// halves makes two parts of a request. Of its items, which are counted by their places from 0 to n-1, keep leaves some.
func halves[M proto.Message](n int, read func() (M, error), keep func(M, func(item int) bool)) ([]outbox.Part, error) {
	if n < 2 {
		return nil, nil
	}
	middle := n / 2
	var parts []outbox.Part
	for _, part := range []struct{ from, to int }{{0, middle}, {middle, n}} {
		request, err := read()
		if err != nil {
			return nil, err
		}
		keep(request, func(item int) bool { return item >= part.from && item < part.to })
		raw, err := proto.Marshal(request)
		if err != nil {
			return nil, err
		}
		parts = append(parts, outbox.Part{Request: raw, Items: part.to - part.from})
	}
	return parts, nil
}

func splitLogs(raw []byte) ([]outbox.Part, error) {
	read := func() (*logscollector.ExportLogsServiceRequest, error) {
		request := &logscollector.ExportLogsServiceRequest{}
		return request, decode(raw, request)
	}
	all, err := read()
	if err != nil {
		return nil, err
	}
	return halves(filterRecords(all, func(int) bool { return true }), read,
		func(request *logscollector.ExportLogsServiceRequest, keep func(int) bool) {
			filterRecords(request, keep)
		})
}

// filterRecords leaves some log records in a request, by their places, and returns how many there were.
func filterRecords(request *logscollector.ExportLogsServiceRequest, keep func(item int) bool) (n int) {
	for _, about := range request.ResourceLogs {
		for _, scope := range about.ScopeLogs {
			var kept []*logs.LogRecord
			for _, r := range scope.LogRecords {
				if keep(n) {
					kept = append(kept, r)
				}
				n++
			}
			scope.LogRecords = kept
		}
	}
	return n
}

func splitTraces(raw []byte) ([]outbox.Part, error) {
	read := func() (*tracecollector.ExportTraceServiceRequest, error) {
		request := &tracecollector.ExportTraceServiceRequest{}
		return request, decode(raw, request)
	}
	all, err := read()
	if err != nil {
		return nil, err
	}
	return halves(filterTraces(all, func(int) bool { return true }), read,
		func(request *tracecollector.ExportTraceServiceRequest, keep func(int) bool) {
			filterTraces(request, keep)
		})
}

// filterTraces leaves the spans of some traces in a request, by the places of the traces, and returns how many traces
// there were.
func filterTraces(request *tracecollector.ExportTraceServiceRequest, keep func(item int) bool) (n int) {
	places := make(map[string]int)
	for _, about := range request.ResourceSpans {
		for _, scope := range about.ScopeSpans {
			var kept []*traces.Span
			for _, s := range scope.Spans {
				place, known := places[string(s.TraceId)]
				if !known {
					place = len(places)
					places[string(s.TraceId)] = place
				}
				if keep(place) {
					kept = append(kept, s)
				}
			}
			scope.Spans = kept
		}
	}
	return len(places)
}
