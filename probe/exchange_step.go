package probe

import (
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/reasons"
)

// take does one turn. It sends the message of the turn, if there is one, and then reads until a message matches, if the
// turn expects one.
func (d *dialogue) take(t turn) error {
	r, sends := d.run, t.texts.Send != nil
	if err := d.fillIn(&t); err != nil {
		return err
	}
	if err := d.prepareConnection(t); err != nil {
		return err
	}
	early := r.fence(sends)
	begin, answerable := time.Now(), true
	if sends {
		if d.tooLate() {
			return frame.ErrLate{}
		}
		begin, answerable = d.say(t)
	}
	r.beginStep(begin)
	switch {
	case !sends && !t.texts.Expects(): // it opens the connection
		r.endStep(begin, time.Now())
		return nil
	case !t.texts.Expects():
		return d.finishSending(begin, answerable)
	}
	if r.probe.spec.PingMode == PingBoth && answerable {
		_ = r.wire.Ping() // the read that follows finds what broke
		r.sentLast(reasons.SentBoth, begin)
	}
	return d.hear(t, begin, early, answerable)
}

// fillIn fills in the placeholders of a turn.
func (d *dialogue) fillIn(t *turn) (err error) {
	if !t.open {
		return nil
	}
	if t.texts, err = t.texts.Fill(&d.fill, MaxExpectBytes); err != nil {
		d.stage, d.unmatched = reasons.StageSend, 0
		return &frame.Breach{Type: reasons.MessageTooBig, Code: frame.CloseTooBig, About: err.Error(), Own: true}
	}
	if err := t.prepare(d.probe.spec.MessageFormat); err != nil {
		return fmt.Errorf("filling in a step: %w", err)
	}
	return nil
}

// prepareConnection turns to the connection of a turn, which begins with its opening if it is a new one.
func (d *dialogue) prepareConnection(t turn) error {
	r := d.run
	fresh := r.turnTo(t)
	if fresh {
		r.boundStep(t.timeout)
		if err := r.connect(); err != nil {
			return err
		}
	}
	if t.texts.Send != nil {
		d.settle()
	}
	if !fresh {
		r.boundStep(t.timeout)
	}
	r.used = true
	r.raw.SetEnd(r.due)
	r.stage = reasons.StageReply
	return nil
}

// boundStep gives the step its time, and forgets the messages that an earlier step passed over: they do not tell how
// this one ends.
func (r *run) boundStep(timeout time.Duration) {
	r.due, r.limit, r.unmatched = r.deadline, r.probe.spec.Timeout, 0
	r.near.Begin(nil)
	if own := time.Now().Add(timeout); timeout > 0 && own.Before(r.deadline) {
		r.due, r.limit = own, timeout
	}
}

// fence returns how many messages of the connection came too early for the step.
func (r *run) fence(sends bool) int {
	switch {
	case !sends && r.turn == r.probe.measured:
		return r.early
	case !sends:
		return 0
	}
	r.wire.Drain()
	if r.turn == r.probe.crossing {
		r.fenceOther()
	}
	return r.wire.Early()
}

// fenceOther makes the messages that have come on the connection of the measured turn no answer to what is sent next.
func (r *run) fenceOther() {
	for _, c := range r.all {
		if c.name == r.probe.nameOf(r.probe.turns[r.probe.measured].on) {
			c.raw.SetEnd(r.due)
			c.wire.Drain()
			c.early = c.wire.Early()
		}
	}
}

// beginStep begins the spans of the step. Its opening may have begun one before.
func (r *run) beginStep(begin time.Time) {
	if r.res.Steps != nil && r.res.Steps[r.turn].State == SpanAbsent {
		r.res.Steps[r.turn] = Span{Start: begin.Sub(r.res.Started), State: SpanBroken}
	}
	if r.turn == r.probe.crossing {
		r.crossed = begin
	}
	if r.turn == r.probe.measured {
		r.phase = PhaseRoundTrip
		r.res.Phases[r.phase] = Span{Start: r.measuredFrom(begin).Sub(r.res.Started), State: SpanBroken}
	}
}

// measuredFrom is the beginning of the round trip, whose step began at a time.
func (r *run) measuredFrom(begin time.Time) time.Time {
	if r.probe.crossing >= 0 {
		return r.crossed
	}
	return begin
}

// endStep ends the spans of the step, and measures the round trip if it is this one.
func (r *run) endStep(begin, arrived time.Time) {
	end := arrived
	if end.Before(begin) { // what a waiting step waits for may have been there before
		end = begin
	}
	r.settled = end
	if r.res.Steps != nil {
		span := &r.res.Steps[r.turn]
		span.End, span.State = end.Sub(r.res.Started), SpanEnded
	}
	if r.turn == r.probe.measured {
		from := r.measuredFrom(begin)
		if arrived.Before(from) {
			arrived = from
		}
		r.leave(arrived)
		r.roundTrip = arrived.Sub(from)
		r.noteTimestamp()
	}
}
