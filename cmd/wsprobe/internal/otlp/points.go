package otlp

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	otlpmetrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Points become bytes at once, without a message of each point and of each of its ten attributes: those messages were a
// sixth of the agent's work at thousands of points a second. The field numbers are those of
// opentelemetry/proto/metrics/v1/metrics.proto and common/v1/common.proto. A test compares the bytes with those of the
// official exporter.

// meanPointBytes is about the size of a point in a request.
const meanPointBytes = 300

// Scope is the metrics of one instrumentation scope.
type Scope struct {
	instrumentation.Scope
	Families []metrics.Family
}

// Points returns a request with points. The error says that the resource cannot be encoded.
func Points(r *sdkresource.Resource, scopes ...Scope) ([]byte, error) {
	resource, err := proto.Marshal(resourceOf(r))
	if err != nil {
		return nil, fmt.Errorf("encoding points: %w", err)
	}
	size := len(resource) + 1024
	for _, s := range scopes {
		for _, f := range s.Families {
			size += meanPointBytes * len(f.Points)
		}
	}
	e := encoder{make([]byte, 0, size)}
	all := e.begin(1)
	e.bytes = protowire.AppendBytes(protowire.AppendTag(e.bytes, 1, protowire.BytesType), resource)
	for i := range scopes {
		e.scope(&scopes[i])
	}
	e.text(3, r.SchemaURL())
	e.end(all)
	return e.bytes, nil
}

// encoder is a request that is being written.
type encoder struct{ bytes []byte }

// begin begins a message that is a field of the present one. Its length stands before it, and is known at its end.
func (e *encoder) begin(field protowire.Number) (start int) {
	e.bytes = append(protowire.AppendTag(e.bytes, field, protowire.BytesType), 0) // a byte, which is enough for most
	return len(e.bytes)
}

// end ends the message that began at start.
func (e *encoder) end(start int) {
	length := len(e.bytes) - start
	if length < 0x80 {
		e.bytes[start-1] = byte(length)
		return
	}
	var prefix [10]byte
	n := len(protowire.AppendVarint(prefix[:0], uint64(length)))
	e.bytes = append(e.bytes, prefix[:n-1]...) // for the room
	copy(e.bytes[start+n-1:], e.bytes[start:start+length])
	copy(e.bytes[start-1:], prefix[:n])
}

// text writes a text, unless it is empty.
func (e *encoder) text(field protowire.Number, s string) {
	if s != "" {
		e.bytes = protowire.AppendString(protowire.AppendTag(e.bytes, field, protowire.BytesType), s)
	}
}

func (e *encoder) fixed(field protowire.Number, n uint64) {
	e.bytes = protowire.AppendFixed64(protowire.AppendTag(e.bytes, field, protowire.Fixed64Type), n)
}

func (e *encoder) varint(field protowire.Number, n uint64) {
	e.bytes = protowire.AppendVarint(protowire.AppendTag(e.bytes, field, protowire.VarintType), n)
}

// time writes a time, in ns since 1970. None is left out.
func (e *encoder) time(field protowire.Number, t time.Time) {
	if ns := t.UnixNano(); ns > 0 {
		e.fixed(field, uint64(ns))
	}
}

func (e *encoder) scope(s *Scope) {
	all := e.begin(2)
	about := e.begin(1)
	e.text(1, s.Name)
	e.text(2, s.Version)
	e.end(about)
	for i := range s.Families {
		e.family(&s.Families[i])
	}
	e.text(3, s.SchemaURL)
	e.end(all)
}

func (e *encoder) family(f *metrics.Family) {
	all := e.begin(2)
	e.text(1, f.Name)
	e.text(2, f.Description)
	e.text(3, f.Unit)
	switch f.Kind {
	case metrics.Gauge:
		data := e.begin(5)
		e.numbers(f.Points)
		e.end(data)
	case metrics.Counter, metrics.UpDownCounter:
		data := e.begin(7)
		e.numbers(f.Points)
		e.temporality(f)
		if f.Kind == metrics.Counter {
			e.varint(3, 1)
		}
		e.end(data)
	case metrics.Histogram:
		e.histogram(f)
	}
	e.end(all)
}

// temporality writes over which time a sum or a histogram counts.
func (e *encoder) temporality(f *metrics.Family) {
	temporality := otlpmetrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	if f.Delta && f.Kind != metrics.UpDownCounter {
		temporality = otlpmetrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	}
	e.varint(2, uint64(temporality))
}

const noRecordedValue = uint64(otlpmetrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK)

func (e *encoder) numbers(points []metrics.Point) {
	for i := range points {
		p := &points[i]
		all := e.begin(1)
		e.time(2, p.Start)
		e.time(3, p.Time)
		if !p.NoValue {
			e.number(4, 6, p.Value)
		}
		e.exemplars(5, p.Exemplars)
		e.attributes(7, p.Attributes)
		if p.NoValue {
			e.varint(8, noRecordedValue)
		}
		e.end(all)
	}
}

// number writes a number as a double or as an integer, each with a field of its own.
func (e *encoder) number(double, integer protowire.Number, v metrics.Value) {
	if n, whole := v.Whole(); whole {
		e.fixed(integer, uint64(n))
	} else {
		e.fixed(double, math.Float64bits(v.Float()))
	}
}

func (e *encoder) exemplars(field protowire.Number, all []metrics.Exemplar) {
	for i := range all {
		x := &all[i]
		one := e.begin(field)
		e.time(2, x.Time)
		e.number(3, 6, x.Value)
		e.bytes = protowire.AppendBytes(protowire.AppendTag(e.bytes, 4, protowire.BytesType), x.Trace.Run[:])
		e.bytes = protowire.AppendBytes(protowire.AppendTag(e.bytes, 5, protowire.BytesType), x.Trace.ID[:])
		e.end(one)
	}
}

func (e *encoder) attributes(field protowire.Number, set metrics.Set) {
	for i := range set.Attributes {
		a := &set.Attributes[i]
		one := e.begin(field)
		e.text(1, a.Key)
		value := e.begin(2)
		e.value(a.Value)
		e.end(value)
		e.end(one)
	}
}

func (e *encoder) value(v slog.Value) {
	switch v.Kind() {
	case slog.KindBool:
		e.varint(2, protowire.EncodeBool(v.Bool()))
	case slog.KindInt64:
		e.varint(3, uint64(v.Int64()))
	case slog.KindFloat64:
		e.fixed(4, math.Float64bits(v.Float64()))
	default:
		e.bytes = protowire.AppendString(protowire.AppendTag(e.bytes, 1, protowire.BytesType), v.String())
	}
}
