package metrics

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// Run is the numbers of one run, without the texts of its result.
type Run struct {
	// Started and Ended have no monotonic part: these are the times that are exported.
	Started, Ended       time.Time
	Reason               reasons.Code
	Handshake, RoundTrip time.Duration
	Opened, Replied      bool
	Status               health.Status // Unknown for none
	Streak               uint32        // failed runs in a row, this one included
	Phases               probe.Phases
	Certified            bool    // a certificate was seen
	TimeLeft             float64 // until it expires, in seconds
}

func newRun(r *probe.Result, status health.Status, streak uint32) Run {
	run := Run{
		Started: r.Started.Round(0), Ended: r.Ended.Round(0), Reason: r.Reason,
		Handshake: r.Handshake, Opened: r.Opened, RoundTrip: r.RoundTrip, Replied: r.Replied,
		Status: status, Streak: streak, Phases: r.Phases,
	}
	if run.Certified = !r.CertificateExpiry.IsZero(); run.Certified {
		// Not as a time.Duration, which ends after 292 years: "no expiry" is written as the year 9999 (RFC 5280
		// 4.1.2.5).
		run.TimeLeft = float64(r.CertificateExpiry.UnixMilli()-r.Ended.UnixMilli()) / 1000
	}
	return run
}

// Count is the number of points of the run.
func (r *Run) Count() int {
	n := 2 // connection_success, success
	for _, has := range [...]bool{r.Opened, r.Replied, r.Certified, r.Status != health.Unknown} {
		if has {
			n++
		}
	}
	for _, span := range r.Phases {
		if span.State == probe.SpanEnded {
			n++
		}
	}
	return n
}

// Points calls emit with the points of the run: every value that was measured. Their time is at, which is mostly the
// end.
func (r *Run) Points(sets *Sets, id *Identity, at time.Time, emit func(ID, Point)) {
	gauge := func(m ID, v Variant, value float64) {
		emit(m, Point{Attributes: sets.Of(id, v), Start: r.Started, Time: at, Value: Float(value)})
	}
	if r.Opened {
		gauge(HandshakeLatency, Variant{}, probe.Millis(r.Handshake))
	}
	if r.Replied {
		gauge(RoundTripLatency, Variant{}, probe.Millis(r.RoundTrip))
	}
	if r.Certified {
		gauge(TLSTimeLeft, Variant{}, r.TimeLeft)
	}
	if r.Status != health.Unknown {
		gauge(Status, Variant{}, float64(r.Status.Number()))
	}
	gauge(ConnectionSuccess, Variant{Reason: r.Reason.String()}, number(r.Opened))
	gauge(Success, Variant{}, number(r.Reason == reasons.OK))
	for phase, span := range r.Phases {
		if span.State == probe.SpanEnded {
			gauge(PhaseDuration, Variant{Phase: probe.Phase(phase).String()}, probe.Millis(span.Duration()))
		}
	}
}

// number is 1 for yes and 0 for no.
func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Measured is the series that a run has values of and another has none of, a bit for each: the status, two latencies,
// then the phases.
type Measured uint16

const (
	// HasStatus is the status. A run without it after one with it is that of a probe that lost its thresholds.
	HasStatus Measured = 1 << iota
	hasHandshake
	hasRoundTrip
	hasPhase // of phase 0; those of the others follow
)

// Measured returns the values of the run.
func (r *Run) Measured() Measured {
	var m Measured
	if r.Status != health.Unknown {
		m |= HasStatus
	}
	if r.Opened {
		m |= hasHandshake
	}
	if r.Replied {
		m |= hasRoundTrip
	}
	for phase, span := range r.Phases {
		if span.State == probe.SpanEnded {
			m |= hasPhase << phase
		}
	}
	return m
}

// Each calls do with the metric and the variant of each series.
func (m Measured) Each(do func(ID, Variant)) {
	if m&HasStatus != 0 {
		do(Status, Variant{})
	}
	if m&hasHandshake != 0 {
		do(HandshakeLatency, Variant{})
	}
	if m&hasRoundTrip != 0 {
		do(RoundTripLatency, Variant{})
	}
	for phase := range len(probe.Phases{}) {
		if m&(hasPhase<<phase) != 0 {
			do(PhaseDuration, Variant{Phase: probe.Phase(phase).String()})
		}
	}
}
