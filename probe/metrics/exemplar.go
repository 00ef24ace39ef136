package metrics

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// exemplars are the last run of each outcome and of each bucket, of those whose traces are kept. A nil one is empty.
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

// note keeps a run as the exemplar of its outcome, and of the buckets of its latencies.
func (x *exemplars) note(r *probe.Result, outcome int) {
	e := exemplar{at: r.Ended, trace: r.Trace}
	counted := e
	counted.of = outcome
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

// clone returns a copy.
func (x *exemplars) clone() *exemplars {
	if x == nil {
		return nil
	}
	return &exemplars{slices.Clone(x.outcomes), slices.Clone(x.handshake), slices.Clone(x.roundTrip)}
}

// ofOutcome returns the exemplar of an outcome, if there is one.
func (x *exemplars) ofOutcome(i int) []Exemplar {
	if x == nil {
		return nil
	}
	for _, e := range x.outcomes {
		if e.of == i {
			return []Exemplar{{Time: e.at, Value: Int(1), Trace: e.trace}}
		}
	}
	return nil
}

// ofHandshakes returns the exemplars of the handshakes.
func (x *exemplars) ofHandshakes() []Exemplar {
	if x == nil {
		return nil
	}
	return exported(x.handshake)
}

// ofRoundTrips returns the exemplars of the round trips.
func (x *exemplars) ofRoundTrips() []Exemplar {
	if x == nil {
		return nil
	}
	return exported(x.roundTrip)
}

func exported(all []exemplar) []Exemplar {
	out := make([]Exemplar, len(all))
	for i, e := range all {
		out[i] = Exemplar{Time: e.at, Value: Float(e.value), Trace: e.trace}
	}
	return out
}
