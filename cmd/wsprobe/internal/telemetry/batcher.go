package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// The bounds of one export request. A gRPC server refuses more than 4 MiB, some proxies more than that; the sizes
// counted here are never below the real ones. A request takes several times its size as points, hence the bound on
// their number.
const (
	maxRequestPoints = 2000
	maxRequestBytes  = 2 << 20
)

// The most bytes that a point takes in a request besides its attributes: tags, lengths, times and a value.
const (
	numberPointBytes    = 48
	histogramPointBytes = 96
	bucketBytes         = 16 // a bound and a count
	exemplarBytes       = 64
)

// batcher cuts points into requests: each is one scope within the bounds.
type batcher struct {
	scope   instrumentation.Scope
	header  int          // bytes of a request besides its points
	sets    metrics.Sets // attributes of points
	request func(...otlp.Scope)

	done    []otlp.Scope
	points  int
	bytes   int
	markers map[ending]marker // see [batcher.end]
	own     *ownSeries        // that takes note of points, or nil
	// exponential says in which form histograms are told, and temporality over which time totals count.
	exponential bool
	temporality Temporality

	families [metricCount][]metrics.Point
}

// add adds a point of a metric.
func (b *batcher) add(m metrics.ID, p metrics.Point) {
	if b.own != nil && !b.own.note(m, &p, b.temporality.isDelta(table[m].Kind)) {
		return
	}
	size := p.Attributes.Size + exemplarBytes*len(p.Exemplars)
	switch d := p.Distribution; {
	case d == nil:
		size += numberPointBytes
	case b.exponential:
		size += histogramPointBytes + bucketBytes*len(d.Exponential.Counts)
	default:
		size += histogramPointBytes + bucketBytes*len(d.Counts)
	}
	b.makeRoom(size)
	b.families[m] = append(b.families[m], p)
}

func (b *batcher) gauge(m metrics.ID, set metrics.Set, start, end time.Time, value float64) {
	b.add(m, metrics.Point{Attributes: set, Start: start, Time: end, Value: metrics.Float(value)})
}

func (b *batcher) sum(m metrics.ID, set metrics.Set, start, now time.Time, value int64) {
	b.add(m, metrics.Point{Attributes: set, Start: start, Time: now, Value: metrics.Int(value)})
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
	scope := otlp.Scope{Scope: b.scope}
	for m, points := range b.families {
		if len(points) > 0 {
			scope.Families = append(scope.Families, metrics.Family{Metric: &table[m], Points: points,
				Exponential: b.exponential, Delta: b.temporality.isDelta(table[m].Kind)})
		}
	}
	b.done = append(b.done, scope)
	b.points, b.bytes = 0, 0
	clear(b.markers)
	for m, points := range b.families { // requests are alike
		b.families[m] = nil
		if len(points) > 0 {
			b.families[m] = make([]metrics.Point, 0, len(points)+len(points)/8)
		}
	}
}

// flush hands over the requests that are complete. It is apart from what completes them because it can take a while,
// and points are added under locks.
func (b *batcher) flush() {
	for i := range b.done {
		b.request(b.done[i])
		b.done[i] = otlp.Scope{} // let go of it
	}
	b.done = b.done[:0]
}

// finish hands over everything that is left, the last of it together with a few points that others have made.
func (b *batcher) finish(others ...otlp.Scope) {
	if b.points > 0 {
		b.cut()
	}
	if n := len(b.done); n > 0 && len(others) > 0 {
		last := b.done[n-1]
		b.done = b.done[:n-1]
		defer b.request(append([]otlp.Scope{last}, others...)...)
	}
	b.flush()
}
