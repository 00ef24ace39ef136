package scheduler_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// pace is the documented number of first runs in a second, and what chance adds to it.
const pace, chance = 2000, 300

// TestFirstRunsOfVeryManyJobsAreSpread: however many jobs the start has, no second of it has more runs than the pace.
// No first run is later than that needs, or than the interval, and the next one is on the phase.
func TestFirstRunsOfVeryManyJobsAreSpread(t *testing.T) {
	for name, c := range map[string]struct {
		jobs     int
		interval time.Duration
		within   time.Duration
		most     int // runs in a second
	}{
		"as_few_as_the_pace_has_in_five_seconds":  {jobs: 10_000, interval: time.Minute, within: 5 * time.Second, most: pace},
		"an_hour":                                 {jobs: 30_000, interval: time.Hour, within: 15 * time.Second, most: pace},
		"an_interval_little_longer_than_the_pace": {jobs: 30_000, interval: 16 * time.Second, within: 15 * time.Second, most: pace},
		"an_interval_shorter_than_the_pace":       {jobs: 30_000, interval: 10 * time.Second, within: 10 * time.Second, most: 3000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1234567891 * time.Nanosecond)
				var r record
				s := &scheduler.Scheduler{Jobs: manyJobs(c.jobs, c.interval, 0), Observer: r.observer()}
				begin := time.Now()
				runFor(t, s, c.within)
				r.checkFirst(t, begin, c.jobs, c.within)
				r.checkRate(t, begin, c.most+chance)
				for _, run := range r.starts {
					tick := nextTick(run.job, c.interval, begin)
					if tick.Sub(begin) <= c.within && run.at.Before(tick) {
						t.Fatalf("%s ran after %v, though its phase is due after %v", run.job, run.at.Sub(begin), tick.Sub(begin))
					}
				}
			})
		})
	}
}

// TestFirstRunsOfVeryManyJobsThatComeAreSpread: jobs that come with a change, or with many changes in a row, come no
// faster. One that comes alone waits for five seconds at the longest, however many are there.
func TestFirstRunsOfVeryManyJobsThatComeAreSpread(t *testing.T) {
	const jobs, within, step = 30_000, 15 * time.Second, 10 * time.Millisecond
	for name, c := range map[string]struct{ changes, most int }{
		"at_once":         {changes: 1, most: pace},
		"in_many_changes": {changes: 30, most: 2 * pace}, // each is spread beside those that are still ahead
		"in_two_halves":   {changes: 2, most: 2 * pace},
	} {
		t.Run(name, func(t *testing.T) {
			var r record
			s := &scheduler.Scheduler{Observer: r.observer()}
			inBubble(t, s, func(t *testing.T) {
				synctest.Wait()
				all, begin := manyJobs(jobs, time.Hour, 0), time.Now()
				for i := range c.changes {
					replace(t, s, all[:jobs*(i+1)/c.changes]...)
					time.Sleep(step)
				}
				time.Sleep(within)
				synctest.Wait()
				r.checkFirst(t, begin, jobs, time.Duration(c.changes)*step+within)
				r.checkRate(t, begin, c.most+chance)

				before, came := r.count(), time.Now()
				replace(t, s, append(all, scheduler.Job{Name: "alone", Interval: time.Hour, Run: nothing})...)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got := r.startsOf("alone"); len(got) != 1 || got[0].Sub(came) > 5*time.Second {
					t.Errorf("one that came alone at %v ran at %v", came, got)
				}
				if n := r.count() - before; n > 100 {
					t.Errorf("%d runs after one job came", n)
				}
			})
		})
	}
}

// count is how many runs have begun.
func (r *record) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.starts)
}

// checkFirst wants that each of so many jobs has run within a time, and none was skipped.
func (r *record) checkFirst(t *testing.T, begin time.Time, jobs int, within time.Duration) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	first := make(map[string]bool, jobs)
	for _, run := range r.starts {
		if run.at.Sub(begin) <= within {
			first[run.job] = true
		}
	}
	if len(first) != jobs || len(r.skips) != 0 {
		t.Errorf("%d of %d jobs ran within %v, %d ticks were skipped", len(first), jobs, within, len(r.skips))
	}
}

// checkRate wants no more than so many runs in each second.
func (r *record) checkRate(t *testing.T, begin time.Time, most int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	seconds := make(map[int]int)
	for _, run := range r.starts {
		seconds[int(run.at.Sub(begin)/time.Second)]++
	}
	for second, n := range seconds {
		if n > most {
			t.Errorf("%d runs in second %d, want at most %d", n, second, most)
		}
	}
}
