package metrics

import "time"

// Totals are the runs of a probe from the start of its series to one moment.
type Totals struct {
	Outcomes             []Outcome
	Handshake, RoundTrip Distribution

	session   []row // of held sessions
	exemplars *exemplars
}

// row is one series of totals.
type row struct {
	metric       ID
	variant      Variant
	value        Value
	distribution *Distribution // of a histogram
	exemplars    []Exemplar
}

// rows calls do with each series. A distribution without a value has none: it would say that something took place no
// times.
func (t Totals) rows(do func(row)) {
	for i, o := range t.Outcomes {
		do(row{metric: Runs, variant: Variant{Reason: o.Reason.String(), ErrorType: string(o.ErrorType)}, value: Int(o.Runs),
			exemplars: t.exemplars.ofOutcome(i)})
	}
	handshake, roundTrip := t.exemplars.latencies()
	if t.Handshake.Count > 0 {
		do(row{metric: HandshakeDuration, distribution: &t.Handshake, exemplars: handshake})
	}
	if t.RoundTrip.Count > 0 {
		do(row{metric: RoundTripDuration, distribution: &t.RoundTrip, exemplars: roundTrip})
	}
	for _, r := range t.session {
		do(r)
	}
}

// Points calls emit with the points of the totals.
func (t Totals) Points(sets *Sets, id *Identity, start, at time.Time, emit func(ID, Point)) {
	t.rows(func(r row) {
		emit(r.metric, Point{Attributes: sets.Of(id, r.variant), Start: start, Time: at, Value: r.value,
			Distribution: r.distribution, Exemplars: r.exemplars})
	})
}

// Each calls do with the metric and the variant of each series.
func (t Totals) Each(do func(ID, Variant)) { t.rows(func(r row) { do(r.metric, r.variant) }) }
