package scheduler

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// loop is one call of Run. All of it belongs to the goroutine that called Run, except for what is atomic.
type loop struct {
	*Scheduler
	anchor  time.Time // every time.Duration in the loop is the time since here, on the monotonic clock
	jobs    []Job
	waiting queue   // every job, the one due first at its root
	states  []state // parallel to jobs
	firsts  *firsts
	running running
	changes chan func()   // see between
	ended   chan struct{} // closed when the loop takes no change any more
}

// state is what the loop remembers of a job: 16 bytes, and without pointers, so that the garbage collector does
// not look at the jobs that wait.
type state struct {
	origin time.Duration // ticks.origin
	busy   atomic.Bool   // set by the loop before the run, cleared by the run after it
	first  firstRun
}

func newLoop(s *Scheduler) *loop {
	l := &loop{
		Scheduler: s,
		jobs:      s.Jobs,
		waiting:   make(queue, len(s.Jobs)),
		states:    make([]state, len(s.Jobs)),
		firsts:    newFirsts(s.MaxConcurrent),
		changes:   make(chan func()),
		ended:     make(chan struct{}),
	}
	hashes := make([]uint64, len(s.Jobs))
	for i := range s.Jobs {
		hashes[i] = hash(s.Jobs[i].Name)
	}
	// Hashing 100,000 names takes more than 10 ms. As the anchor comes after it, no first run is late by that.
	l.anchor = time.Now()
	spread := spreadOf(len(s.Jobs))
	for i := range s.Jobs {
		t := ticksFrom(l.anchor, hashes[i], s.Jobs[i].Interval)
		l.states[i].origin = t.origin
		l.waiting[i] = entry{due: t.first(0, hashes[i], spread), job: i}
	}
	l.waiting.order()
	return l
}

// run keeps the ticks until ctx ends, and waits for the runs in flight.
func (l *loop) run(ctx context.Context) {
	end := sync.OnceFunc(func() { close(l.ended) })
	defer end()
	runs := newWorkers(func(t *task) { l.start(ctx, t) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	// The context is looked at before every tick, so that a stop also ends a long burst of due jobs.
	for ctx.Err() == nil {
		l.applyNext() // here as well, so that a loop that is always behind takes a change
		now := time.Since(l.anchor)
		if l.waiting.due() <= now {
			l.keep(now, runs)
			continue
		}
		l.beginFirsts(now, runs) // only once no tick is due, so that ticks choose first
		timer.Reset(min(l.waiting.due(), l.firsts.wakeup(now)) - now)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.firsts.freed:
		case change := <-l.changes:
			change()
		}
	}
	end()
	runs.wait() // not deferred: a panic of the Observer shall come out, whatever is in flight
}

// keep starts or skips the tick at the root of the queue, which is due, and queues the job's next one. A first run may
// have to wait.
func (l *loop) keep(now time.Duration, runs *workers) {
	e := l.waiting[0]
	job, st := &l.jobs[e.job], &l.states[e.job]
	due, next, missed := ticks{origin: st.origin, interval: job.Interval}.latest(e.due, now)
	l.waiting.postpone(next)

	if missed > 0 {
		l.skip(job, SkipMissed, missed)
	}
	l.endWait(e.due, e.job)
	switch {
	case st.busy.Load() && due == st.origin: // only an extra run can be going: it is as good as the one that is due
	case st.busy.Load():
		l.skip(job, SkipOverlap, 1)
	case job.Brief:
		l.begin(e.job, due, runs)
	case due < st.origin && !l.turn(now), st.first == firstAhead && !l.place():
		st.first = firstWaits
		l.firsts.add(e.job)
	case !l.place():
		l.firsts.hold(now, l.waiting.due())
		l.skip(job, SkipMaxConcurrent, 1)
	default:
		l.begin(e.job, due, runs)
	}
}

// place reports whether there is a place for a run.
func (l *loop) place() bool {
	return l.MaxConcurrent <= 0 || l.inFlight.Load() < int64(l.MaxConcurrent)
}

// begin has a job run. Only the loop adds to the runs in flight, so a place that it has seen free still is.
func (l *loop) begin(job int, due time.Duration, runs *workers) {
	st := &l.states[job]
	st.first = firstOver
	st.busy.Store(true)
	if !l.jobs[job].Brief {
		l.inFlight.Add(1)
	}
	runs.do(l.running.add(l.jobs[job], job, st, due))
}

// start is one run.
func (l *loop) start(ctx context.Context, t *task) {
	// Deferred, so that a Run that leaves by runtime.Goexit gives its place back too. A panic goes on to end
	// the process.
	defer func() {
		if !t.job.Brief {
			l.inFlight.Add(-1)
		}
		l.running.remove(t)
		l.firsts.tell()
	}()
	ctx, cancel := l.running.context(ctx, t)
	defer cancel()
	// On a busy machine the stop can come before this goroutine has its turn.
	if ctx.Err() != nil {
		return
	}
	tick := Tick{Due: l.anchor.Add(t.due)}
	tick.Late = time.Since(tick.Due)
	if l.Observer.Started != nil {
		l.Observer.Started(t.job.Name, tick)
	}
	t.job.Run(ctx, tick)
}

func (l *loop) skip(job *Job, cause Skip, ticks int) {
	if l.Observer.Skipped != nil {
		l.Observer.Skipped(job.Name, cause, ticks)
	}
}
