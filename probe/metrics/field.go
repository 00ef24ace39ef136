package metrics

import (
	"cmp"
	"log/slog"
	"slices"
)

// Attribute is a key with its value, which is a string, an int64, a float64, a bool or a time. It is the type of
// package log/slog, because that has each of these kinds without an allocation.
type Attribute = slog.Attr

// Type is the type of a value, as documentation calls it.
type Type string

// The types.
const (
	TypeText    Type = "text"
	TypeNumber  Type = "number"
	TypeBool    Type = "bool"
	TypeTime    Type = "time"
	TypeNumbers Type = "list of numbers"
	TypeNamed   Type = "names to numbers"
)

// Field is a fact that can be known of an [Observation].
type Field struct {
	Key       string // in JSON objects and log lines; empty if the field is in neither
	Attribute string // in log records and spans; empty if the field is in neither
	Type      Type
	Doc       string // for the table of JSON keys

	// value is the fact; the zero Value if it is not known.
	value func(*Observation) slog.Value
	// telling reports whether lines, records and spans mention a known value; nil means always. JSON has it in any
	// case, because readers of JSON expect every key.
	telling func(*Observation) bool
	// line, record and span are the place of the field in each of these, from 1; 0 if it is not in there.
	line, record, span int
}

// Value returns the fact and whether it is known.
func (f *Field) Value(o *Observation) (slog.Value, bool) {
	v := f.value(o)
	return v, v.Kind() != slog.KindAny || v.Any() != nil
}

// Fields returns the table of all fields, in the order of the JSON object. Fields without a Key follow behind.
func Fields() []Field { return slices.Clone(fields) }

// outlet is a reader of observations that wants some fields in an order of its own.
type outlet struct {
	fields []*Field
	key    func(*Field) string
}

func newOutlet(key func(*Field) string, place func(*Field) int) outlet {
	o := outlet{key: key}
	for i := range fields {
		if place(&fields[i]) > 0 {
			o.fields = append(o.fields, &fields[i])
		}
	}
	slices.SortFunc(o.fields, func(a, b *Field) int { return cmp.Compare(place(a), place(b)) })
	return o
}

func (o outlet) facts(seen *Observation) []Attribute {
	facts := make([]Attribute, 0, len(o.fields))
	for _, f := range o.fields {
		if f.telling != nil && !f.telling(seen) {
			continue
		}
		if v, known := f.Value(seen); known {
			facts = append(facts, Attribute{Key: o.key(f), Value: v})
		}
	}
	return facts
}

func (o outlet) keys() []string {
	keys := make([]string, len(o.fields))
	for i, f := range o.fields {
		keys[i] = o.key(f)
	}
	return keys
}

// The outlets. They do not change.
var (
	lineOutlet   = newOutlet(jsonKey, func(f *Field) int { return f.line })
	recordOutlet = newOutlet(attributeKey, func(f *Field) int { return f.record })
	spanOutlet   = newOutlet(attributeKey, func(f *Field) int { return f.span })
)

func jsonKey(f *Field) string      { return f.Key }
func attributeKey(f *Field) string { return f.Attribute }

// The methods of an Observation have a copy of their own, so that an ordinary run, of which nobody asks for facts,
// allocates nothing.

// Line returns the facts of a failed run for a line of the log, by their JSON keys.
func (o Observation) Line() []Attribute { return lineOutlet.facts(&o) }

// Record returns the facts of a failed run for a log record, by their attribute keys.
func (o Observation) Record() []Attribute { return recordOutlet.facts(&o) }

// Span returns the facts of a run for its span, by their attribute keys.
func (o Observation) Span() []Attribute { return spanOutlet.facts(&o) }

// Text returns the fact with this JSON key as text; empty if it is not known.
func (o Observation) Text(key string) string {
	for i := range fields {
		if fields[i].Key != key {
			continue
		}
		if v, known := fields[i].Value(&o); known {
			return v.String()
		}
	}
	return ""
}

// RecordKeys returns the attribute keys that [Observation.Record] can have, in its order.
func RecordKeys() []string { return recordOutlet.keys() }

// SpanKeys returns the attribute keys that [Observation.Span] can have, in its order.
func SpanKeys() []string { return spanOutlet.keys() }
