package scheduler

import (
	"slices"
	"time"
)

// Replace changes the jobs. It may be called at any time, also while [Scheduler.Run] is running, by anyone but a job's
// Run and the Observer, which it may wait for.
//
// A job whose Name, Interval and Generation are those of a job before is kept: with its phase, its next tick, its first
// run if that is still ahead, and a run in flight. From its next run on it is the new Job's Run that is called. Any
// other job of before is gone: it is not started again, and the context of its run in flight ends. Any other new job
// comes as it would at the start, its first run among those that are still ahead.
//
// The work in the goroutine of Run is O(n) of n jobs, a few milliseconds for 100,000. An error means that nothing was
// changed, and is that of Run.
func (s *Scheduler) Replace(jobs []Job) error {
	if err := check(jobs); err != nil {
		return err
	}
	jobs = slices.Clone(jobs)
	s.replacing.Lock()
	defer s.replacing.Unlock()
	if s.current != nil {
		c := newChange(s.current.jobs, jobs)
		s.current.between(func(l *loop) { l.apply(c) })
	}
	s.Jobs = jobs
	return nil
}

// SetMaxConcurrent changes MaxConcurrent. It may be called when [Scheduler.Replace] may be. Runs in flight go on, also
// if they are more than the new number: then none begins until enough of them have ended.
func (s *Scheduler) SetMaxConcurrent(n int) {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	if s.current == nil || !s.current.between(func(l *loop) { l.MaxConcurrent, l.firsts.places = n, firstPlaces(n) }) {
		s.MaxConcurrent = n
	}
}

// between has the loop do something between two ticks, and waits for that. It reports false if the loop has ended.
func (l *loop) between(do func(*loop)) bool {
	done := make(chan struct{})
	select {
	case l.changes <- func() { defer close(done); do(l) }:
		<-done
		return true
	case <-l.ended:
		return false
	}
}

// change is what Replace asks of the loop. Whatever needs names is done before, so that no tick waits for it.
type change struct {
	jobs   []Job
	hashes []uint64 // of the names of jobs that come
	before []int    // for each job its index before the change, or gone
	after  []int    // for each job of before its index now, or gone
	come   int      // how many jobs come
}

// gone is the index of a job that is not there.
const gone = -1

func newChange(before, jobs []Job) *change {
	c := &change{jobs: jobs, hashes: make([]uint64, len(jobs)), before: make([]int, len(jobs)), after: make([]int, len(before))}
	byName := make(map[string]int, len(before))
	for i := range before {
		byName[before[i].Name], c.after[i] = i, gone
	}
	for i := range jobs {
		old, there := byName[jobs[i].Name]
		if there && before[old].Interval == jobs[i].Interval && before[old].Generation == jobs[i].Generation {
			c.before[i], c.after[old] = old, i
			continue
		}
		c.before[i], c.hashes[i] = gone, hash(jobs[i].Name)
		c.come++
	}
	return c
}

// applyNext makes a change, if somebody waits with one.
func (l *loop) applyNext() {
	select {
	case change := <-l.changes:
		change()
	default:
	}
}

// ahead returns how many jobs stay whose first run is still ahead. Jobs may come in many small changes, as targets do
// that are discovered.
func (l *loop) ahead(c *change) int {
	n := 0
	for i, after := range c.after {
		if after != gone && l.states[i].first != firstOver {
			n++
		}
	}
	return n
}

// apply makes the jobs of a change those of the loop.
func (l *loop) apply(c *change) {
	now, spread := time.Since(l.anchor), spreadOf(c.come+l.ahead(c))
	due := make([]time.Duration, len(l.jobs))
	for _, e := range l.waiting {
		due[e.job] = e.due
	}
	states, waiting := make([]state, len(c.jobs)), make(queue, len(c.jobs))
	for i, old := range c.before {
		waiting[i].job = i
		if old == gone {
			t := ticksFrom(l.anchor, c.hashes[i], c.jobs[i].Interval).from(now)
			states[i].origin, waiting[i].due = t.origin, t.first(now, c.hashes[i], spread)
			continue
		}
		states[i].origin, states[i].first, waiting[i].due = l.states[old].origin, l.states[old].first, due[old]
	}
	waiting.order()
	l.running.move(c.after, states)
	l.firsts.renumber(c.after)
	l.jobs, l.states, l.waiting = c.jobs, states, waiting
}
