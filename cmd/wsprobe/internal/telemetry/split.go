package telemetry

import (
	"cmp"
	"fmt"
	"slices"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// split cuts a request in two with half of the points each: the older ones, then the newer ones. So the order of time holds
// from the one to the other. A request of one point cannot be split.
func (b *batch) split(c content) ([]*batch, error) {
	raw, err := c.request()
	if err != nil {
		return nil, err
	}
	times, err := timesOf(raw)
	if err != nil || len(times) < 2 {
		return nil, err
	}
	parts := make([]*batch, 0, 2)
	for _, newer := range []bool{false, true} {
		half, n, err := halfOf(raw, times, newer)
		if err != nil {
			return nil, err
		}
		packed, err := compress(half)
		if err != nil {
			return nil, err
		}
		parts = append(parts, &batch{
			content: content{packed: packed}, points: n, collected: b.collected, part: true, unanswered: b.unanswered,
		})
	}
	return parts, nil
}

// place is a point of a request: its time, and its number in the order of the request.
type place struct {
	time uint64
	at   int
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.at, b.at))
}

// timesOf returns the places of all points in the order of time.
func timesOf(raw []byte) ([]place, error) {
	var times []place
	request, err := decode(raw)
	if err == nil {
		filter(request, func(time uint64) bool {
			times = append(times, place{time, len(times)})
			return true
		})
	}
	slices.SortFunc(times, comparePlaces)
	return times, err
}

// halfOf returns a request with the older or the newer half of the points, and their number.
func halfOf(raw []byte, times []place, newer bool) ([]byte, int, error) {
	request, err := decode(raw)
	if err != nil {
		return nil, 0, err
	}
	middle, at, kept := times[len(times)/2], 0, 0
	filter(request, func(time uint64) bool {
		keep := (comparePlaces(place{time, at}, middle) >= 0) == newer
		at++
		if keep {
			kept++
		}
		return keep
	})
	half, err := proto.Marshal(request)
	return half, kept, err
}

func decode(raw []byte) (*collector.ExportMetricsServiceRequest, error) {
	request := &collector.ExportMetricsServiceRequest{}
	if err := proto.Unmarshal(raw, request); err != nil {
		return nil, fmt.Errorf("decoding a batch: %w", err)
	}
	return request, nil
}

// filter leaves only points of some times in a request, and only metrics that have any.
func filter(request *collector.ExportMetricsServiceRequest, keep func(time uint64) bool) {
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
				}
				return false
			})
		}
	}
}

func filterPoints[P interface{ GetTimeUnixNano() uint64 }](points []P, keep func(time uint64) bool) []P {
	return slices.DeleteFunc(points, func(p P) bool { return !keep(p.GetTimeUnixNano()) })
}
