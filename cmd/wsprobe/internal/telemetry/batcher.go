package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// The bounds of one export request. A gRPC server refuses more than 4 MiB, some proxies more than that; the
// sizes counted here are never below the real ones. A request as points, and again as the messages that the exporter makes
// of them, takes ten times its size: that is why there are no more of them in one.
const (
	maxRequestPoints = 2000
	maxRequestBytes  = 2 << 20
)

// The most bytes that a point takes in a request besides its attributes: tags, lengths, times and a value.
const (
	numberPointBytes    = 48
	histogramPointBytes = 96
	bucketBytes         = 16 // a bound and a count
)

// batcher cuts points into requests: each is one ScopeMetrics within the bounds.
type batcher struct {
	scope   instrumentation.Scope
	header  int // bytes of a request besides its points
	request func(...metricdata.ScopeMetrics)

	done    []metricdata.ScopeMetrics
	points  int
	bytes   int
	common  []attribute.KeyValue // of every point
	scratch []attribute.KeyValue // for whoever makes attributes
	label   func(string) string  // what a label of a probe is called, nil for its own name
	markers map[ending]marker    // see [batcher.end]

	gauges     [metricCount][]metricdata.DataPoint[float64]
	sums       [metricCount][]metricdata.DataPoint[int64]
	histograms [metricCount][]metricdata.HistogramDataPoint[float64]
}

func (b *batcher) gauge(m metricID, a attributes, start, end time.Time, value float64) {
	b.makeRoom(a.size + numberPointBytes)
	b.gauges[m] = append(b.gauges[m], metricdata.DataPoint[float64]{
		Attributes: a.set, StartTime: start, Time: end, Value: value,
	})
}

func (b *batcher) sum(m metricID, a attributes, start, now time.Time, value int64, exemplars ...metricdata.Exemplar[int64]) {
	b.makeRoom(a.size + numberPointBytes + exemplarBytes*len(exemplars))
	b.sums[m] = append(b.sums[m], metricdata.DataPoint[int64]{
		Attributes: a.set, StartTime: start, Time: now, Value: value, Exemplars: exemplars,
	})
}

// histogram adds a distribution, unless nothing was measured: a histogram without a value would say that
// something of length 0 took place no times.
func (b *batcher) histogram(
	m metricID, a attributes, start, now time.Time, h distribution, exemplars ...metricdata.Exemplar[float64],
) {
	if h.count == 0 {
		return
	}
	b.makeRoom(a.size + histogramPointBytes + bucketBytes*len(h.counts) + exemplarBytes*len(exemplars))
	b.histograms[m] = append(b.histograms[m], metricdata.HistogramDataPoint[float64]{
		Attributes: a.set, StartTime: start, Time: now,
		Count: h.count, Sum: h.sum, Bounds: h.bounds, BucketCounts: h.counts, Exemplars: exemplars,
	})
}

// makeRoom begins another request if a point of this size does not fit into the present one.
func (b *batcher) makeRoom(size int) {
	if b.points > 0 && (b.points == maxRequestPoints || b.header+b.bytes+size > maxRequestBytes) {
		b.cut()
	}
	b.points++
	b.bytes += size
}

// cut ends the present request.
func (b *batcher) cut() {
	b.addMarkers()
	scope := metricdata.ScopeMetrics{Scope: b.scope}
	for m, row := range table {
		var data metricdata.Aggregation
		switch row.Kind {
		case Gauge:
			if len(b.gauges[m]) == 0 {
				continue
			}
			data = metricdata.Gauge[float64]{DataPoints: b.gauges[m]}
		case Counter, UpDownCounter:
			if len(b.sums[m]) == 0 {
				continue
			}
			data = metricdata.Sum[int64]{
				DataPoints: b.sums[m], Temporality: metricdata.CumulativeTemporality, IsMonotonic: row.Kind == Counter,
			}
		case Histogram:
			if len(b.histograms[m]) == 0 {
				continue
			}
			data = metricdata.Histogram[float64]{
				DataPoints: b.histograms[m], Temporality: metricdata.CumulativeTemporality,
			}
		}
		scope.Metrics = append(scope.Metrics, metricdata.Metrics{
			Name: row.Name, Description: row.Description, Unit: row.Unit, Data: data,
		})
	}
	b.done = append(b.done, scope)
	b.points, b.bytes = 0, 0
	clear(b.markers)
	clear(b.gauges[:])
	clear(b.sums[:])
	clear(b.histograms[:])
}

// flush hands over the requests that are complete. It is apart from what completes them because it can take a while,
// and points are added under locks.
func (b *batcher) flush() {
	for i := range b.done {
		b.request(b.done[i])
		b.done[i] = metricdata.ScopeMetrics{} // let go of it
	}
	b.done = b.done[:0]
}

// finish hands over everything that is left, the last of it together with a few points that others have made.
func (b *batcher) finish(others ...metricdata.ScopeMetrics) {
	if b.points > 0 {
		b.cut()
	}
	if n := len(b.done); n > 0 && len(others) > 0 {
		last := b.done[n-1]
		b.done = b.done[:n-1]
		defer b.request(append([]metricdata.ScopeMetrics{last}, others...)...)
	}
	b.flush()
}
