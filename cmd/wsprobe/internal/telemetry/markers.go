package telemetry

import (
	"cmp"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// A marker is a point with the flag for "no recorded value" (opentelemetry/proto/metrics/v1/metrics.proto,
// DataPointFlags): its series has no value any more. Prometheus and VictoriaMetrics store a staleness marker, so that
// the series is gone from queries at once and not after minutes.

// ending is a series that ends in a request.
type ending struct {
	series *Series
	metric metrics.ID
	metrics.Variant
}

// marker is the point with which it ends.
type marker struct {
	set       metrics.Set
	start, at time.Time
}

// end ends a series, unless the request turns out to have a later value of it. Markers stand behind all values of their
// metric, because the Prometheus exporter of Collectors before 0.165 drops what stands behind a marker.
func (b *batcher) end(e ending, start, at time.Time) {
	set := b.sets.Of(e.series.identity, e.Variant)
	b.makeRoom(set.Size + numberPointBytes)
	if b.markers == nil {
		b.markers = make(map[ending]marker)
	}
	b.markers[e] = marker{set, start, at}
}

// endMeasured ends series with lengths of time of a probe.
func (b *batcher) endMeasured(s *Series, gone metrics.Measured, start, at time.Time) {
	gone.Each(func(m metrics.ID, v metrics.Variant) { b.end(ending{s, m, v}, start, at) })
}

// endReason ends the series of connection_success with a reason, which another takes the place of.
func (b *batcher) endReason(s *Series, reason reasons.Code, start, at time.Time) {
	b.end(ending{s, metrics.ConnectionSuccess, metrics.Variant{Reason: reason.String()}}, start, at)
}

// revive takes back what this request says of the end of series that have a value again.
func (b *batcher) revive(s *Series, r *metrics.Run) {
	if len(b.markers) == 0 {
		return
	}
	r.Measured().Each(func(m metrics.ID, v metrics.Variant) { delete(b.markers, ending{s, m, v}) })
	if r.Connected() {
		delete(b.markers, ending{s, metrics.ConnectionSuccess, metrics.Variant{Reason: r.Reason.String()}})
	}
}

// text is what tells the series of a metric apart.
func (e ending) text() string {
	return e.Phase + e.Reason + e.ErrorType + e.SessionEnd + e.CloseCode + e.Message
}

// addMarkers adds the markers of a request that is complete, in order of time.
func (b *batcher) addMarkers() {
	if len(b.markers) == 0 {
		return
	}
	all := make([]ending, 0, len(b.markers))
	for e := range b.markers {
		all = append(all, e)
	}
	slices.SortFunc(all, func(x, y ending) int {
		return cmp.Or(b.markers[x].at.Compare(b.markers[y].at), cmp.Compare(x.series.identity.Name(), y.series.identity.Name()),
			cmp.Compare(x.text(), y.text()))
	})
	for _, e := range all {
		m := b.markers[e]
		b.families[e.metric] = append(b.families[e.metric], metrics.Point{Attributes: m.set, Start: m.start, Time: m.at, NoValue: true})
	}
}
