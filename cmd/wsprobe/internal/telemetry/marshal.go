package telemetry

import (
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// The exporters make a message of each point, of each of its ten attributes and of each of their values, and go through
// all of them once to know the size of the request and once to write it: at thousands of points a second that was a
// sixth of what the agent does. Here points become bytes at once. The numbers are those of the fields in
// opentelemetry/proto/metrics/v1/metrics.proto, common/v1 and resource/v1; a test holds the outcome to that of the
// exporters, which still do all that there is about sending it.

// meanPointBytes is about what a point takes in a request.
const meanPointBytes = 300

// marshal returns the ExportMetricsServiceRequest of a batch in protobuf.
func marshal(data *metricdata.ResourceMetrics) ([]byte, error) {
	e := &marshaler{bytes: make([]byte, 0, meanPointBytes*countPoints(data.ScopeMetrics...))}
	e.message(1, func() {
		e.resource(data.Resource)
		for _, scope := range data.ScopeMetrics {
			e.message(2, func() { e.scope(scope) })
		}
		if data.Resource != nil {
			e.text(3, data.Resource.SchemaURL())
		}
	})
	return e.bytes, e.err
}

// marshaler is a request that is being written.
type marshaler struct {
	bytes []byte
	err   error // the first
}

// message writes a message that is a field of the present one. Its length, which stands before it, is known afterwards.
func (e *marshaler) message(field protowire.Number, write func()) {
	e.bytes = protowire.AppendTag(e.bytes, field, protowire.BytesType)
	start := len(e.bytes)
	write()
	length := len(e.bytes) - start
	var prefix [10]byte
	e.bytes = append(e.bytes, protowire.AppendVarint(prefix[:0], uint64(length))...)
	if n := len(e.bytes) - start - length; n > 0 {
		copy(prefix[:n], e.bytes[start+length:])
		copy(e.bytes[start+n:], e.bytes[start:start+length])
		copy(e.bytes[start:], prefix[:n])
	}
}

func (e *marshaler) text(field protowire.Number, s string) {
	if s != "" {
		e.bytes = protowire.AppendString(protowire.AppendTag(e.bytes, field, protowire.BytesType), s)
	}
}

func (e *marshaler) fixed(field protowire.Number, n uint64) {
	e.bytes = protowire.AppendFixed64(protowire.AppendTag(e.bytes, field, protowire.Fixed64Type), n)
}

func (e *marshaler) varint(field protowire.Number, n uint64) {
	e.bytes = protowire.AppendVarint(protowire.AppendTag(e.bytes, field, protowire.VarintType), n)
}

// time writes a time, in ns since 1970; none is left out.
func (e *marshaler) time(field protowire.Number, t time.Time) {
	if ns := t.UnixNano(); ns > 0 {
		e.fixed(field, uint64(ns))
	}
}

func (e *marshaler) fail(what string, value any) {
	if e.err == nil {
		e.err = fmt.Errorf("encoding a batch: %s of type %T", what, value)
	}
}

func (e *marshaler) resource(r *resource.Resource) {
	if r == nil {
		return
	}
	e.message(1, func() {
		for _, kv := range r.Attributes() {
			e.attribute(1, kv)
		}
	})
}

func (e *marshaler) scope(s metricdata.ScopeMetrics) {
	e.message(1, func() {
		e.text(1, s.Scope.Name)
		e.text(2, s.Scope.Version)
		e.attributes(3, s.Scope.Attributes)
	})
	for _, m := range s.Metrics {
		e.message(2, func() { e.metric(m) })
	}
	e.text(3, s.Scope.SchemaURL)
}

func (e *marshaler) metric(m metricdata.Metrics) {
	e.text(1, m.Name)
	e.text(2, m.Description)
	e.text(3, m.Unit)
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		e.message(5, func() { writeNumbers(e, data.DataPoints) })
	case metricdata.Gauge[float64]:
		e.message(5, func() { writeNumbers(e, data.DataPoints) })
	case metricdata.Sum[int64]:
		e.message(7, func() { writeSum(e, data) })
	case metricdata.Sum[float64]:
		e.message(7, func() { writeSum(e, data) })
	case metricdata.Histogram[float64]:
		e.message(9, func() { e.histogram(data) })
	default:
		e.fail("a metric", data)
	}
}

func writeSum[N int64 | float64](e *marshaler, s metricdata.Sum[N]) {
	writeNumbers(e, s.DataPoints)
	e.temporality(s.Temporality)
	if s.IsMonotonic {
		e.varint(3, 1)
	}
}

func (e *marshaler) temporality(t metricdata.Temporality) {
	switch t {
	case metricdata.CumulativeTemporality:
		e.varint(2, uint64(metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE))
	case metricdata.DeltaTemporality:
		e.varint(2, uint64(metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA))
	default:
		e.fail("a temporality", t)
	}
}

func writeNumbers[N int64 | float64](e *marshaler, points []metricdata.DataPoint[N]) {
	for i := range points {
		p := &points[i]
		e.message(1, func() {
			e.time(2, p.StartTime)
			e.time(3, p.Time)
			ended := isEnd(p.Value)
			if !ended {
				writeNumber(e, 4, 6, p.Value)
			}
			writeExemplars(e, 5, p.Exemplars)
			e.attributes(7, p.Attributes)
			if ended {
				e.varint(8, uint64(metrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK))
			}
		})
	}
}

// isEnd reports whether a value is that of a marker.
func isEnd[N int64 | float64](value N) bool {
	switch value := any(value).(type) {
	case float64:
		return isMarker(value)
	default:
		return value == any(int64(noSum))
	}
}

// writeNumber writes a number as a double or as an integer, each with a field of its own.
func writeNumber[N int64 | float64](e *marshaler, double, integer protowire.Number, value N) {
	switch value := any(value).(type) {
	case float64:
		e.fixed(double, math.Float64bits(value))
	case int64:
		e.fixed(integer, uint64(value))
	}
}

func (e *marshaler) histogram(h metricdata.Histogram[float64]) {
	for i := range h.DataPoints {
		p := &h.DataPoints[i]
		e.message(1, func() {
			e.time(2, p.StartTime)
			e.time(3, p.Time)
			if isMarker(p.Sum) {
				e.attributes(9, p.Attributes)
				e.varint(10, uint64(metrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK))
				return
			}
			e.fixed(4, p.Count)
			e.fixed(5, math.Float64bits(p.Sum))
			e.message(6, func() {
				for _, n := range p.BucketCounts {
					e.bytes = protowire.AppendFixed64(e.bytes, n)
				}
			})
			e.message(7, func() {
				for _, bound := range p.Bounds {
					e.bytes = protowire.AppendFixed64(e.bytes, math.Float64bits(bound))
				}
			})
			writeExemplars(e, 8, p.Exemplars)
			e.attributes(9, p.Attributes)
			if least, ok := p.Min.Value(); ok {
				e.fixed(11, math.Float64bits(least))
			}
			if most, ok := p.Max.Value(); ok {
				e.fixed(12, math.Float64bits(most))
			}
		})
	}
	e.temporality(h.Temporality)
}

func writeExemplars[N int64 | float64](e *marshaler, field protowire.Number, all []metricdata.Exemplar[N]) {
	for _, x := range all {
		e.message(field, func() {
			e.time(2, x.Time)
			writeNumber(e, 3, 6, x.Value)
			e.text(4, string(x.SpanID))
			e.text(5, string(x.TraceID))
			for _, kv := range x.FilteredAttributes {
				e.attribute(7, kv)
			}
		})
	}
}

func (e *marshaler) attributes(field protowire.Number, set attribute.Set) {
	for all := set.Iter(); all.Next(); {
		e.attribute(field, all.Attribute())
	}
}

func (e *marshaler) attribute(field protowire.Number, kv attribute.KeyValue) {
	e.message(field, func() {
		e.text(1, string(kv.Key))
		e.message(2, func() { e.value(kv.Value) })
	})
}

func (e *marshaler) value(v attribute.Value) {
	switch v.Type() {
	case attribute.STRING:
		e.bytes = protowire.AppendString(protowire.AppendTag(e.bytes, 1, protowire.BytesType), v.AsString())
	case attribute.BOOL:
		e.varint(2, protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		e.varint(3, uint64(v.AsInt64()))
	case attribute.FLOAT64:
		e.fixed(4, math.Float64bits(v.AsFloat64()))
	default:
		e.fail("an attribute", v.AsInterface())
	}
}
