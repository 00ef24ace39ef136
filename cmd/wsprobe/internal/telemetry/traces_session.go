package telemetry

import (
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// maxTracedSessions bounds the sessions of a probe that are open at a time: two while one is renewed.
const maxTracedSessions = 2

// Note keeps what happened in a held session for its span. While two sessions are open, what happens is told of the
// older one.
func (t *Tracer) Note(e *session.Event) {
	if t == nil {
		return
	}
	if e.Kind == session.Opened && len(t.open) < maxTracedSessions {
		t.open = append(t.open, new(tracing.Session))
		t.open[len(t.open)-1].Note(e)
	} else if len(t.open) > 0 {
		t.open[0].Note(e)
	}
}

// session takes a moment of a held session. The trace of one that ended on purpose is complete; others wait for their
// explanation.
func (t *Tracer) session(o *metrics.Observation) {
	switch at := o.Session; at.Moment {
	case metrics.SessionEnded:
		if at.End == nil { // an open that failed
			if o.Result.Traced() {
				t.traces.add(t.traced(&o.Result, nil))
			}
			return
		}
		t.Flush()
		t.sessionEnded(o)
		if at.Planned() {
			t.Flush()
		}
	case metrics.SessionExplained:
		if t.ended != nil {
			t.ended.session.Explain(o)
			t.Flush()
		}
	}
}

// sessionEnded keeps the oldest session, if its trace is kept.
func (t *Tracer) sessionEnded(o *metrics.Observation) {
	if len(t.open) == 0 {
		return
	}
	s := t.open[0]
	if t.open = t.open[1:]; len(t.open) == 0 {
		t.open = nil
	}
	if o.Result.Traced() {
		s.Explain(o)
		t.ended = new(t.traced(&o.Result, s))
	}
}

// Flush has the session exported that still waits for its explanation, as when the agent stops.
func (t *Tracer) Flush() {
	if t != nil && t.ended != nil {
		t.ended.size = traceSize(t.identity, &t.ended.result) + t.ended.session.Size()
		t.traces.add(*t.ended)
		t.ended = nil
	}
}
