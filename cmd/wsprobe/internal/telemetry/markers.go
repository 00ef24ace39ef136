package telemetry

import (
	"cmp"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// A marker is a point with the flag for "no recorded value" (opentelemetry/proto/metrics/v1/metrics.proto,
// DataPointFlags): its series has no value any more. Prometheus and VictoriaMetrics store a staleness marker, so that
// the series is gone from queries at once and not after minutes.

// noValue is the value of a marker. metricdata has no flags, so the encoder makes the flag of it: it is the NaN that
// Prometheus itself means by it, which no measurement is.
var noValue = math.Float64frombits(0x7ff0000000000002)

// noSum is the value of a marker of a sum, which no sum can reach.
const noSum = math.MinInt64 + 2

// isMarker reports whether a point is a marker.
func isMarker(value float64) bool { return math.Float64bits(value) == math.Float64bits(noValue) }

// values are the series that a run has values of and another has none of, a bit for each: the status, two latencies,
// then the phases.
type values uint16

const (
	hasStatus values = 1 << iota // without it after one with it is a probe that lost its thresholds
	hasHandshake
	hasRoundTrip
	hasPhase // of phase 0; those of the others follow
)

// values returns what a run measured.
func (r *run) values() values {
	var v values
	if r.status != probehealth.Unknown {
		v |= hasStatus
	}
	if r.opened {
		v |= hasHandshake
	}
	if r.replied {
		v |= hasRoundTrip
	}
	for phase, span := range r.phases {
		if span.State == probe.SpanEnded {
			v |= hasPhase << phase
		}
	}
	return v
}

// each calls do with the metric and the variant of each value.
func (v values) each(do func(metricID, variant)) {
	if v&hasStatus != 0 {
		do(idStatus, variant{})
	}
	if v&hasHandshake != 0 {
		do(idHandshakeLatency, variant{})
	}
	if v&hasRoundTrip != 0 {
		do(idRoundTripLatency, variant{})
	}
	for phase := range len(probe.Phases{}) {
		if v&(hasPhase<<phase) != 0 {
			do(idPhaseDuration, variant{phase: probe.Phase(phase).String()})
		}
	}
}

// ending is a series that ends in a request.
type ending struct {
	series *Series
	metric metricID
	variant
}

// marker is the point with which it ends.
type marker struct {
	attributes
	start, at time.Time
}

// end ends a series, unless the request turns out to have a later value of it. Markers stand behind all values of their
// metric, because the Prometheus exporter of Collectors before 0.165 drops what stands behind a marker.
func (b *batcher) end(e ending, start, at time.Time) {
	a := e.series.with(b, e.variant)
	b.makeRoom(a.size + numberPointBytes)
	if b.markers == nil {
		b.markers = make(map[ending]marker)
	}
	b.markers[e] = marker{a, start, at}
}

// endValues ends the series of some values of a probe.
func (b *batcher) endValues(s *Series, v values, start, at time.Time) {
	v.each(func(m metricID, v variant) { b.end(ending{s, m, v}, start, at) })
}

// endReason ends the series of connection_success with a reason, which another takes the place of.
func (b *batcher) endReason(s *Series, reason reasons.Code, start, at time.Time) {
	b.end(ending{s, idConnectionSuccess, variant{reason: reason.String()}}, start, at)
}

// revive takes back what this request says of the end of series that have a value again.
func (b *batcher) revive(s *Series, v values, reason reasons.Code) {
	if len(b.markers) == 0 {
		return
	}
	v.each(func(m metricID, v variant) { delete(b.markers, ending{s, m, v}) })
	delete(b.markers, ending{s, idConnectionSuccess, variant{reason: reason.String()}})
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
		return cmp.Or(b.markers[x].at.Compare(b.markers[y].at), cmp.Compare(x.series.target.Name, y.series.target.Name),
			cmp.Compare(x.phase+x.reason+x.errorType, y.phase+y.reason+y.errorType))
	})
	for _, e := range all {
		m := b.markers[e]
		switch table[e.metric].Kind {
		case Gauge:
			b.gauges[e.metric] = append(b.gauges[e.metric], metricdata.DataPoint[float64]{
				Attributes: m.set, StartTime: m.start, Time: m.at, Value: noValue,
			})
		case Histogram:
			b.histograms[e.metric] = append(b.histograms[e.metric], metricdata.HistogramDataPoint[float64]{
				Attributes: m.set, StartTime: m.start, Time: m.at, Sum: noValue,
			})
		default:
			b.sums[e.metric] = append(b.sums[e.metric], metricdata.DataPoint[int64]{
				Attributes: m.set, StartTime: m.start, Time: m.at, Value: noSum,
			})
		}
	}
}
