package event

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// Options are the inputs of an Encoder.
type Options struct {
	Shape   shape.Options
	Batched bool // messages of json and msgpack are always lists, also of one event

	Location, Agent string // where and who the agent is; empty if nobody said
	Version         string // of the program
	// Resource describes the agent in OTLP.
	Resource []metrics.Attribute
}

// Encoder writes events in one form. It does not change, and can be used by several goroutines.
type Encoder struct {
	columns []column
	stamp   stamp
	name    string
	write   writer
	rooms   sync.Pool

	delimiter string          // of csv
	pieces    []piece         // of text
	taken     map[string]bool // of OTLP: the keys that a label cannot have
	traces    bool            // of OTLP: records have the id of their trace
}

// writer appends an event to a text, and returns the place of the number of sends in it, or -1.
type writer func(*Encoder, []byte, *Event, *scratch) (text []byte, slot int)

// scratch is memory that one event after the other uses.
type scratch struct {
	text, value []byte
	pairs       []pair
}

// NewEncoder returns an encoder. The error has everything that is wrong in the options.
func NewEncoder(o Options) (*Encoder, error) {
	var faults []error
	for _, fault := range o.Shape.Validate() {
		faults = append(faults, fault)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	e := &Encoder{columns: columnsOf(&o), stamp: newStamp(o.Shape.TimestampFormat)}
	codec := o.Shape.Codec
	switch codec {
	case shape.Msgpack:
		e.write = (*Encoder).msgpack
	case shape.Logfmt:
		e.write = (*Encoder).logfmt
	case shape.CSV:
		e.write = (*Encoder).csv
	case shape.Text:
		e.write = (*Encoder).text
	case shape.OTLPJSON:
		e.write = (*Encoder).recordJSON
	case shape.OTLPProtobuf:
		e.write = (*Encoder).recordProtobuf
	case shape.JSONLines:
		e.write = (*Encoder).jsonLine
	default:
		codec, e.write = shape.JSON, (*Encoder).json
	}
	e.name = codec
	switch codec {
	case shape.JSON, shape.Msgpack:
		if o.Batched {
			e.name += list
		}
	case shape.CSV:
		e.table(&o.Shape)
	case shape.Text:
		e.compile(o.Shape.Template)
	case shape.OTLPJSON:
		e.name += headJSON(&o)
		e.take()
	case shape.OTLPProtobuf:
		e.name += headProtobuf(&o)
		e.take()
	}
	return e, nil
}

// Name names the form of the texts. [Join] needs it to make a message of them, also in a later process with another
// configuration.
func (e *Encoder) Name() string { return e.name }

// Encode writes an event.
func (e *Encoder) Encode(ev *Event) Form {
	room, _ := e.rooms.Get().(*scratch)
	if room == nil {
		room = &scratch{}
	}
	var slot int
	room.text, slot = e.write(e, room.text[:0], ev, room)
	text := make([]byte, len(room.text)) // as long as it is, because it waits in buffers
	copy(text, room.text)
	clear(room.pairs[:cap(room.pairs)])
	e.rooms.Put(room)
	return Form{Text: text, Slot: slot}
}

// null reports whether a value is not known.
func null(v slog.Value) bool { return v.Kind() == slog.KindAny && v.Any() == nil }
