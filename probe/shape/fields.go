package shape

import (
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Field is a fact of an event.
type Field struct {
	Name      string // a field within another one has both names, with a dot between them
	Attribute string // the key of the attribute in OTLP; empty if the request has another place for it
	Type      metrics.Type
	Doc       string
	// Always: it is never null. A field within another one is not null if the outer one has it.
	Always bool
}

// Types that only events have.
const (
	TypeObject metrics.Type = "object"
	TypeTexts  metrics.Type = "names to texts"
)

// The fields that an event has besides those of a result.
const (
	ID        = "id"
	Replay    = "replay"
	Kind      = "event"
	Timestamp = "timestamp"
	Changed   = "changed"
	Location  = "location"
	Agent     = "agent"
	Labels    = "labels"
	Session   = "session"

	Phases = "phases_ms" // of a result; like Labels and Session it has fields within
)

// known are the fields of a result that every one has.
var known = []string{"probe", "url", "started_at", "ended_at", "interpretation", "unit", "reason", "connection_success",
	"start_delay_ms", "lag_ms", "local_overload", Phases, "unmatched_messages"}

// Fields returns the table of all fields in the order of an event. The ones within a field follow behind it, but for
// labels, whose names are those of the configuration.
func Fields() []Field {
	all := []Field{
		{Name: ID, Attribute: "log.record.uid", Type: metrics.TypeText, Always: true,
			Doc: "UUIDv7 of the event: the same in every stream and at every repetition; those of one process sort by time"},
		{Name: Replay, Attribute: "wsprobe.replay", Type: metrics.TypeNumber, Always: true,
			Doc: "how often the event was sent before and can have arrived: 0 at first; in binary encodings at most 127"},
		{Name: Kind, Type: metrics.TypeText, Always: true,
			Doc: "run, or a moment of a held session: session.opened, .answered, .reported, .ended, .explained"},
		{Name: Timestamp, Type: metrics.TypeTime, Always: true, Doc: "when the outcome was fixed; date_key gives it another name"},
		{Name: Changed, Attribute: "wsprobe.changed", Type: metrics.TypeBool, Always: true,
			Doc: "the state is another one than before: the status, or, without thresholds, whether the reason is ok; " +
				"true at the first event of a probe"},
		{Name: Location, Type: metrics.TypeText, Doc: "agent.location; in OTLP a part of the resource"},
		{Name: Agent, Type: metrics.TypeText, Doc: "which agent measured: agent.id, or what stands for it; in OTLP service.instance.id of the resource"},
		{Name: Labels, Type: TypeTexts, Always: true, Doc: "of the probe; one of them is labels.NAME"},
	}
	for _, f := range metrics.Fields() {
		if f.Key == "" {
			continue
		}
		all = append(all, Field{f.Key, attribute(&f), f.Type, f.Doc, slices.Contains(known, f.Key)})
		if f.Key == Phases {
			all = append(all, phases()...)
		}
	}
	all = append(all, Field{Name: Session, Type: TypeObject, Doc: "of a held session; null for a run"})
	for _, f := range metrics.SessionFields() {
		all = append(all, Field{Session + "." + f.Key, f.Attribute, f.Type, f.Doc, false})
	}
	return all
}

// attribute is the key of a fact, also of one that is no attribute of log records and traces.
func attribute(f *metrics.Field) string {
	switch f.Key {
	case "probe":
		return metrics.KeyName
	case "interpretation":
		return metrics.KeyInterpretation
	case Phases, "trace_id": // each phase has one, and a record has a place of its own for the trace
		return ""
	}
	if f.Attribute != "" {
		return f.Attribute
	}
	return "wsprobe." + f.Key
}

// phases are the fields within phases_ms.
func phases() []Field {
	var all []Field
	for phase := range len(probe.Phases{}) {
		name := probe.Phase(phase).String()
		all = append(all, Field{Phases + "." + name, "wsprobe." + Phases + "." + name, metrics.TypeNumber, "length of the phase " + name, false})
	}
	return all
}

// Names returns the names of the fields, first those of the first level, and then those within.
func Names() []string {
	var first, within []string
	for _, f := range Fields() {
		if strings.Contains(f.Name, ".") {
			within = append(within, f.Name)
		} else {
			first = append(first, f.Name)
		}
	}
	return append(first, within...)
}

// Known reports whether an event has a field of this name. Every label is one.
func Known(name string) bool {
	label, is := strings.CutPrefix(name, Labels+".")
	return is && label != "" || slices.Contains(Names(), name)
}
