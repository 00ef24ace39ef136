package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/probe"
)

// exemplars lead from the totals of a series to traces: to that of the last run of each outcome and in each bucket since
// the last collection, of those whose traces are exported. A nil one is empty.
type exemplars struct {
	outcomes, handshake, roundTrip []exemplar
}

// exemplar is a run that was counted.
type exemplar struct {
	of    int // the index of the outcome, or of the bucket
	at    time.Time
	value float64
	trace probe.Trace
}

// exemplarBytes is the most that an exemplar takes in a request.
const exemplarBytes = 64

// keep puts an exemplar into the place of that of the same outcome or bucket.
func keep(all []exemplar, e exemplar) []exemplar {
	for i := range all {
		if all[i].of == e.of {
			all[i] = e
			return all
		}
	}
	return append(all, e)
}

// note keeps a run as the exemplar of its outcome, and of the buckets of what it measured.
func (x *exemplars) note(r probe.Result, outcome int) {
	e := exemplar{at: r.Ended, trace: r.Trace}
	counted := e
	counted.of, counted.value = outcome, 1
	x.outcomes = keep(x.outcomes, counted)
	if r.Opened {
		e.value = probe.Millis(r.Handshake)
		e.of = bucketOf(latencyBounds, e.value)
		x.handshake = keep(x.handshake, e)
	}
	if r.Replied {
		e.value = probe.Millis(r.RoundTrip)
		e.of = bucketOf(latencyBounds, e.value)
		x.roundTrip = keep(x.roundTrip, e)
	}
}

// ofOutcome returns the exemplar of an outcome, if there is one.
func (x *exemplars) ofOutcome(i int) []metricdata.Exemplar[int64] {
	if x == nil {
		return nil
	}
	for _, e := range x.outcomes {
		if e.of == i {
			return []metricdata.Exemplar[int64]{{Time: e.at, Value: int64(e.value), SpanID: e.trace.Run[:], TraceID: e.trace.ID[:]}}
		}
	}
	return nil
}

// ofHandshake returns the exemplars of the handshakes.
func (x *exemplars) ofHandshake() []metricdata.Exemplar[float64] {
	if x == nil {
		return nil
	}
	return ofLatency(x.handshake)
}

// ofRoundTrip returns the exemplars of the round trips.
func (x *exemplars) ofRoundTrip() []metricdata.Exemplar[float64] {
	if x == nil {
		return nil
	}
	return ofLatency(x.roundTrip)
}

// ofLatency returns the exemplars of a distribution.
func ofLatency(all []exemplar) []metricdata.Exemplar[float64] {
	out := make([]metricdata.Exemplar[float64], len(all))
	for i := range all {
		e := &all[i]
		out[i] = metricdata.Exemplar[float64]{Time: e.at, Value: e.value, SpanID: e.trace.Run[:], TraceID: e.trace.ID[:]}
	}
	return out
}
