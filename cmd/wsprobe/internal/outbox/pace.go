package outbox

import (
	"cmp"
	"sync/atomic"
	"time"
)

// pace is the times of an Outbox that can change while it works.
type pace struct {
	persistAfter duration // how long a batch may be on its way before it is persisted
	// patience is how long news wait for older batches, so that a short outage arrives in the order of time, and a long
	// one does not hold up the present.
	patience duration
	recent   duration // how long a batch is news
	grace    duration // refusals are a failure after so long without a request that was accepted
}

// duration is a time that several goroutines use.
type duration struct{ atomic.Int64 }

func (d *duration) get() time.Duration { return time.Duration(d.Load()) }

func newPace(o Options) *pace {
	p := &pace{}
	p.take(o)
	return p
}

func (p *pace) take(o Options) {
	p.persistAfter.Store(int64(cmp.Or(o.PersistAfter, time.Second)))
	p.patience.Store(int64(o.Patience))
	p.recent.Store(int64(o.Recent))
	p.grace.Store(int64(o.Grace))
}

// SetPace takes PersistAfter, Patience, Recent and Grace of other options. They hold from the next batch on.
func (o *Outbox) SetPace(options Options) { o.pace.take(options) }

// Retry ends the pause after a request that was deferred: it is sent again at once, and the pauses after it are short
// again. It is for a receiver that may be another one now. A request under way goes on.
func (o *Outbox) Retry() { signal(o.delivery.again) }
