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
		r.explained(o)
	case at.Moment == metrics.SessionEnded && at.End == nil:
		r.runFailed(o)
	case at.Moment == metrics.SessionEnded:
		r.ended = nil
		if !at.Planned() {
			r.ended = new(o.Result)
		}
	case at.Moment == metrics.SessionReported && !at.OK && o.Result.Reason != reasons.OK:
		r.outcomeFailed(o)
	case at.OK && (at.Moment == metrics.SessionReported || at.Moment == metrics.SessionOpened):
		r.recovered(&o.Result)
	}
}

// explained makes the log record of the end that waits for its explanation.
func (r *Recorder) explained(o *metrics.Observation) {
	if r.ended == nil || o.Session.End == nil {
		return
	}
	seen := *o
	seen.Result, r.ended = *r.ended, nil
	message := "session ended: " + o.Session.End.String()
	if said := o.Session.Hint(nil); said != "" {
		message += ": " + said
	}
	r.emit(&seen.Result, slog.LevelWarn, eventSessionEnded, message, append(seen.Record(), seen.SessionRecord()...))
}
