package event

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// column is a field as an encoder writes it.
type column struct {
	name      string // as it is written
	key       string // the same in JSON, behind a comma
	source    string // in the table of fields
	attribute string // in OTLP
	kind      kind
	value     func(*Event) slog.Value     // of a plain one; the zero Value is null
	within    func(*Event, []pair) []pair // of an object
}

// kind tells columns apart whose values are written in different ways.
type kind uint8

const (
	plain      kind = iota
	replay          // the number of sends, which is no part of the text
	object          // has fields within
	heldObject      // an object that runs do not have
)

// pair is a field within an object.
type pair struct {
	name, attribute string
	value           slog.Value
}

// columnsOf returns the fields that are written, in their order.
func columnsOf(o *Options) []column {
	var all []column
	facts := factsOf(metrics.Fields())
	for _, f := range shape.Fields() {
		if strings.Contains(f.Name, ".") || !o.Shape.Selects(f.Name) {
			continue
		}
		c := column{name: f.Name, source: f.Name, attribute: f.Attribute}
		switch f.Name {
		case shape.Replay:
			c.kind = replay
		case shape.Labels:
			c.kind, c.within = object, labels(&o.Shape)
		case shape.Phases:
			c.kind, c.within = object, phases(&o.Shape)
		case shape.Session:
			c.kind, c.within = heldObject, sessionFacts(&o.Shape)
		default:
			if c.value = own(o, f.Name); c.value == nil {
				c.value = facts[f.Name]
			}
		}
		if to, renamed := o.Shape.Rename[f.Name]; renamed {
			c.name, c.attribute = to, to
		}
		if f.Name == shape.Timestamp && o.Shape.DateKey != "" {
			c.name = o.Shape.DateKey
		}
		all = append(all, c)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Shape.Static)) {
		all = append(all, column{name: name, source: name, attribute: name, value: always(slog.StringValue(o.Shape.Static[name]))})
	}
	for i := range all {
		all[i].key = "," + string(appendQuoted(nil, all[i].name)) + ":"
	}
	return all
}

// own returns the value of a field that only events have, nil for another one.
func own(o *Options, name string) func(*Event) slog.Value {
	switch name {
	case shape.ID:
		return func(e *Event) slog.Value { return slog.StringValue(e.ID) }
	case shape.Kind:
		return func(e *Event) slog.Value { return slog.StringValue(e.Kind) }
	case shape.Timestamp:
		return func(e *Event) slog.Value { return slog.TimeValue(e.At) }
	case shape.Changed:
		return func(e *Event) slog.Value { return slog.BoolValue(e.Changed) }
	case shape.Location:
		return always(text(o.Location))
	case shape.Agent:
		return always(text(o.Agent))
	}
	return nil
}

func always(v slog.Value) func(*Event) slog.Value { return func(*Event) slog.Value { return v } }

// text is null if it is empty.
func text(s string) slog.Value {
	if s == "" {
		return slog.Value{}
	}
	return slog.StringValue(s)
}

// factsOf returns the values of facts by their keys.
func factsOf(table []metrics.Field) map[string]func(*Event) slog.Value {
	all := make(map[string]func(*Event) slog.Value, len(table))
	for i := range table {
		all[table[i].Key] = fact(&table[i])
	}
	return all
}

func fact(f *metrics.Field) func(*Event) slog.Value {
	return func(e *Event) slog.Value {
		v, _ := f.Value(e.Observation)
		return v
	}
}

func labels(o *shape.Options) func(*Event, []pair) []pair {
	every := !inner(o, shape.Labels)
	return func(e *Event, all []pair) []pair {
		for name, value := range e.Observation.Probe.Labels() {
			if every || o.Selects(shape.Labels+"."+name) {
				all = append(all, pair{name, name, slog.StringValue(value)})
			}
		}
		return all
	}
}

// inner reports whether the options choose among the fields within one.
func inner(o *shape.Options, outer string) bool {
	within := func(name string) bool { return strings.HasPrefix(name, outer+".") }
	return slices.ContainsFunc(o.OnlyFields, within) || slices.ContainsFunc(o.ExceptFields, within)
}

func phases(o *shape.Options) func(*Event, []pair) []pair {
	var rows [len(probe.Phases{})]pair // without a name if it is left out
	for phase := range rows {
		name := probe.Phase(phase).String()
		if o.Selects(shape.Phases + "." + name) {
			rows[phase] = pair{name: name, attribute: "wsprobe." + shape.Phases + "." + name}
		}
	}
	return func(e *Event, all []pair) []pair {
		for phase, row := range rows {
			if row.value = span(e, phase); row.name != "" && !null(row.value) {
				all = append(all, row)
			}
		}
		return all
	}
}

// span is the length of a phase that ended.
func span(e *Event, phase int) slog.Value {
	s := &e.Observation.Result.Phases[phase]
	if s.State != probe.SpanEnded {
		return slog.Value{}
	}
	return slog.Float64Value(probe.Millis(s.Duration()))
}

func sessionFacts(o *shape.Options) func(*Event, []pair) []pair {
	table := metrics.SessionFields()
	table = slices.DeleteFunc(table, func(f metrics.Field) bool { return !o.Selects(shape.Session + "." + f.Key) })
	return func(e *Event, all []pair) []pair {
		if e.Observation.Session == nil {
			return all
		}
		for i := range table {
			v, _ := table[i].Value(e.Observation)
			all = append(all, pair{table[i].Key, table[i].Attribute, v})
		}
		return all
	}
}

// pairs returns the fields within an object, which are good until the next call.
func (c *column) pairs(e *Event, room *scratch) []pair {
	room.pairs = c.within(e, room.pairs[:0])
	return room.pairs
}

// absent reports whether the object is null.
func (c *column) absent(e *Event) bool { return c.kind == heldObject && e.Observation.Session == nil }

// column returns the field with a name before renaming, or the one within a field, or that of static. Validate has
// found it.
func (e *Encoder) column(name string) column {
	for _, c := range e.columns {
		if c.source == name {
			return c
		}
	}
	outer, key, _ := strings.Cut(name, ".")
	c := column{name: name, source: name}
	for _, o := range e.columns {
		if o.source == outer {
			c.name = o.name + "." + key
		}
	}
	switch outer {
	case shape.Labels:
		c.value = func(e *Event) slog.Value {
			value, _ := e.Observation.Probe.Label(key)
			return text(value)
		}
	case shape.Phases:
		for phase := range len(probe.Phases{}) {
			if probe.Phase(phase).String() == key {
				c.value = func(e *Event) slog.Value { return span(e, phase) }
			}
		}
	default:
		c.value = factsOf(metrics.SessionFields())[key]
	}
	return c
}
