package otlp

import (
	"cmp"
	"slices"

	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

func splitMetrics(raw []byte) ([]outbox.Part, error) {
	read := func() (*metricscollector.ExportMetricsServiceRequest, error) {
		request := &metricscollector.ExportMetricsServiceRequest{}
		return request, decode(raw, request)
	}
	all, err := read()
	if err != nil {
		return nil, err
	}
	ranks := ranksOf(all)
	return halves(len(ranks), read, func(request *metricscollector.ExportMetricsServiceRequest, keep func(int) bool) {
		at := 0
		filter(request, func(uint64) bool {
			rank := ranks[at]
			at++
			return keep(rank)
		})
	})
}

// ranksOf returns for each point, in the order of the request, its place in the order of time.
func ranksOf(request *metricscollector.ExportMetricsServiceRequest) []int {
	type place struct {
		time uint64
		at   int
	}
	var places []place
	filter(request, func(time uint64) bool {
		places = append(places, place{time, len(places)})
		return true
	})
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.at, b.at)) })
	ranks := make([]int, len(places))
	for rank, p := range places {
		ranks[p.at] = rank
	}
	return ranks
}

// filter leaves only points of some times in a request, and only metrics that have any.
func filter(request *metricscollector.ExportMetricsServiceRequest, keep func(time uint64) bool) {
	for _, resource := range request.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			scope.Metrics = slices.DeleteFunc(scope.Metrics, func(m *metrics.Metric) bool {
				switch data := m.Data.(type) {
				case *metrics.Metric_Gauge:
					data.Gauge.DataPoints = filterPoints(data.Gauge.DataPoints, keep)
					return len(data.Gauge.DataPoints) == 0
				case *metrics.Metric_Sum:
					data.Sum.DataPoints = filterPoints(data.Sum.DataPoints, keep)
					return len(data.Sum.DataPoints) == 0
				case *metrics.Metric_Histogram:
					data.Histogram.DataPoints = filterPoints(data.Histogram.DataPoints, keep)
					return len(data.Histogram.DataPoints) == 0
				case *metrics.Metric_ExponentialHistogram:
					data.ExponentialHistogram.DataPoints = filterPoints(data.ExponentialHistogram.DataPoints, keep)
					return len(data.ExponentialHistogram.DataPoints) == 0
				}
				return false
			})
		}
	}
}

func filterPoints[P interface{ GetTimeUnixNano() uint64 }](points []P, keep func(time uint64) bool) []P {
	return slices.DeleteFunc(points, func(p P) bool { return !keep(p.GetTimeUnixNano()) })
}
