package tracing

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// The events of a session's span, in addition to the attributes of the span itself.
const (
	EventOpened     = "wsprobe.session.opened"
	EventFirst      = "wsprobe.session.message.first" // the first wanted message
	EventUnanswered = "wsprobe.session.ping.unanswered"
	EventLost       = "wsprobe.session.message.lost"
	EventRepeated   = "wsprobe.session.message.repeated"
	EventDisordered = "wsprobe.session.message.disordered"
	EventRenewalDue = "wsprobe.session.renewal.due"
	EventEnded      = "wsprobe.session.ended"
)

const (
	keyLost    attribute.Key = "wsprobe.session.lost"
	keyDropped attribute.Key = "wsprobe.session.events.dropped"
)

const (
	// MaxEvents is how many events a session keeps: the first firstEvents, and the last ones.
	MaxEvents   = 32
	firstEvents = 8
)

// Session is what happened in a held session, as its span tells it. Its zero value is one in which nothing has. Its
// methods must not be called by two goroutines at once.
type Session struct {
	events  []event
	dropped int // events of the middle that were not kept
	heard   bool
	facts   []metrics.Attribute
}

// event is a moment of a session.
type event struct {
	name string
	at   time.Time
	lost int64
}

// Note keeps an event, if a span tells it.
func (s *Session) Note(e *session.Event) {
	switch e.Kind {
	case session.Opened:
		s.add(event{name: EventOpened, at: e.At})
	case session.Unanswered:
		s.add(event{name: EventUnanswered, at: e.At})
	case session.RenewalDue:
		s.add(event{name: EventRenewalDue, at: e.At})
	case session.Received:
		s.received(e.At, &e.Message)
	case session.Ended:
		s.add(event{name: EventEnded, at: e.At})
	}
}

func (s *Session) received(at time.Time, m *session.Message) {
	if !m.Wanted {
		return
	}
	if !s.heard {
		s.heard = true
		s.add(event{name: EventFirst, at: at})
	}
	switch {
	case m.Lost > 0:
		s.add(event{name: EventLost, at: at, lost: m.Lost})
	case m.Repeated:
		s.add(event{name: EventRepeated, at: at})
	case m.Disordered:
		s.add(event{name: EventDisordered, at: at})
	}
}

// add keeps an event. If there are too many, the oldest one of the middle goes.
func (s *Session) add(e event) {
	if len(s.events) == MaxEvents {
		copy(s.events[firstEvents:], s.events[firstEvents+1:])
		s.events = s.events[:MaxEvents-1]
		s.dropped++
	}
	s.events = append(s.events, e)
}

// Explain completes a session with the facts of its end, and of its explanation if there is one.
func (s *Session) Explain(o *metrics.Observation) { s.facts = o.SessionRecord() }

// Size is the most bytes that the session adds to a request.
func (s *Session) Size() int {
	const ofEvent = 96
	return metrics.Size(s.facts) + ofEvent*len(s.events)
}

// SessionSpans returns the spans of a held session: those of its open, and then its own, which lasts until its end.
func (b *Builder) SessionSpans(probed []metrics.Attribute, r probe.Result, s *Session) []sdktrace.ReadOnlySpan {
	return b.build("session", probed, r, func(span trace.Span) {
		span.SetAttributes(keyValues(s.facts)...)
		if s.dropped > 0 {
			span.SetAttributes(keyDropped.Int(s.dropped))
		}
		for _, e := range s.events {
			var attributes []attribute.KeyValue
			if e.lost > 0 {
				attributes = append(attributes, keyLost.Int64(e.lost))
			}
			span.AddEvent(e.name, trace.WithTimestamp(e.at), trace.WithAttributes(attributes...))
		}
	})
}
