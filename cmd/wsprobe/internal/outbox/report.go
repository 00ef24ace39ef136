package outbox

import (
	"log/slog"
	"time"
)

// Observer is told of events, to count them. Its functions are called outside any lock. They must not wait for the
// Outbox.
type Observer struct {
	// Answered is told of each attempt, and of the number of items that the receiver took.
	Answered func(a Answer, accepted int)
	// Dropped is told of items that are given up.
	Dropped func(cause DropCause, items int)
	// SpoolFailed is told of each failed use of the directory, by one of few fixed words.
	SpoolFailed func(kind string)
	// UnrecognizedFile is told of each file in the directory that is not a batch.
	UnrecognizedFile func()
}

// filled returns an observer without nil functions.
func (o Observer) filled() Observer {
	if o.Answered == nil {
		o.Answered = func(Answer, int) {}
	}
	if o.Dropped == nil {
		o.Dropped = func(DropCause, int) {}
	}
	if o.SpoolFailed == nil {
		o.SpoolFailed = func(string) {}
	}
	if o.UnrecognizedFile == nil {
		o.UnrecognizedFile = func() {}
	}
	return o
}

// Words are the words of an Outbox in log lines.
type Words struct {
	// Export is the transfer, for instance "export of log records".
	Export string
	// Items are the items, for instance "log records".
	Items string
	// Unit is the key of their number, for instance "records".
	Unit string
}

// report counts what becomes of batches, tells the log of it, and keeps the state.
type report struct {
	observer Observer
	words    Words
	state    *tracker
	log      *slog.Logger
}

// answered reports an answer.
func (r *report) answered(b *batch, a Answer, now time.Time) {
	accepted := 0
	switch a.Outcome {
	case Accepted, Partial:
		a.Rejected = min(a.Rejected, b.items)
		accepted = b.items - a.Rejected
	case Rejected:
		a.Rejected = b.items
	}
	r.observer.Answered(a, accepted)
	cause := dropCause(b, a)
	if a.Rejected > 0 {
		r.observer.Dropped(cause, a.Rejected)
	}
	repeated := cause == DropRepeated
	r.tell(b, a, repeated, r.state.note(now, b.items, a, repeated), now)
}

// dropCause returns the cause for which the items of a refused batch are dropped. If the answer to an earlier attempt
// was lost, the receiver mostly has the items, and refuses them because of that.
func dropCause(b *batch, a Answer) DropCause {
	if a.Outcome == Rejected && b.unanswered {
		return DropRepeated
	}
	return DropRejected
}

// tell tells the log of an answer.
func (r *report) tell(b *batch, a Answer, repeated bool, before State, now time.Time) {
	switch {
	case a.Outcome == Deferred:
		r.log.Warn(r.words.Export+" deferred", "error.type", a.ErrorType, "message", a.Message, "since", r.state.get().Since)
	case repeated:
		r.log.Info(r.words.Export+" repeated, as its answer was lost, and refused: the receiver should have it already",
			"error.type", a.ErrorType, "message", a.Message, r.words.Unit, b.items)
	case a.Outcome == Rejected:
		r.log.Error(r.words.Export+" rejected", "error.type", a.ErrorType, "message", a.Message, r.words.Unit, b.items)
	case a.Message != "" || a.Rejected > 0:
		r.log.Warn(r.words.Export+" accepted with a remark", "message", a.Message, "rejected_"+r.words.Unit, a.Rejected)
	case !before.OK:
		r.log.Info(r.words.Export+" gets through again", "failed_for", now.Sub(before.Since).Round(time.Second))
	}
}

// wasSplit tells of a batch that was split.
func (r *report) wasSplit(b *batch, a Answer) {
	r.log.Warn(r.words.Export+" split in two: the receiver does not take it whole",
		r.words.Unit, b.items, "message", a.Message)
}

// givenUp reports a batch that was dropped because it was deferred time and again.
func (r *report) givenUp(b *batch, why string) {
	r.observer.Dropped(DropRejected, b.items)
	r.state.refuse(time.Now(), b.items, why)
	r.log.Error(r.words.Export+" given up: the receiver does not take it", r.words.Unit, b.items, "message", why)
}

// dropped reports items that were given up for another reason than an answer.
func (r *report) dropped(cause DropCause, items int) {
	r.observer.Dropped(cause, items)
	r.log.Warn(r.words.Items+" dropped: "+string(cause), r.words.Unit, items)
}

// unrecognized counts files in the spool that are not batches, and the items that are lost with them.
func (r *report) unrecognized(files, lost int) {
	for range files {
		r.observer.UnrecognizedFile()
	}
	if lost > 0 {
		r.dropped(DropDamaged, lost)
	}
}

// left tells of the items that a stop leaves.
func (r *report) left(lost, kept int) {
	if lost > 0 {
		r.log.Warn("stopped with "+r.words.Items+" undelivered", r.words.Unit, lost)
	}
	if kept > 0 {
		r.log.Info("stopped with "+r.words.Items+" in the spool: the next start delivers them", r.words.Unit, kept)
	}
}
