package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// repeatAfter is how long totals without a change need not be exported again. Back ends show a series without points
// for five minutes, so a request may be lost in between.
const repeatAfter = time.Minute

// worthTelling decides which probes have their totals exported by a collection: those that changed, and those that last
// had them exported a minute ago. All have it at the first collection, and at the first for a receiver that may be another
// one. A batch that the outbox drops is not told again at once: cumulative totals follow within a minute.
type worthTelling struct {
	interval *atomic.Int64 // between collections
	anew     atomic.Bool   // a receiver may not know what was told before
	refusing atomic.Bool   // the last request did not get through
}

// answered takes notice of what became of a request. A receiver that is back after it was gone may have lost everything.
func (w *worthTelling) answered(outcome outbox.Outcome) {
	if failed := outcome == outbox.Deferred; w.refusing.Swap(failed) && !failed {
		w.anew.Store(true)
	}
}

// repetition is when totals are exported again.
type repetition struct {
	at      time.Duration // since the agent started, at the latest
	changes uint32        // that the series had when they were exported last
	told    bool          // they were
	moved   bool          // gauges of the probe changed since then
}

// due reports whether the totals of a series are to be exported now, and when that is the case anyway if they do not
// change. What is exported all at once is spread over the next minute by its place among all, from 0 to 1.
func (w *worthTelling) due(s *Series, now time.Duration, all bool, place float64) bool {
	r := &s.told.repetition
	changes, left := s.counts.Changes(), r.at-now
	half := time.Duration(w.interval.Load()) / 2 // half an interval early beats half an interval late
	late := left < half || left > repeatAfter    // the clock was set back
	if r.told && !all && !late && !r.moved && changes == r.changes {
		return false
	}
	next := now + repeatAfter
	if all || !r.told {
		next = now + min(half+time.Duration(place*float64(repeatAfter)), repeatAfter)
	}
	*r = repetition{at: next, changes: changes, told: true}
	return true
}
