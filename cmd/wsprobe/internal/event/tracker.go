package event

import (
	"github.com/google/uuid"

	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Tracker makes events of the observations of one probe. One goroutine at a time calls it.
type Tracker struct {
	sinks *Sinks
	known bool
	last  state
}

// state is what a change is a change of.
type state struct {
	status health.Status
	ok     bool // of a probe without thresholds
}

// NewTracker returns the Tracker of a probe that has not been observed yet. Each of the sinks is told every event.
func NewTracker(sinks *Sinks) *Tracker { return &Tracker{sinks: sinks} }

// Observe tells the sinks. Without any it costs nothing.
func (t *Tracker) Observe(o *metrics.Observation) {
	sinks := t.sinks.all()
	if len(sinks) == 0 {
		return
	}
	e := Event{ID: newID(), Kind: kindOf(o), At: o.Result.Ended, Observation: o, Changed: t.changes(o)}
	for _, s := range sinks {
		s.Observe(&e)
	}
}

// changes reports whether the state is another one than before. In maintenance it stays what it was.
func (t *Tracker) changes(o *metrics.Observation) bool {
	if o.Maintained {
		return false
	}
	now := state{status: o.Health.Status}
	if now.status == health.Unknown {
		now.ok = ok(o)
	}
	if t.known && (tellsNoState(o) || now.status == health.Unknown && t.last.status != health.Unknown) {
		return false // thresholds do not judge every moment of a session
	}
	changed := !t.known || now != t.last
	t.known, t.last = true, now
	return changed
}

// tellsNoState reports whether a moment of a session says nothing new of the state. Those are explanations, and ends on
// purpose.
func tellsNoState(o *metrics.Observation) bool {
	s := o.Session
	return s != nil && (s.Moment == metrics.SessionExplained || s.Moment == metrics.SessionEnded && s.Planned())
}

// ok reports whether the endpoint does what the probe asks of it.
func ok(o *metrics.Observation) bool {
	if o.Session != nil {
		return o.Session.OK
	}
	return o.Result.Reason == reasons.OK
}

// newID returns an ID that is greater than the ones before, also if the clock is set back. There is no error, because
// reading random bytes never fails.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// kindOf names the occasion of an observation.
func kindOf(o *metrics.Observation) string {
	if o.Session == nil {
		return "run"
	}
	return "session." + o.Session.Moment.String()
}
