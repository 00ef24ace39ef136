package probe

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// stay checks that the socket stays open for as long as the Spec wants, from the 101 or from the end of the last step.
// Messages that come meanwhile do not matter, if they are sound.
func (r *run) stay() error {
	if r.probe.spec.StayOpen == 0 {
		return nil
	}
	r.stage = reasons.StageStay
	r.due, r.limit = r.deadline, r.probe.spec.Timeout
	until := r.settled.Add(r.probe.spec.StayOpen)
	enough := !until.After(r.deadline)
	if !enough {
		until = r.deadline
	}
	r.raw.SetEnd(until)
	err := r.wire.Outlast()
	switch {
	case enough && tcp.IsTimeout(err):
		r.res.Lag = max(r.res.Lag, time.Since(until))
		return nil
	case tcp.IsTimeout(err):
		return frame.ErrLate{}
	default:
		return err
	}
}
