package scheduler_test

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// manyJobs returns jobs that take their time.
func manyJobs(n int, interval, length time.Duration) []scheduler.Job {
	jobs := make([]scheduler.Job, n)
	for i := range jobs {
		jobs[i] = scheduler.Job{Name: fmt.Sprint("chat-", i), Interval: interval, Run: lasting(length)}
	}
	return jobs
}

// TestFirstRunsOfManyJobs: places that are enough for the intervals are enough for the start. Each job runs early, no
// tick is skipped, not of quick jobs either, and no run counts as late or leaves the phase.
func TestFirstRunsOfManyJobs(t *testing.T) {
	const n, places, length, interval = 5000, 256, 400 * time.Millisecond, time.Minute
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{Jobs: manyJobs(n, interval, length), MaxConcurrent: places, Observer: r.observer()}
		for i := range s.Jobs[:10] {
			s.Jobs[i].Interval = time.Second
		}
		var goroutines atomic.Int64
		time.AfterFunc(4900*time.Millisecond, func() { goroutines.Store(int64(runtime.NumGoroutine())) })
		begin := time.Now()
		runFor(t, s, 3*interval)

		if len(r.skips) != 0 {
			t.Errorf("%d ticks skipped, the first for %s after %v", len(r.skips), r.skips[0].cause,
				r.skips[0].at.Sub(begin))
		}
		if n := goroutines.Load(); n > 2*places {
			t.Errorf("%d goroutines while first runs wait", n)
		}
		intervals := make(map[string]time.Duration)
		for _, job := range s.Jobs {
			intervals[job.Name] = job.Interval
		}
		first, onPhase := make(map[string]time.Duration), 0
		for _, run := range r.starts {
			if run.tick.Late != 0 {
				t.Fatalf("%s late by %v", run.job, run.tick.Late)
			}
			if _, ran := first[run.job]; !ran {
				first[run.job] = run.at.Sub(begin)
			} else if run.at.Equal(nextTick(run.job, intervals[run.job], run.at)) {
				onPhase++
			}
		}
		last := time.Duration(0)
		for _, at := range first {
			last = max(last, at)
		}
		// 192 places of 400 ms begin 480 runs a second.
		if len(first) != n || last > 12*time.Second {
			t.Errorf("%d of %d jobs ran, the last one first after %v", len(first), n, last)
		}
		if later := len(r.starts) - n; onPhase != later {
			t.Errorf("%d of %d later runs on the phase", onPhase, later)
		}
	})
}

// TestFirstRunsWaitInOrder: with places for one first run, they begin one behind the other as they were due, and each
// is due at the instant at which the place came free.
func TestFirstRunsWaitInOrder(t *testing.T) {
	const n, length = 20, 2 * time.Second
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{Jobs: manyJobs(n, 24*time.Hour, length), MaxConcurrent: 2, Observer: r.observer()}
		names := make([]string, n)
		for i, job := range s.Jobs {
			names[i] = job.Name
		}
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Compare(phase(a, 5*time.Second), phase(b, 5*time.Second))
		})
		begin := time.Now()
		runFor(t, s, time.Minute)

		if len(r.starts) != n || len(r.skips) != 0 {
			t.Fatalf("%d runs and %d skips, want %d and 0", len(r.starts), len(r.skips), n)
		}
		want := begin.Add(phase(names[0], 5*time.Second))
		for i, run := range r.starts {
			if run.job != names[i] || !run.at.Equal(want) || !run.tick.Due.Equal(want) || run.tick.Late != 0 {
				t.Errorf("run %d of %s at %v, due %v, late %v; want %s at %v", i, run.job, run.at.Sub(begin),
					run.tick.Due.Sub(begin), run.tick.Late, names[i], want.Sub(begin))
			}
			want = want.Add(length)
		}
	})
}

// TestFirstRunsLeavePlacesToTicks: while first runs wait, a job that has begun keeps its ticks.
func TestFirstRunsLeavePlacesToTicks(t *testing.T) {
	const n, length = 1000, time.Second
	for _, c := range []struct{ places, of, skipped int }{
		{places: 2, of: 300, skipped: 0},
		{places: 8, of: 120, skipped: 0},
		{places: 1, of: 300, skipped: 160}, // one place is shared: every second tick has it
	} {
		t.Run(fmt.Sprintf("places_%d", c.places), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r record
				s := &scheduler.Scheduler{Jobs: manyJobs(n, 10_000*time.Hour, length), MaxConcurrent: c.places,
					Observer: r.observer()}
				s.Jobs = append(s.Jobs, scheduler.Job{Name: "steady", Interval: time.Second,
					Run: lasting(time.Millisecond)})
				runFor(t, s, time.Duration(c.of)*time.Second)

				firstRuns := len(r.starts) - len(r.startsOf("steady"))
				if firstRuns < c.of/4 || firstRuns == n {
					t.Errorf("%d first runs: none waits, or few get a place", firstRuns)
				}
				if got := r.skipped("steady", scheduler.SkipMaxConcurrent); got > c.skipped {
					t.Errorf("%d of %d ticks skipped, want at most %d", got, c.of, c.skipped)
				}
			})
		})
	}
}

// TestAFirstRunWaitsUntilTheNextTick: then the tick has its chance, as any other. A first run on the phase is a skipped
// tick then, an extra one before the phase is not.
func TestAFirstRunWaitsUntilTheNextTick(t *testing.T) {
	for name, c := range map[string]struct {
		interval time.Duration
		lost     int // of its ticks, before the place comes free
	}{
		"on_the_phase": {interval: 4 * time.Second, lost: 2},
		"extra":        {interval: 8 * time.Second, lost: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r record
				begin := time.Now()
				// The next tick of the waiter comes 1 s after the place is free at the latest.
				waiter := nameWith(func(name string) bool {
					tick := nextTick(name, c.interval, begin).Sub(begin)
					return c.lost > 0 && tick > time.Second && tick < 2*time.Second || c.lost == 0 &&
						tick > 6*time.Second
				})
				holder := nameWith(func(name string) bool {
					return phase(name, 5*time.Second) < 100*time.Millisecond &&
						nextTick(name, time.Hour, begin).Sub(begin) > time.Minute
				})
				released := begin.Add(phase(holder, 5*time.Second)).Add(5900 * time.Millisecond)
				s := &scheduler.Scheduler{MaxConcurrent: 1, Observer: r.observer(), Jobs: []scheduler.Job{
					{Name: holder, Interval: time.Hour, Run: lasting(5900 * time.Millisecond)},
					{Name: waiter, Interval: c.interval, Run: nothing},
				}}
				runFor(t, s, 30*time.Second)

				if got := r.skipped(waiter, scheduler.SkipMaxConcurrent); got != c.lost || len(r.skips) != c.lost {
					t.Errorf("%d ticks skipped for want of a place, of %d; want %d", got, len(r.skips), c.lost)
				}
				want := released // an extra run, and the first of all
				if c.lost > 0 {
					want = nextTick(waiter, c.interval, released)
				}
				if got := r.startsOf(waiter); len(got) == 0 || !got[0].Equal(want) {
					t.Errorf("first run %v, want %v", got, want)
				}
			})
		})
	}
}

// TestAnExtraRunGivesWayToTheTick: a job whose extra run still waits runs at its tick, once.
func TestAnExtraRunGivesWayToTheTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		begin := time.Now()
		waiter := nameWith(func(name string) bool {
			tick := nextTick(name, time.Minute, begin).Sub(begin)
			return tick > 6*time.Second && tick < 9*time.Second
		})
		holder := nameWith(func(name string) bool {
			return phase(name, 5*time.Second) < phase(waiter, 5*time.Second) &&
				nextTick(name, time.Hour, begin).Sub(begin) > time.Minute
		})
		s := &scheduler.Scheduler{MaxConcurrent: 2, Observer: r.observer(), Jobs: []scheduler.Job{
			{Name: holder, Interval: time.Hour, Run: lasting(20 * time.Second)},
			{Name: waiter, Interval: time.Minute, Run: nothing},
		}}
		runFor(t, s, time.Minute)
		want := []time.Time{nextTick(waiter, time.Minute, begin)}
		if got := r.startsOf(waiter); !slices.EqualFunc(got, want, time.Time.Equal) || len(r.skips) != 0 {
			t.Errorf("runs at %v and %d skips, want one run at the tick, %v", got, len(r.skips), want)
		}
	})
}

// TestAnExtraRunThatIsStillGoingStandsForTheTick: a job of the start is not blamed for its own second run.
func TestAnExtraRunThatIsStillGoingStandsForTheTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		begin := time.Now()
		name := nameWith(func(name string) bool {
			tick := nextTick(name, time.Minute, begin).Sub(begin)
			return tick > 5*time.Second && tick < 7*time.Second
		})
		s := &scheduler.Scheduler{Observer: r.observer(), Jobs: []scheduler.Job{
			{Name: name, Interval: time.Minute, Run: lasting(10 * time.Second)}}}
		runFor(t, s, 3*time.Minute)
		tick := nextTick(name, time.Minute, begin)
		want := []time.Time{begin.Add(phase(name, 5*time.Second)), tick.Add(time.Minute), tick.Add(2 * time.Minute)}
		if got := r.startsOf(name); !slices.EqualFunc(got, want, time.Time.Equal) || len(r.skips) != 0 {
			t.Errorf("runs at %v and %d skips, want %v and none", got, len(r.skips), want)
		}
	})
}

// TestStopEndsWaitingFirstRuns: they neither begin nor keep the scheduler, and are no skipped ticks.
func TestStopEndsWaitingFirstRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{Jobs: manyJobs(100, time.Hour, 0), MaxConcurrent: 4, Observer: r.observer()}
		for i := range s.Jobs {
			s.Jobs[i].Run = untilStopped
		}
		begin := time.Now()
		runFor(t, s, 10*time.Second)
		time.Sleep(time.Hour)
		if len(r.starts) != 3 || len(r.skips) != 0 || s.InFlight() != 0 {
			t.Errorf("%d runs, %d skips, %d in flight, want 3, 0 and 0", len(r.starts), len(r.skips), s.InFlight())
		}
		if took := time.Since(begin) - time.Hour; took != 10*time.Second {
			t.Errorf("stopped after %v", took)
		}
	})
}

// nameWith returns a name whose hash has the phases that a test needs.
func nameWith(fits func(name string) bool) string {
	for i := 0; ; i++ {
		if name := fmt.Sprint("chat-", i); fits(name) {
			return name
		}
	}
}
