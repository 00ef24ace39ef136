package prometheus

import (
	"fmt"
	"math"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// order follows the requests that one agent got accepted, one after another, and collects the places where they
// break the rule that Prometheus' receiver needs: no request begins before the newest millisecond of the one before,
// and points of one series are at least one millisecond apart, in order.
type order struct {
	newest int64            // millisecond of the newest point of the requests so far
	series map[string]int64 // millisecond of the last point, by resource, metric and attributes
	faults []string
}

func newOrder() *order { return &order{newest: math.MinInt64, series: map[string]int64{}} }

// add checks the next request.
func (o *order) add(metrics pmetric.Metrics) {
	oldest, newest := int64(math.MaxInt64), int64(math.MinInt64)
	for _, resource := range metrics.ResourceMetrics().All() {
		who := identity(resource.Resource().Attributes())
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				eachPoint(metric, func(attributes pcommon.Map, at pcommon.Timestamp) {
					ms := at.AsTime().UnixMilli()
					oldest, newest = min(oldest, ms), max(newest, ms)
					o.point(who+" "+metric.Name()+" "+identity(attributes), ms)
				})
			}
		}
	}
	if oldest < o.newest {
		o.faults = append(o.faults, fmt.Sprintf("a request begins %d ms before the newest point of those before", o.newest-oldest))
	}
	o.newest = max(o.newest, newest)
}

func (o *order) point(series string, ms int64) {
	if last, ok := o.series[series]; ok && ms <= last {
		o.faults = append(o.faults, fmt.Sprintf("a point %d ms after the one before of %s", ms-last, series))
	}
	o.series[series] = ms
}

// TestOrder wants the check itself to see each breach of the rule, and only breaches.
func TestOrder(t *testing.T) {
	type point struct {
		series string
		ns     int64
	}
	const ms = 1e6
	for _, test := range []struct {
		name     string
		requests [][]point
		faults   int
	}{
		{"requests one after another", [][]point{{{"a", 1 * ms}, {"b", 2 * ms}}, {{"a", 3 * ms}}}, 0},
		{"a request begins in the newest millisecond", [][]point{{{"a", 1 * ms}, {"b", 2 * ms}}, {{"a", 2 * ms}}}, 0},
		{"a request begins before the newest millisecond", [][]point{{{"a", 1 * ms}, {"b", 3 * ms}}, {{"a", 2 * ms}}}, 1},
		{"a request begins before the newest one of all", [][]point{{{"a", 5 * ms}}, {{"b", 2 * ms}}, {{"c", 3 * ms}}}, 2},
		{"two points of a series in one millisecond", [][]point{{{"a", 1 * ms}, {"a", 1*ms + 1}}}, 1},
		{"two points of a series in one millisecond of two requests", [][]point{{{"a", 1 * ms}}, {{"a", 1*ms + 1}}}, 1},
		{"points of a series out of order in one request", [][]point{{{"a", 2 * ms}, {"a", 1 * ms}}}, 1},
		{"points of two series in one millisecond", [][]point{{{"a", 1 * ms}, {"b", 1 * ms}}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOrder()
			for _, points := range test.requests {
				m := pmetric.NewMetrics()
				metric := m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
				metric.SetEmptyGauge()
				for _, p := range points {
					dp := metric.Gauge().DataPoints().AppendEmpty()
					dp.SetTimestamp(pcommon.Timestamp(p.ns))
					dp.Attributes().PutStr("series", p.series)
				}
				o.add(m)
			}
			if len(o.faults) != test.faults {
				t.Errorf("got %d faults, want %d: %q", len(o.faults), test.faults, o.faults)
			}
		})
	}
}
