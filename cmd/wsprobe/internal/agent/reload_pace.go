package agent

import (
	"context"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/config"
)

// A flood of signals or requests must neither take the processor from the runs nor fill the log.
const (
	loadsAtOnce = 10                    // that are asked for, and need not wait
	loadEvery   = 50 * time.Millisecond // one of those behind them
	sameFaults  = time.Second           // between two tellings of the same faults
)

// pace spaces the loads that somebody asks for.
type pace struct{ due time.Time } // when all of those so far would have begun, one after the other

// wait waits for the turn of one more load, or until its context ends.
func (p *pace) wait(ctx context.Context) {
	now := time.Now()
	if p.due.Before(now) {
		p.due = now
	}
	early := p.due.Sub(now) - (loadsAtOnce-1)*loadEvery
	p.due = p.due.Add(loadEvery)
	if early <= 0 {
		return
	}
	turn := time.NewTimer(early)
	defer turn.Stop()
	select {
	case <-ctx.Done():
	case <-turn.C:
	}
}

// worked tells how long a load took, so that a flood of loads leaves half of a processor to others. One that takes long
// mostly waits for its files.
func (p *pace) worked(took time.Duration) {
	p.due = p.due.Add(max(0, min(2*took, time.Second)-loadEvery))
}

// told are the faults that the log has, and since when.
type told struct {
	faults []config.Fault
	at     time.Time
}

// again reports whether the log has these faults from just now. If not, it has them from now on.
func (t *told) again(faults []config.Fault) bool {
	now := time.Now()
	if len(faults) > 0 && slices.Equal(faults, t.faults) && now.Sub(t.at) < sameFaults {
		return true
	}
	t.faults, t.at = faults, now
	return false
}
