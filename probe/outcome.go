package probe

import (
	"errors"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/reasons"
)

// conclude fixes the outcome of the run. It calls fixed first, so that nobody takes the run for one under way.
func (r *run) conclude(err error, fixed func(time.Time)) {
	now := time.Now()
	if r.res.Ended = now; fixed != nil {
		fixed(now)
	}
	r.res.Started = startOf(r.res.Started, now)
	if err == nil {
		r.stage = reasons.StageDone
	} else {
		r.res.Connection = r.name
		r.breakOff(now)
	}
	r.seen.Stage, r.seen.Err = r.stage, err
	if r.seen.DeadlinePassed = !now.Before(r.due); r.seen.DeadlinePassed && err != nil {
		r.res.Lag = max(r.res.Lag, now.Sub(r.due))
	}
	r.seen.Unmatched = r.unmatched
	r.seen.Ponged = r.ponged()
	var b *frame.Breach
	if errors.As(err, &b) {
		r.seen.Breach = b.Type
	}
	if err != nil && r.stage > reasons.StageUpgrade {
		r.noteClose(b)
	}
	r.res.Reason, r.res.ErrorType = reasons.Explain(r.seen)
	if err != nil {
		r.res.Clues = r.clues(err, now)
	}
	if r.attempt.Body != "" {
		r.res.Body = r.redact().text(r.attempt.Body, MaxBodyDetail)
	}
	if len(r.lastReply) > 0 {
		r.res.LastReply = r.redact().text(string(r.lastReply), MaxReplyDetail)
	}
	if err != nil {
		r.res.Detail = r.redact().sentence(r.detail(err), MaxBodyDetail)
	}
}

// breakOff ends the spans that were open when the run failed.
func (r *run) breakOff(now time.Time) {
	spans := []*Span{&r.res.Phases[r.phase]}
	if r.res.Steps != nil {
		spans = append(spans, &r.res.Steps[r.turn])
	}
	for _, span := range spans {
		if span.State == SpanBroken {
			span.End = now.Sub(r.res.Started)
		}
	}
}

// noteFarewell records that the server closed a run that was ok. Its answer to the probe's own close frame does not
// count: an answer repeats the code, or has none (RFC 6455 5.5.1). A close frame with another code counts.
func (r *run) noteFarewell(first bool) {
	code, reason, closed := r.wire.Scanner().Closed()
	_, broken := errors.AsType[*frame.Breach](r.wire.Fault())
	switch {
	case closed && (first || code != frame.CloseNormal && code != frame.CloseNoStatus):
		r.res.CloseCode = code
		r.res.CloseReason = r.redact().text(reason, frame.MaxControlPayload)
	case first && r.wire.Fault() != nil && !broken:
		r.res.CloseCode = frame.CloseAbnormal
	default:
		return
	}
	r.res.Clues = r.clues(nil, r.raw.ArrivedAt)
}

// noteClose records how an open connection ended, if it did.
func (r *run) noteClose(b *frame.Breach) {
	code, reason, closed := r.wire.Scanner().Closed()
	switch {
	case b != nil:
		r.res.CloseCode, r.res.CloseByProbe = b.Code, true
	case closed:
		r.seen.CloseReceived = true
		r.res.CloseCode = code
		r.res.CloseReason = r.redact().text(reason, frame.MaxControlPayload)
	case r.wire.Fault() != nil:
		r.res.CloseCode = frame.CloseAbnormal
	}
}

// startOf returns the start of a run on the wall clock of its end. Their difference is then the length of the run, also
// if the wall clock was stepped meanwhile; else a run could seem to end before it starts, or to take a day.
func startOf(started, ended time.Time) time.Time {
	return ended.Add(-ended.Sub(started)) // by the monotonic clock, whose reading stays
}
