package metrics

import "time"

// Totals are the runs of a probe from the start of its series, or with [Keep.Deltas] from the last Collect, to one
// moment.
type Totals struct {
	Outcomes             []Outcome
	Handshake, RoundTrip Distribution

	session   []Sample // of held sessions
	exemplars *exemplars
}

// samples calls do with each series. A distribution without a value has none: it would say that something took place no
// times.
func (t Totals) samples(do func(Sample)) {
	for i := range t.Outcomes {
		do(t.Outcomes[i].sample(t.exemplars.ofOutcome(i)))
	}
	if t.Handshake.Count > 0 {
		do(Sample{Metric: HandshakeDuration, Distribution: &t.Handshake, Exemplars: t.exemplars.ofHandshakes()})
	}
	if t.RoundTrip.Count > 0 {
		do(Sample{Metric: RoundTripDuration, Distribution: &t.RoundTrip, Exemplars: t.exemplars.ofRoundTrips()})
	}
	for _, s := range t.session {
		do(s)
	}
}

// sample is the total of an outcome.
func (o *Outcome) sample(x []Exemplar) Sample {
	v := Variant{Reason: o.Reason.String(), ErrorType: string(o.ErrorType)}
	return Sample{Metric: Runs, Variant: v, Value: Int(o.Runs), Exemplars: x}
}

// Points calls emit with the points of the totals.
func (t Totals) Points(sets *Sets, id *Identity, start, at time.Time, emit func(ID, Point)) {
	t.samples(func(s Sample) {
		emit(s.Metric, Point{Attributes: sets.Of(id, s.Variant), Start: start, Time: at, Value: s.Value,
			Distribution: s.Distribution, Exemplars: s.Exemplars})
	})
}

// Each calls do with the metric and the variant of each series.
func (t Totals) Each(do func(ID, Variant)) { t.samples(func(s Sample) { do(s.Metric, s.Variant) }) }
