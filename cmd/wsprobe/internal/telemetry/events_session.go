package telemetry

import (
	"log/slog"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// eventSessionEnded is the end of a held session that nobody planned.
const eventSessionEnded = "wsprobe.session.ended"

// sessionEvents are the rows of held sessions in the table of log records.
func sessionEvents() []Event {
	return []Event{
		{eventSessionEnded, slog.LevelWarn, "A held session ended, not on purpose. The record waits for the next open, which helps to explain the end.",
			append(metrics.RecordKeys(), metrics.SessionKeys()...)},
	}
}

// session makes log records of a moment of a held session: of an end that nobody planned, once it is explained, of an
// open that failed, and of a change of the outcome.
func (r *Recorder) session(o *metrics.Observation) {
	switch at := o.Session; {
	case at.Moment == metrics.SessionExplained:
		if r.ended != nil {
			r.ended.Session = o.Session
			r.Flush()
		}
	case at.Moment == metrics.SessionEnded && at.End == nil:
		r.runFailed(o)
	case at.Moment == metrics.SessionEnded:
		r.Flush()
		if !at.Planned() {
			r.ended = new(*o)
		}
	case o.Maintained: // which changes no outcome
	case at.Moment == metrics.SessionReported && !at.OK && o.Result.Reason != reasons.OK:
		r.outcomeFailed(o)
	case at.OK && (at.Moment == metrics.SessionReported || at.Moment == metrics.SessionOpened):
		r.recovered(&o.Result)
	}
}

// Flush makes the log record of the end of a session that still waits for its explanation, as when the agent stops.
func (r *Recorder) Flush() {
	if r == nil || r.ended == nil {
		return
	}
	o := r.ended
	r.ended = nil
	message := "session ended: " + o.Session.End.String()
	if said := o.Session.Hint(nil); said != "" {
		message += ": " + said
	}
	r.emit(&o.Result, slog.LevelWarn, eventSessionEnded, message, append(o.Record(), o.SessionRecord()...))
}
