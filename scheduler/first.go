package scheduler

import (
	"math"
	"sync/atomic"
	"time"
)

// firstRun says how far a job is with its first run.
type firstRun uint8

const (
	firstAhead firstRun = iota // not due yet
	firstWaits                 // due, and waiting for a place
	firstOver                  // begun, or given up
)

// firsts are the first runs that are due and wait for a place.
type firsts struct {
	jobs   []int         // indices of jobs, in order of their due instants; a run that was given up stays until its turn
	places int64         // how many runs may be in flight when a first run begins
	held   time.Duration // until then no first run begins
	wanted atomic.Bool   // whether any wait: a run that ends asks
	freed  chan struct{} // tells the loop that a place came free
}

// newFirsts leaves a quarter of the places, or one at least if there are two, to jobs that have begun. Else the
// first runs of many jobs would take every place that comes free, and the ticks of all others would be skipped.
func newFirsts(maxConcurrent int) *firsts {
	return &firsts{places: firstPlaces(maxConcurrent), freed: make(chan struct{}, 1)}
}

// firstPlaces is firsts.places.
func firstPlaces(maxConcurrent int) int64 {
	if maxConcurrent <= 0 {
		return math.MaxInt64
	}
	return int64(max(1, maxConcurrent-(maxConcurrent+3)/4))
}

// add has the first run of a job wait.
func (f *firsts) add(job int) {
	f.jobs = append(f.jobs, job)
	f.wanted.Store(true) // before the loop looks for a place again: a run that ends later tells
}

// renumber follows a change of the jobs, of which after says what became of each.
func (f *firsts) renumber(after []int) {
	kept := f.jobs[:0]
	for _, job := range f.jobs {
		if after[job] != gone {
			kept = append(kept, after[job])
		}
	}
	f.jobs = kept
}

// hold keeps the next free place for the next tick, which is due at the given instant, because one has just found
// none. The instant can be far off, so the hold ends within firstWithin.
func (f *firsts) hold(now, next time.Duration) {
	if len(f.jobs) > 0 {
		f.held = min(next, now+firstWithin)
	}
}

// wakeup returns when the loop has to look after the first runs at the latest: never, unless a hold is to end. The end of
// a run wakes the loop anyway.
func (f *firsts) wakeup(now time.Duration) time.Duration {
	if len(f.jobs) > 0 && f.held > now {
		return f.held
	}
	return never
}

// tell wakes the loop if first runs wait for the place that has come free. Any run may call it.
func (f *firsts) tell() {
	if !f.wanted.Load() {
		return
	}
	select {
	case f.freed <- struct{}{}:
	default: // it has been told, and has not looked yet
	}
}

// room reports whether a first run that may have to wait has a place now.
func (l *loop) room(now time.Duration) bool {
	return now >= l.firsts.held && l.inFlight.Load() < l.firsts.places
}

// turn reports whether an extra run need not wait: there is a place, and nobody has been waiting for it.
func (l *loop) turn(now time.Duration) bool { return len(l.firsts.jobs) == 0 && l.room(now) }

// beginFirsts begins first runs that wait, as long as there are places for them. They are due now: the wait for a place
// is no lateness of this process.
func (l *loop) beginFirsts(now time.Duration, runs *workers) {
	f := l.firsts
	for len(f.jobs) > 0 && l.room(now) {
		job := f.jobs[0]
		f.jobs = f.jobs[1:]
		if l.states[job].first == firstWaits {
			l.begin(job, now, runs)
		}
	}
	if len(f.jobs) == 0 && f.wanted.Load() {
		f.jobs = nil
		f.wanted.Store(false)
	}
}

// endWait gives up the first run of a job that still waits for a place when its next tick is due. An extra run before the
// phase needs no more than that tick. One on the phase was a tick itself, which is lost.
func (l *loop) endWait(next time.Duration, job int) {
	st := &l.states[job]
	if st.first != firstWaits {
		return
	}
	st.first = firstOver
	if next != st.origin {
		l.skip(&l.jobs[job], SkipMaxConcurrent, 1)
	}
}
