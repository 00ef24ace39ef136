package opening

import (
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// Phase is a part of an opening. What a proxy does is part of Connect.
type Phase int

// The phases in their order.
const (
	DNS Phase = iota
	Connect
	TLS
	Upgrade
	phaseCount
)

// State says whether a phase took place.
type State uint8

// The states of a phase. A Broken one is under way, or was when the opening failed.
const (
	Absent State = iota
	Broken
	Ended
)

// Span is when a phase was under way, as offsets from the start of the attempt.
type Span struct {
	Start, End time.Duration // End is 0 while the phase is Broken
	State      State
}

// Record says how far an Attempt came, and when. Stage is more exact than the Phase under way: it tells a proxy's part.
type Record struct {
	Stage reasons.Stage
	Phase Phase
	Spans [phaseCount]Span
}

// enter begins a phase, and names the stage in which a failure would then be.
func (a *Attempt) enter(stage reasons.Stage, phase Phase) {
	a.Stage, a.Phase = stage, phase
	a.Spans[phase] = Span{Start: time.Since(a.Started), State: Broken}
}

// leave ends the phase under way at the given time, or at once: what ended it may have come before it was due.
func (a *Attempt) leave(at time.Time) {
	span := &a.Spans[a.Phase]
	span.End, span.State = max(at.Sub(a.Started), span.Start), Ended
}
