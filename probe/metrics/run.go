package metrics

import (
	"math/bits"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// Run is the numbers of one run, or of one moment of a held session, without the texts of its result.
type Run struct {
	// Started and Ended have no monotonic part: these are the times that are exported.
	Started, Ended       time.Time
	Reason               reasons.Code
	Handshake, RoundTrip time.Duration
	Opened               bool          // the value of connection_success
	OK                   bool          // the value of success
	Status               health.Status // Unknown for none
	Streak               uint32        // failed runs in a row, this one included
	Phases               probe.Phases
	TimeLeft             float64       // until the certificate expires, in seconds
	Live                 bool          // the value of session.open
	Maintained           bool          // the value of maintenance
	MessageAge           time.Duration // since the last wanted message of a session

	// Has says which values there are. Keeps says which of those before this moment are still true, of those that it
	// has not: a run starts afresh, a session that stays open keeps its latencies.
	Has, Keeps Measured
}

func newRun(r *probe.Result, streak uint32) Run {
	run := Run{
		Started: r.Started.Round(0), Ended: r.Ended.Round(0), Reason: r.Reason,
		Handshake: r.Handshake, RoundTrip: r.RoundTrip, Opened: r.Opened, OK: r.Reason == reasons.OK,
		Streak: streak, Phases: r.Phases, Has: hasConnection | phasesOf(r), Keeps: HasMaintenance,
	}
	run.has(hasHandshake, r.Opened)
	run.has(hasRoundTrip, r.Replied)
	run.certify(r)
	return run
}

// has adds a value that there is.
func (r *Run) has(value Measured, is bool) {
	if is {
		r.Has |= value
	}
}

// certify adds the time that the certificate has left. That is no time.Duration, which ends after 292 years: "no
// expiry" is written as the year 9999 (RFC 5280 4.1.2.5).
func (r *Run) certify(result *probe.Result) {
	if expiry := result.CertificateExpiry; !expiry.IsZero() {
		r.Has |= HasTimeLeft
		r.TimeLeft = float64(expiry.UnixMilli()-result.Ended.UnixMilli()) / 1000
	}
}

// phasesOf returns the phases that ended.
func phasesOf(r *probe.Result) Measured {
	var m Measured
	for phase, span := range r.Phases {
		if span.State == probe.SpanEnded {
			m |= hasPhase << phase
		}
	}
	return m
}

// Count is the number of points of the run.
func (r *Run) Count() int { return bits.OnesCount32(uint32(r.Has)) }

// Points calls emit with the points of the run: every value that was measured. Their time is at, which is mostly the
// end.
func (r *Run) Points(sets *Sets, id *Identity, at time.Time, emit func(ID, Point)) {
	r.gauges(func(m ID, v Variant, value float64) {
		emit(m, Point{Attributes: sets.Of(id, v), Start: r.Started, Time: at, Value: Float(value)})
	})
}

// gauges calls do with every value that was measured.
func (r *Run) gauges(do func(ID, Variant, float64)) {
	gauge := func(has Measured, m ID, v Variant, value float64) {
		if r.Has&has != 0 {
			do(m, v, value)
		}
	}
	gauge(hasHandshake, HandshakeLatency, Variant{}, probe.Millis(r.Handshake))
	gauge(hasRoundTrip, RoundTripLatency, Variant{}, probe.Millis(r.RoundTrip))
	gauge(HasTimeLeft, TLSTimeLeft, Variant{}, r.TimeLeft)
	gauge(HasStatus, Status, Variant{}, float64(r.Status.Number()))
	gauge(hasConnection, ConnectionSuccess, Variant{Reason: r.Reason.String()}, number(r.Opened))
	gauge(hasSuccess, Success, Variant{}, number(r.OK))
	gauge(HasMaintenance, InMaintenance, Variant{}, number(r.Maintained))
	gauge(hasLive, SessionOpen, Variant{}, number(r.Live))
	gauge(hasMessageAge, SessionMessageAge, Variant{}, r.MessageAge.Seconds())
	for phase, span := range r.Phases {
		gauge(hasPhase<<phase, PhaseDuration, Variant{Phase: probe.Phase(phase).String()}, probe.Millis(span.Duration()))
	}
}

// number is 1 for yes and 0 for no.
func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Measured is a set of values of a run, a bit for each; the phases are the last ones.
type Measured uint32

const (
	// HasStatus is the status. A run without it after one with it is that of a probe that lost its thresholds.
	HasStatus Measured = 1 << iota
	// HasTimeLeft is what is left of a certificate. It stays true without a run that sees one.
	HasTimeLeft
	// HasMaintenance is whether the probe is in maintenance. Each run keeps it: it changes by [Series.Maintain] alone.
	HasMaintenance
	hasConnection // connection_success
	hasSuccess
	hasHandshake
	hasRoundTrip
	hasLive
	hasMessageAge
	hasPhase // of phase 0; those of the others follow

	// every run, or interval of a session, has these.
	hasAlways = hasConnection | HasTimeLeft

	// Lasting is what stays true of a probe when its agent stops.
	Lasting = HasStatus | HasMaintenance | hasSuccess
)

// Measured returns the values of the run that another may have none of.
func (r *Run) Measured() Measured { return r.Has &^ hasAlways }

// After returns the values that are true after the run, of those that were measured before and by it.
func (r *Run) After(before Measured) Measured { return r.Measured() | before&r.Keeps }

// adopt takes over from the run before what this one keeps.
func (r *Run) adopt(before *Run) {
	kept := before.Has & (r.Keeps | hasConnection) &^ r.Has
	if kept&hasConnection != 0 {
		r.Opened, r.Reason = before.Opened, before.Reason
	}
	if kept&hasSuccess != 0 {
		r.OK = before.OK
	}
	if kept&HasTimeLeft != 0 {
		r.TimeLeft = before.TimeLeft
	}
	if kept&HasStatus != 0 {
		r.Status = before.Status
	}
	if kept&HasMaintenance != 0 {
		r.Maintained = before.Maintained
	}
	if kept&hasHandshake != 0 {
		r.Handshake = before.Handshake
	}
	if kept&hasRoundTrip != 0 {
		r.RoundTrip = before.RoundTrip
	}
	if kept&hasLive != 0 {
		r.Live = before.Live
	}
	if kept&hasMessageAge != 0 {
		r.MessageAge = before.MessageAge
	}
	for phase := range r.Phases {
		if kept&(hasPhase<<phase) != 0 {
			r.Phases[phase] = before.Phases[phase]
		}
	}
	r.Has |= kept
}

// Connected reports whether the run says something about the connection.
func (r *Run) Connected() bool { return r.Has&hasConnection != 0 }

// Each calls do with the metric and the variant of each series.
func (m Measured) Each(do func(ID, Variant)) {
	for _, one := range [...]struct {
		has    Measured
		metric ID
	}{
		{HasStatus, Status}, {HasMaintenance, InMaintenance}, {hasSuccess, Success}, {hasHandshake, HandshakeLatency}, {hasRoundTrip, RoundTripLatency},
		{hasLive, SessionOpen}, {hasMessageAge, SessionMessageAge},
	} {
		if m&one.has != 0 {
			do(one.metric, Variant{})
		}
	}
	for phase := range len(probe.Phases{}) {
		if m&(hasPhase<<phase) != 0 {
			do(PhaseDuration, Variant{Phase: probe.Phase(phase).String()})
		}
	}
}
