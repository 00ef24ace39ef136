package telemetry

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// addRun adds the points of one run: what was measured, and nothing else.
func addRun(b *batcher, r *run) {
	with := func(v variant) attributes { return r.series.with(b, v) }
	plain := with(variant{})
	gauge := func(m metricID, a attributes, value float64) { b.gauge(m, a, r.started, r.at, value) }
	if r.opened {
		gauge(idHandshakeLatency, plain, probe.Millis(r.handshake))
	}
	if r.replied {
		gauge(idRoundTripLatency, plain, probe.Millis(r.roundTrip))
	}
	if r.certified {
		gauge(idTLSTimeLeft, plain, r.timeLeft)
	}
	if r.status != probehealth.Unknown {
		gauge(idStatus, plain, float64(r.status.Number()))
	}
	gauge(idConnectionSuccess, with(variant{reason: r.reason.String()}), number(r.opened))
	gauge(idSuccess, plain, number(r.reason == reasons.OK))
	for phase, span := range r.phases {
		if span.State == probe.SpanEnded {
			gauge(idPhaseDuration, with(variant{phase: probe.Phase(phase).String()}), probe.Millis(span.Duration()))
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

// addTotals adds the cumulative values of one probe. The exemplars are of before: what they are of is then in the totals.
func addTotals(b *batcher, s *Series, start, at time.Time, exemplars *exemplars) {
	outcomes, handshake, roundTrip := s.totals()
	for i, o := range outcomes {
		a := s.with(b, variant{reason: o.reason.String(), errorType: string(o.errorType)})
		b.sum(idRuns, a, start, at, o.n, exemplars.ofOutcome(i)...)
	}
	plain := s.with(b, variant{})
	b.histogram(idHandshakeDuration, plain, start, at, handshake, exemplars.ofHandshake()...)
	b.histogram(idRoundTripDuration, plain, start, at, roundTrip, exemplars.ofRoundTrip()...)
}
