package telemetry

import (
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// The SDK observes this process, and its Prometheus exporter answers scrapes. Both have points in the form of
// metricdata, and the export of results has not: metricdata has no room for the flag "no recorded value", and makes a
// set of attributes for each point.

// ofSDK returns the numbers that the SDK has observed. wsprobe observes no histograms with it.
func ofSDK(observed metricdata.ScopeMetrics) otlp.Scope {
	scope := otlp.Scope{Scope: observed.Scope}
	for _, m := range observed.Metrics {
		row := &metrics.Metric{Name: m.Name, Description: m.Description, Unit: m.Unit, Kind: metrics.Gauge}
		f := metrics.Family{Metric: row}
		switch data := m.Data.(type) {
		case metricdata.Gauge[int64]:
			f.Points = numbersOfSDK(data.DataPoints, metrics.Int)
		case metricdata.Gauge[float64]:
			f.Points = numbersOfSDK(data.DataPoints, metrics.Float)
		case metricdata.Sum[int64]:
			f.Points, row.Kind = numbersOfSDK(data.DataPoints, metrics.Int), kindOfSum(data.IsMonotonic)
		case metricdata.Sum[float64]:
			f.Points, row.Kind = numbersOfSDK(data.DataPoints, metrics.Float), kindOfSum(data.IsMonotonic)
		default:
			continue
		}
		scope.Families = append(scope.Families, f)
	}
	return scope
}

func kindOfSum(monotonic bool) metrics.Kind {
	if monotonic {
		return metrics.Counter
	}
	return metrics.UpDownCounter
}

func numbersOfSDK[N int64 | float64](observed []metricdata.DataPoint[N], value func(N) metrics.Value) []metrics.Point {
	points := make([]metrics.Point, len(observed))
	for i, p := range observed {
		points[i] = metrics.Point{Attributes: setOfSDK(p.Attributes), Start: p.StartTime, Time: p.Time, Value: value(p.Value)}
	}
	return points
}

func setOfSDK(observed attribute.Set) metrics.Set {
	all := make([]metrics.Attribute, 0, observed.Len())
	for _, kv := range observed.ToSlice() {
		all = append(all, slog.Any(string(kv.Key), kv.Value.AsInterface()))
	}
	return metrics.Set{Attributes: all, Size: metrics.Size(all)}
}

// forSDK returns points in the form of metricdata. Points without a value, which no scrape has, would lose their flag.
func forSDK(scope otlp.Scope) metricdata.ScopeMetrics {
	made := metricdata.ScopeMetrics{Scope: scope.Scope}
	sets := make(sdkSets)
	const cumulative = metricdata.CumulativeTemporality
	for _, f := range scope.Families {
		m := metricdata.Metrics{Name: f.Name, Description: f.Description, Unit: f.Unit}
		switch f.Kind {
		case metrics.Gauge:
			m.Data = metricdata.Gauge[float64]{DataPoints: numbersForSDK(sets, f.Points, metrics.Value.Float)}
		case metrics.Counter, metrics.UpDownCounter:
			points := numbersForSDK(sets, f.Points, wholeNumber)
			m.Data = metricdata.Sum[int64]{DataPoints: points, Temporality: cumulative, IsMonotonic: f.Kind == metrics.Counter}
		case metrics.Histogram:
			m.Data = metricdata.Histogram[float64]{DataPoints: histogramsForSDK(sets, f.Points), Temporality: cumulative}
		}
		made.Metrics = append(made.Metrics, m)
	}
	return made
}

func wholeNumber(v metrics.Value) int64 {
	n, _ := v.Whole()
	return n
}

// sdkSets are the sets made so far, by the first attribute, because many points share one set.
type sdkSets map[*metrics.Attribute]attribute.Set

func (s sdkSets) of(set metrics.Set) attribute.Set {
	if len(set.Attributes) == 0 {
		return attribute.NewSet()
	}
	first := &set.Attributes[0]
	made, there := s[first]
	if !there {
		kvs := make([]attribute.KeyValue, len(set.Attributes))
		for i, a := range set.Attributes {
			if a.Value.Kind() == slog.KindInt64 {
				kvs[i] = attribute.Int64(a.Key, a.Value.Int64())
			} else {
				kvs[i] = attribute.String(a.Key, a.Value.String())
			}
		}
		made = attribute.NewSet(kvs...)
		s[first] = made
	}
	return made
}

func numbersForSDK[N int64 | float64](sets sdkSets, points []metrics.Point, number func(metrics.Value) N) []metricdata.DataPoint[N] {
	made := make([]metricdata.DataPoint[N], len(points))
	for i, p := range points {
		made[i] = metricdata.DataPoint[N]{
			Attributes: sets.of(p.Attributes), StartTime: p.Start, Time: p.Time, Value: number(p.Value), Exemplars: exemplarsForSDK(p.Exemplars, number),
		}
	}
	return made
}

func histogramsForSDK(sets sdkSets, points []metrics.Point) []metricdata.HistogramDataPoint[float64] {
	made := make([]metricdata.HistogramDataPoint[float64], len(points))
	for i, p := range points {
		d := p.Distribution
		made[i] = metricdata.HistogramDataPoint[float64]{
			Attributes: sets.of(p.Attributes), StartTime: p.Start, Time: p.Time,
			Count: d.Count, Sum: d.Sum, Bounds: d.Bounds, BucketCounts: d.Counts, Exemplars: exemplarsForSDK(p.Exemplars, metrics.Value.Float),
		}
	}
	return made
}

func exemplarsForSDK[N int64 | float64](all []metrics.Exemplar, number func(metrics.Value) N) []metricdata.Exemplar[N] {
	var made []metricdata.Exemplar[N]
	for i := range all {
		x := &all[i]
		made = append(made, metricdata.Exemplar[N]{Time: x.Time, Value: number(x.Value), SpanID: x.Trace.Run[:], TraceID: x.Trace.ID[:]})
	}
	return made
}
