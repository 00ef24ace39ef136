package telemetry

import (
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// TestTracesOfSessions: a session is a trace, which waits for the explanation of an end that nobody planned. Sessions
// that were not sampled and ended on purpose are none, and an open that failed is a run.
func TestTracesOfSessions(t *testing.T) {
	b := newBackend(t)
	box := keepSpans(b)
	e := exportTo(t, b.start(t), Options{Traces: true})
	s := e.probe(chat())
	end := cut()
	at := func(d time.Duration) time.Time { return midnight.Add(d) }
	begin := func(after time.Duration) {
		s.traces.Note(&session.Event{Kind: session.Opened, At: at(after)})
	}
	finish := func(after time.Duration, trace byte, end *session.End) {
		s.traces.Note(&session.Event{Kind: session.Ended, At: at(after), End: end})
		r := good(midnight, time.Millisecond)
		r.Reason, r.ErrorType, r.Trace = end.Reason, end.ErrorType, probe.Trace{ID: [16]byte{trace}, Run: [8]byte{trace}}
		s.traces.Observe(moment(s, metrics.SessionEnded, r, at(after), metrics.Session{End: end}))
	}
	begin(0)
	finish(time.Minute, 1, end)
	s.traces.Observe(moment(s, metrics.SessionExplained, good(midnight, 0), at(time.Minute), metrics.Session{End: end, Finding: idleLimit()}))
	begin(2 * time.Minute)
	finish(3*time.Minute, 2, &session.End{Cause: session.ByLifetime})
	s.traces.Observe(moment(s, metrics.SessionEnded, in(probe.Trace{ID: [16]byte{3}, Run: [8]byte{3}}, refused(midnight)), at(4*time.Minute), metrics.Session{}))
	begin(5 * time.Minute)
	begin(6 * time.Minute) // a renewal that opens before the other one ends, which is cut meanwhile
	finish(7*time.Minute, 4, end)
	finish(8*time.Minute, 5, end)
	s.traces.Observe(moment(s, metrics.SessionExplained, good(midnight, 0), at(9*time.Minute), metrics.Session{End: end, Finding: idleLimit()}))
	begin(10 * time.Minute)
	finish(11*time.Minute, 6, end)
	s.traces.Flush()

	b.await(t, "the traces", func(points []receiver.Point) bool { return total(points, idAgentTracesSent, nil) == 5 })
	e.end(t)
	b.stop()
	got := rootsOf(box.All())
	want := []string{"01 session chat limit_reached 0s 1m0s", "03 probe chat ", "04 session chat  5m0s 7m0s", "05 session chat limit_reached 6m0s 8m0s", "06 session chat  10m0s 11m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// rootsOf are the traces, the name of their root, the verdict, and the times of the events since midnight.
func rootsOf(spans []receiver.Span) (roots []string) {
	for _, s := range spans {
		if s.ParentID != "" {
			continue
		}
		verdict, _ := s.Attributes["wsprobe.session.verdict"].(string)
		events := ""
		for _, e := range s.Events {
			events += " " + e.Time.Sub(midnight).String()
		}
		roots = append(roots, s.TraceID[:2]+" "+s.Name+" "+verdict+events)
	}
	return roots
}
