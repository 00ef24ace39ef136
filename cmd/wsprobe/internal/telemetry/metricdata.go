package telemetry

import (
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// The SDK observes this process, and has points in the form of metricdata. The points of results have another form:
// metricdata has no room for the flag "no recorded value", and makes a set of attributes for each point.

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
