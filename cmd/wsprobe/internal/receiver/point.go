package receiver

import (
	"encoding/hex"
	"iter"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// Point is one data point.
type Point struct {
	// Resource, Scope, Metric, Unit and Kind say what it is a point of. Kind is gauge, sum, histogram or exponential
	// histogram.
	Resource map[string]any
	Scope    string
	Metric   string
	Unit     string
	Kind     string
	// Cumulative is set if a sum or histogram counts from the start of its series, Monotonic if a sum never falls. One
	// that is not Cumulative counts from Start alone.
	Cumulative, Monotonic bool

	// Attributes are strings, int64, float64 or bool.
	Attributes  map[string]any
	Start, Time time.Time

	// Exemplars lead to traces.
	Exemplars []Exemplar

	// Value is the number of a gauge or sum, and the sum of a histogram.
	Value float64
	// NoValue says that the series has no value any more: the point has the flag for "no recorded value".
	NoValue bool
	// Count, Bounds and Buckets are the distribution of a histogram. An exponential one has Scale, Zeros and Offset in
	// the place of Bounds.
	Count   uint64
	Bounds  []float64
	Buckets []uint64
	Scale   int
	Zeros   uint64
	Offset  int
}

// Exemplar is a measurement with its trace, in lower-case hex.
type Exemplar struct {
	TraceID, SpanID string
	Time            time.Time
	Value           float64
}

// Points returns the points of a request in the order in which they stand there. Summaries, which wsprobe
// does not send, are passed over.
func Points(request *Request) iter.Seq[Point] {
	return func(yield func(Point) bool) {
		for _, rm := range request.GetResourceMetrics() {
			resource := attributes(rm.GetResource().GetAttributes())
			for _, sm := range rm.GetScopeMetrics() {
				for _, m := range sm.GetMetrics() {
					about := Point{
						Resource: resource, Scope: sm.GetScope().GetName(), Metric: m.GetName(), Unit: m.GetUnit(),
					}
					if !points(about, m, yield) {
						return
					}
				}
			}
		}
	}
}

// points yields the points of one metric and reports whether more are wanted.
func points(about Point, m *metrics.Metric, yield func(Point) bool) bool {
	const cumulative = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	switch data := m.GetData().(type) {
	case *metrics.Metric_Gauge:
		about.Kind = "gauge"
		return numbers(about, data.Gauge.GetDataPoints(), yield)
	case *metrics.Metric_Sum:
		about.Kind, about.Monotonic = "sum", data.Sum.GetIsMonotonic()
		about.Cumulative = data.Sum.GetAggregationTemporality() == cumulative
		return numbers(about, data.Sum.GetDataPoints(), yield)
	case *metrics.Metric_Histogram:
		about.Kind = "histogram"
		about.Cumulative = data.Histogram.GetAggregationTemporality() == cumulative
		return histograms(about, data.Histogram.GetDataPoints(), yield)
	case *metrics.Metric_ExponentialHistogram:
		about.Kind = "exponential histogram"
		about.Cumulative = data.ExponentialHistogram.GetAggregationTemporality() == cumulative
		return exponentials(about, data.ExponentialHistogram.GetDataPoints(), yield)
	}
	return true
}

func numbers(about Point, points []*metrics.NumberDataPoint, yield func(Point) bool) bool {
	for _, p := range points {
		about.Attributes = attributes(p.GetAttributes())
		about.Start, about.Time = instant(p.GetStartTimeUnixNano()), instant(p.GetTimeUnixNano())
		about.Value = 0
		about.NoValue = p.GetFlags()&uint32(metrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
		switch value := p.GetValue().(type) {
		case *metrics.NumberDataPoint_AsDouble:
			about.Value = value.AsDouble
		case *metrics.NumberDataPoint_AsInt:
			about.Value = float64(value.AsInt)
		}
		about.Exemplars = exemplars(p.GetExemplars())
		if !yield(about) {
			return false
		}
	}
	return true
}

func histograms(about Point, points []*metrics.HistogramDataPoint, yield func(Point) bool) bool {
	for _, p := range points {
		about.Attributes = attributes(p.GetAttributes())
		about.Start, about.Time = instant(p.GetStartTimeUnixNano()), instant(p.GetTimeUnixNano())
		about.NoValue = p.GetFlags()&uint32(metrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
		about.Value, about.Count = p.GetSum(), p.GetCount()
		about.Bounds, about.Buckets = p.GetExplicitBounds(), p.GetBucketCounts()
		about.Exemplars = exemplars(p.GetExemplars())
		if !yield(about) {
			return false
		}
	}
	return true
}

func exponentials(about Point, points []*metrics.ExponentialHistogramDataPoint, yield func(Point) bool) bool {
	for _, p := range points {
		about.Attributes = attributes(p.GetAttributes())
		about.Start, about.Time = instant(p.GetStartTimeUnixNano()), instant(p.GetTimeUnixNano())
		about.NoValue = p.GetFlags()&uint32(metrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
		about.Value, about.Count = p.GetSum(), p.GetCount()
		about.Scale, about.Zeros = int(p.GetScale()), p.GetZeroCount()
		about.Offset, about.Buckets = int(p.GetPositive().GetOffset()), p.GetPositive().GetBucketCounts()
		about.Exemplars = exemplars(p.GetExemplars())
		if !yield(about) {
			return false
		}
	}
	return true
}

func exemplars(all []*metrics.Exemplar) []Exemplar {
	var out []Exemplar
	for _, e := range all {
		x := Exemplar{TraceID: hex.EncodeToString(e.GetTraceId()), SpanID: hex.EncodeToString(e.GetSpanId()), Time: instant(e.GetTimeUnixNano())}
		switch value := e.GetValue().(type) {
		case *metrics.Exemplar_AsDouble:
			x.Value = value.AsDouble
		case *metrics.Exemplar_AsInt:
			x.Value = float64(value.AsInt)
		}
		out = append(out, x)
	}
	return out
}

// instant is a time of OTLP; 0 means that it is not known.
func instant(nanos uint64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(nanos))
}

func attributes(kvs []*common.KeyValue) map[string]any {
	m := make(map[string]any, len(kvs))
	for _, kv := range kvs {
		switch value := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			m[kv.GetKey()] = value.StringValue
		case *common.AnyValue_IntValue:
			m[kv.GetKey()] = value.IntValue
		case *common.AnyValue_DoubleValue:
			m[kv.GetKey()] = value.DoubleValue
		case *common.AnyValue_BoolValue:
			m[kv.GetKey()] = value.BoolValue
		}
	}
	return m
}
