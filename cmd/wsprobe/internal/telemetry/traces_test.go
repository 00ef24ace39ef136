package telemetry

import (
	"context"
	"encoding/hex"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// keepSpans makes a backend keep spans.
func keepSpans(b *backend) *inbox[receiver.Span] {
	in := new(inbox[receiver.Span])
	b.receiver.Span = in.Add
	return in
}

// byTrace returns spans by their traces.
func byTrace(spans []receiver.Span) map[string][]receiver.Span {
	traces := make(map[string][]receiver.Span)
	for _, s := range spans {
		traces[s.TraceID] = append(traces[s.TraceID], s)
	}
	return traces
}

// in puts a result into a trace.
func in(trace probe.Trace, r probe.Result) probe.Result {
	r.Trace = trace
	return r
}

// TestTraces: over either protocol the sampled runs and the failed arrive once, whole, as the metrics describe their
// probe and their agent; logs and exemplars lead to them.
func TestTraces(t *testing.T) {
	overBoth(t, func(t *testing.T, b *backend) {
		box, records := keepSpans(b), keepRecords(b)
		e := exportTo(t, b.start(t), Options{Traces: true, TraceRatio: 1, Logs: true, ServiceVersion: "1.2.3", Location: "attic"})
		s := e.probe(chat())
		sampled, passed, failed := e.Trace(), e.Trace(), e.Trace()
		passed.Sampled, failed.Sampled = false, false
		s.Record(in(sampled, good(midnight, 4*time.Millisecond)), probehealth.Unknown)
		s.Record(in(passed, good(midnight.Add(time.Minute), 4*time.Millisecond)), probehealth.Unknown)
		s.Record(in(failed, refused(midnight.Add(2*time.Minute))), probehealth.Unknown)
		traces := byTrace(box.await(t, 7+3))
		b.await(t, "their count", func(points []receiver.Point) bool { return total(points, idAgentTracesSent, nil) == 2 })
		log := records.await(t, 2)
		e.end(t)
		b.stop()
		if len(traces) != 2 || len(box.All()) != 10 {
			t.Fatalf("%d traces with %d spans", len(traces), len(box.All()))
		}
		checkTrace(t, traces[hex.EncodeToString(sampled.ID[:])], sampled, b.points)
		checkTrace(t, traces[hex.EncodeToString(failed.ID[:])], failed, b.points)
		checkExemplars(t, b.points, sampled, failed)
		for _, r := range log {
			if r.TraceID != hex.EncodeToString(failed.ID[:]) || r.SpanID != hex.EncodeToString(failed.Run[:]) {
				t.Errorf("the record %q is in %s, %s", r.Body, r.TraceID, r.SpanID)
			}
		}
	})
}

// checkTrace compares a trace with what the metrics say.
func checkTrace(t *testing.T, spans []receiver.Span, drawn probe.Trace, points []receiver.Point) {
	t.Helper()
	if len(spans) == 0 {
		t.Fatal("no trace")
	}
	success := of(points, metrics.ConnectionSuccess)[0]
	resource := maps.Clone(success.Resource)
	resource["wsprobe.location"] = success.Attributes["wsprobe.location"] // of points an attribute
	for _, s := range spans {
		if !reflect.DeepEqual(s.Resource, resource) || s.Scope != success.Scope || s.Sampled != drawn.Sampled {
			t.Errorf("%s: resource %v, scope %s, sampled %v", s.Name, s.Resource, s.Scope, s.Sampled)
		}
	}
	run := spans[len(spans)-1]
	if run.SpanID != hex.EncodeToString(drawn.Run[:]) || run.Name != "probe chat" {
		t.Errorf("the run is %q, %s", run.Name, run.SpanID)
	}
	for _, kv := range chatAttributes() {
		if got := run.Attributes[string(kv.Key)]; got != kv.Value.Any() {
			t.Errorf("%s is %v, want %v", kv.Key, got, kv.Value.Any())
		}
	}
}

// checkExemplars wants exemplars that lead to the traces that arrived, and to no others.
func checkExemplars(t *testing.T, points []receiver.Point, sampled, failed probe.Trace) {
	t.Helper()
	found := make(map[string]receiver.Exemplar)
	for _, p := range points {
		for _, x := range p.Exemplars {
			key := p.Metric
			if reason, ok := p.Attributes["wsprobe.reason"].(string); ok {
				key += " " + reason
			}
			if _, twice := found[key]; twice {
				t.Errorf("%s: more than one exemplar", key)
			}
			found[key] = x
		}
	}
	lead := func(to probe.Trace, r probe.Result, value float64) receiver.Exemplar {
		return receiver.Exemplar{TraceID: hex.EncodeToString(to.ID[:]), SpanID: hex.EncodeToString(to.Run[:]), Time: r.Ended.Local(), Value: value}
	}
	first := good(midnight, 4*time.Millisecond)
	want := map[string]receiver.Exemplar{
		"wsprobe.handshake.duration": lead(sampled, first, 4), "wsprobe.round_trip.duration": lead(sampled, first, 8),
		"wsprobe.runs ok": lead(sampled, first, 1), "wsprobe.runs ws_open_failed": lead(failed, refused(midnight.Add(2*time.Minute)), 1),
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("exemplars %v, want %v", found, want)
	}
}

// TestTracesOutlastAnOutage: traces wait while the receiver refuses, which the log tells once, and arrive once.
func TestTracesOutlastAnOutage(t *testing.T) {
	b := newBackend(t)
	box, log := keepSpans(b), newLogbook()
	var refusals int
	b.receiver.AnswerTraces = func(context.Context, *receiver.TraceRequest) (*receiver.TracePartialSuccess, error) {
		if refusals++; refusals < 4 {
			return nil, status.Error(codes.Unavailable, "not now, hunter2")
		}
		return nil, nil
	}
	e := prepareExport(t, b.start(t), Options{Traces: true, Logger: log.logger(), Headers: map[string]string{"authorization": "Bearer hunter2"}})
	e.start(t)
	s := e.probe(chat())
	for i := range 5 {
		s.Record(in(e.Trace(), refused(midnight.Add(time.Duration(i)*time.Minute))), probehealth.Unknown)
	}
	traces := byTrace(box.await(t, 15))
	log.await(t, "export of traces gets through again")
	e.end(t)
	if len(traces) != 5 || len(box.All()) != 15 {
		t.Errorf("%d traces with %d spans", len(traces), len(box.All()))
	}
	if text := log.String(); strings.Count(text, "export of traces deferred") != 1 || strings.Contains(text, "hunter2") {
		t.Errorf("log:\n%s", text)
	}
}

// TestTracesRefused: what a receiver does not take is told and counted, and metrics arrive all the same.
func TestTracesRefused(t *testing.T) {
	for name, c := range map[string]struct {
		partial *receiver.TracePartialSuccess
		err     error
		line    string
		dropped float64
	}{
		"unknown": {nil, status.Error(codes.Unimplemented, "unknown service"), "export of traces rejected", 2},
		"partial": {&receiver.TracePartialSuccess{RejectedSpans: 1, ErrorMessage: "too long"}, nil, "export of traces accepted with a remark", 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			log := newLogbook()
			b.receiver.AnswerTraces = func(context.Context, *receiver.TraceRequest) (*receiver.TracePartialSuccess, error) {
				return c.partial, c.err
			}
			e := prepareExport(t, b.start(t), Options{Traces: true, Logger: log.logger()})
			s := e.probe(chat())
			s.Record(in(e.Trace(), refused(midnight)), probehealth.Unknown)
			s.Record(in(e.Trace(), refused(midnight.Add(time.Minute))), probehealth.Unknown)
			e.start(t)
			log.await(t, c.line)
			b.await(t, "the count of what was dropped", func(points []receiver.Point) bool {
				return total(points, idAgentTracesDropped, map[string]any{"wsprobe.drop.cause": "rejected"}) == c.dropped
			})
			b.await(t, "the runs", runsArrived(2))
			if !e.ExportState().OK {
				t.Errorf("health %v", e.ExportState())
			}
			e.end(t)
		})
	}
}

// TestNoTracesUnlessAsked: without Options.Traces runs are in no trace, and one that says so is not exported.
func TestNoTracesUnlessAsked(t *testing.T) {
	b := newBackend(t)
	box := keepSpans(b)
	e := exportTo(t, b.start(t), Options{})
	if trace := e.Trace(); !trace.IsZero() {
		t.Errorf("a run is in %v", trace)
	}
	e.probe(chat()).Record(in(probe.Trace{ID: [16]byte{1}, Sampled: true}, refused(midnight)), probehealth.Unknown)
	b.await(t, "the run", runsArrived(1))
	e.end(t)
	b.stop()
	if len(box.All()) > 0 || total(b.points, idAgentTracesSent, nil) != -1 {
		t.Errorf("%d spans, count %v", len(box.All()), total(b.points, idAgentTracesSent, nil))
	}
	for _, p := range b.points {
		if p.Exemplars != nil {
			t.Errorf("%s has exemplars", p.Metric)
		}
	}
}
