package forms

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point is one data point, with what matters of the metric around it.
type point struct {
	metric, probe, series string // series are the attributes as text
	reason                string
	cumulative            bool
	value                 float64 // of a gauge or sum, and the sum of a histogram
	count                 uint64  // of a histogram
	inBuckets             map[int32]uint64
	scale                 int32
	start, end            pcommon.Timestamp
}

// ledger holds points in the order of arrival.
type ledger struct{ points []point }

func (l *ledger) add(metrics pmetric.Metrics) {
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				l.points = append(l.points, pointsOf(m)...)
			}
		}
	}
}

// of returns the points of a metric of a probe.
func (l *ledger) of(metric, probe string) []point {
	var found []point
	for _, p := range l.points {
		if p.metric == metric && p.probe == probe {
			found = append(found, p)
		}
	}
	return found
}

// values returns those of a gauge of a probe.
func (l *ledger) values(metric, probe string) []float64 {
	var values []float64
	for _, p := range l.of(metric, probe) {
		values = append(values, p.value)
	}
	return values
}

// totals adds up what each series of a metric of a probe counted in the end: all differences, or the last total of each
// start. It is the same for a form and for another one of the same results.
func (l *ledger) totals(metric, probe string) (value float64, count uint64) {
	type unbroken struct {
		series string
		start  pcommon.Timestamp
	}
	last := map[unbroken]point{}
	for _, p := range l.of(metric, probe) {
		if p.cumulative {
			last[unbroken{p.series, p.start}] = p
			continue
		}
		value, count = value+p.value, count+p.count
	}
	for _, p := range last {
		value, count = value+p.value, count+p.count
	}
	return value, count
}

func pointsOf(m pmetric.Metric) []point {
	var points []point
	add := func(attributes pcommon.Map, start, end pcommon.Timestamp, p point) {
		p.metric, p.start, p.end = m.Name(), start, end
		p.probe, p.reason = text(attributes, "wsprobe.name"), text(attributes, "wsprobe.reason")
		p.series = identity(attributes)
		points = append(points, p)
	}
	numbers := pmetric.NewNumberDataPointSlice()
	cumulative := false
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		numbers = m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		numbers = m.Sum().DataPoints()
		cumulative = m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeHistogram:
		cumulative = m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
		for _, d := range m.Histogram().DataPoints().All() {
			add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), point{
				cumulative: cumulative, value: d.Sum(), count: d.Count(), inBuckets: numbered(0, d.BucketCounts().AsRaw()),
			})
		}
	case pmetric.MetricTypeExponentialHistogram:
		cumulative = m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
		for _, d := range m.ExponentialHistogram().DataPoints().All() {
			add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), point{
				cumulative: cumulative, value: d.Sum(), count: d.Count(), scale: d.Scale(),
				inBuckets: numbered(d.Positive().Offset(), d.Positive().BucketCounts().AsRaw()),
			})
		}
	}
	for _, d := range numbers.All() {
		value := d.DoubleValue()
		if d.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(d.IntValue())
		}
		add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), point{cumulative: cumulative, value: value})
	}
	return points
}

// numbered returns the counts of buckets that hold something, by their indexes.
func numbered(first int32, counts []uint64) map[int32]uint64 {
	found := map[int32]uint64{}
	for i, n := range counts {
		if n > 0 {
			found[first+int32(i)] = n
		}
	}
	return found
}

func text(attributes pcommon.Map, key string) string {
	if v, ok := attributes.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// identity is the same for two maps with the same entries.
func identity(m pcommon.Map) string {
	var entries []string
	for k, v := range m.All() {
		entries = append(entries, k+"="+v.AsString())
	}
	slices.Sort(entries)
	return strings.Join(entries, ",")
}
