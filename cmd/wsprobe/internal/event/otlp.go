package event

import (
	"log/slog"
	"strings"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/reasons"
)

// scopeName is the instrumentation scope of the other signals, too.
const scopeName = "github.com/wsprobe/wsprobe"

// schemaURL says which semantic conventions the attributes follow.
const schemaURL = semconv.SchemaURL

// record is what a log record has besides its attributes.
type record struct {
	at       time.Time
	severity logs.SeverityNumber
	level    string
	name     string
	body     string
	trace    []byte // empty if the run has no trace that is exported
	span     []byte
	flags    uint32
}

func (e *Encoder) record(ev *Event) record {
	r := record{at: ev.At, severity: logs.SeverityNumber_SEVERITY_NUMBER_INFO, level: "INFO", name: "wsprobe." + ev.Kind, body: e.summary(ev)}
	run := &ev.Observation.Result
	if run.Reason != reasons.OK {
		r.severity, r.level = logs.SeverityNumber_SEVERITY_NUMBER_WARN, "WARN"
	}
	if e.traces && run.Traced() {
		r.trace, r.span = run.Trace.ID[:], run.Trace.Run[:]
		if run.Trace.Sampled {
			r.flags = 1
		}
	}
	return r
}

// summary is an event in one line: it says no more than the fields that are written.
func (e *Encoder) summary(ev *Event) string {
	var said []string
	for i := range e.columns {
		c := &e.columns[i]
		switch c.source {
		case "probe", shape.Kind, "reason", "error_type", "detail":
			if v := c.value(ev); !null(v) {
				said = append(said, strings.ToValidUTF8(v.String(), "\uFFFD"))
			}
		}
	}
	return strings.Join(said, ": ")
}

// take notes the keys of the attributes that events always have, because each key stands once in a record.
func (e *Encoder) take() {
	e.taken = make(map[string]bool)
	for i := range e.columns {
		c := &e.columns[i]
		e.taken[c.attribute] = true
		e.traces = e.traces || c.source == "trace_id"
	}
	for _, f := range shape.Fields() {
		if outer, _, within := strings.Cut(f.Name, "."); within && outer == shape.Session {
			e.taken[f.Attribute] = true
		}
	}
}

// attributes calls do with every attribute of a record that is known, and with that of the number of sends.
func (e *Encoder) attributes(ev *Event, room *scratch, do func(key string, v slog.Value, sends bool)) {
	for i := range e.columns {
		c := &e.columns[i]
		if c.kind == replay {
			do(c.attribute, slog.Value{}, true)
			continue
		}
		if c.within == nil {
			if v := c.value(ev); c.attribute != "" && !null(v) {
				do(c.attribute, e.stamp.plain(v), false)
			}
			continue
		}
		for _, p := range c.pairs(ev, room) {
			switch key := e.key(c, &p); {
			case null(p.value), c.source == shape.Labels && e.taken[key]:
			default:
				do(key, e.stamp.plain(p.value), false)
			}
		}
	}
}

// key is the key of a field within one: its own, unless the outer one is renamed.
func (e *Encoder) key(c *column, p *pair) string {
	if c.name != c.source {
		return c.name + "." + p.name
	}
	return p.attribute
}
