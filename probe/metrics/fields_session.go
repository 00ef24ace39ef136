package metrics

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// sessionFields describes the facts of a held session that a result has no place for. It does not change. Log records
// and spans have all of them, and lines of the log those with a line, in this order.
var sessionFields = []Field{
	{Key: "cause", line: 1, Attribute: KeySessionEnd, Type: TypeText, Doc: "who or what ended the session",
		value: ofEnd(func(e *session.End) slog.Value { return slog.StringValue(string(e.Cause)) })},
	{Key: "connection", line: 1, Attribute: "wsprobe.session.connection", Type: TypeText,
		Doc:   "the one of connections that ended, and with it the session; null for main",
		value: ofEnd(func(e *session.End) slog.Value { return text(e.Connection) })},
	{Key: "lifetime_ms", line: 1, Attribute: "wsprobe.session.lifetime", Type: TypeNumber, Doc: "from the open to the end",
		value: ofEnd(func(e *session.End) slog.Value { return roughly(e.Lifetime) })},
	{Key: "idle_in_ms", line: 1, Attribute: "wsprobe.session.idle.in", Type: TypeNumber, Doc: "from the last byte of the server, or else from the open, to the end",
		value: ofEnd(func(e *session.End) slog.Value { return roughly(e.IdleIn) })},
	{Key: "idle_out_ms", line: 1, Attribute: "wsprobe.session.idle.out", Type: TypeNumber, Doc: "from the last byte of the probe, or else from the open, to the end",
		value: ofEnd(func(e *session.End) slog.Value { return roughly(e.IdleOut) })},
	{Key: "longest_idle_ms", Attribute: "wsprobe.session.idle.longest", Type: TypeNumber,
		Doc:   "longest time without a byte either way that the session outlived",
		value: ofEnd(func(e *session.End) slog.Value { return roughly(e.LongestIdle) })},
	{Key: "since_wanted_ms", Attribute: "wsprobe.session.since_wanted", Type: TypeNumber, Doc: "from the last wanted message, or else from the open, to the end",
		value: ofEnd(func(e *session.End) slog.Value { return roughly(e.SinceWanted) })},
	{Key: "in_flight", line: 1, Attribute: "wsprobe.session.in_flight", Type: TypeText,
		Doc:   "without an end when the session ended: ping, heartbeat, message",
		value: ofEnd(func(e *session.End) slog.Value { return text(inFlight(e.InFlight)) })},
	{Key: "messages", line: 1, Attribute: "wsprobe.session.messages", Type: TypeNumber, Doc: "data messages that came",
		value: ofTotals(func(t *session.Totals) uint64 { return t.Messages })},
	{Key: "wanted_messages", Attribute: "wsprobe.session.messages.wanted", Type: TypeNumber, Doc: "wanted ones among them",
		value: ofTotals(func(t *session.Totals) uint64 { return t.Wanted })},
	{Key: "lost", line: 1, Attribute: "wsprobe.session.messages.lost", Type: TypeNumber, Doc: "numbers of the sequence that never came",
		value: ofCount(func(t *session.Totals) uint64 { return t.Lost })},
	{Key: "repeated", line: 1, Attribute: "wsprobe.session.messages.repeated", Type: TypeNumber, Doc: "numbers of the sequence that came again",
		value: ofCount(func(t *session.Totals) uint64 { return t.Repeated })},
	{Key: "disordered", line: 1, Attribute: "wsprobe.session.messages.disordered", Type: TypeNumber, Doc: "numbers of the sequence that came late",
		value: ofCount(func(t *session.Totals) uint64 { return t.Disordered })},
	{Key: "pings", Attribute: "wsprobe.session.pings", Type: TypeNumber, Doc: "Ping frames that were sent",
		value: ofTotals(func(t *session.Totals) uint64 { return t.Pings })},
	{Key: "pongs", Attribute: "wsprobe.session.pongs", Type: TypeNumber, Doc: "of these, the answered ones",
		value: ofTotals(func(t *session.Totals) uint64 { return t.Pongs })},
	{Key: "heartbeats", Attribute: "wsprobe.session.heartbeats", Type: TypeNumber, Doc: "heartbeats that were answered",
		value: ofTotals(func(t *session.Totals) uint64 { return t.Beats })},
	{Key: "bytes_in", Attribute: "wsprobe.session.bytes.in", Type: TypeNumber, Doc: "bytes of frames from the server",
		value: ofTotals(func(t *session.Totals) uint64 { return t.BytesIn })},
	{Key: "bytes_out", Attribute: "wsprobe.session.bytes.out", Type: TypeNumber, Doc: "bytes of frames to the server",
		value: ofTotals(func(t *session.Totals) uint64 { return t.BytesOut })},
	{Key: "verdict", line: 1, Attribute: "wsprobe.session.verdict", Type: TypeText, Doc: "the likely story behind the end, once the next open has met something",
		value: ofFinding(func(f *session.Finding) slog.Value { return slog.StringValue(string(f.Verdict)) })},
	{Key: "sure", line: 1, Attribute: "wsprobe.session.verdict.sure", Type: TypeBool, Doc: "the verdict is more than likely",
		value: ofFinding(func(f *session.Finding) slog.Value { return slog.BoolValue(f.Sure) })},
	{Key: "finding", Attribute: "wsprobe.session.finding", Type: TypeText, Doc: "the verdict for people, with the products that end sessions like this",
		value: ofFinding(func(f *session.Finding) slog.Value { return text(f.String()) })},
}

// SessionFields returns the table of the facts of a held session.
func SessionFields() []Field { return slices.Clone(sessionFields) }

// SessionLine returns the facts of a session for a line of the log about it, by their JSON keys.
func (o Observation) SessionLine() []Attribute {
	return sessionFacts(&o, jsonKey, func(f *Field) bool { return f.line > 0 })
}

// SessionRecord returns the facts of a session for a log record or a span, by their attribute keys.
func (o Observation) SessionRecord() []Attribute { return sessionFacts(&o, attributeKey, anyField) }

// SessionKeys returns the attribute keys that [Observation.SessionRecord] can have, in its order.
func SessionKeys() []string {
	keys := make([]string, len(sessionFields))
	for i := range sessionFields {
		keys[i] = sessionFields[i].Attribute
	}
	return keys
}

func anyField(*Field) bool { return true }

func sessionFacts(o *Observation, key func(*Field) string, wanted func(*Field) bool) []Attribute {
	var facts []Attribute
	for i := range sessionFields {
		f := &sessionFields[i]
		if v, known := f.Value(o); known && wanted(f) {
			facts = append(facts, Attribute{Key: key(f), Value: v})
		}
	}
	return facts
}

// ofEnd makes a fact of the end of a session.
func ofEnd(value func(*session.End) slog.Value) func(*Observation) slog.Value {
	return func(o *Observation) slog.Value {
		if o.Session == nil || o.Session.End == nil {
			return slog.Value{}
		}
		return value(o.Session.End)
	}
}

func ofTotals(value func(*session.Totals) uint64) func(*Observation) slog.Value {
	return ofEnd(func(e *session.End) slog.Value { return slog.Int64Value(int64(value(&e.Totals))) })
}

// ofCount is not known of a count of nothing.
func ofCount(value func(*session.Totals) uint64) func(*Observation) slog.Value {
	return ofEnd(func(e *session.End) slog.Value { return count(int(value(&e.Totals))) })
}

func ofFinding(value func(*session.Finding) slog.Value) func(*Observation) slog.Value {
	return func(o *Observation) slog.Value {
		if o.Session == nil || o.Session.Finding == nil {
			return slog.Value{}
		}
		return value(o.Session.Finding)
	}
}

// roughly is a time in ms, to the microsecond.
func roughly(d time.Duration) slog.Value { return millis(d.Round(time.Microsecond)) }

func inFlight(f session.InFlight) string {
	var all []string
	for _, part := range []struct {
		is   bool
		name string
	}{{f.Ping, "ping"}, {f.Heartbeat, "heartbeat"}, {f.Message, "message"}} {
		if part.is {
			all = append(all, part.name)
		}
	}
	return strings.Join(all, ", ")
}
