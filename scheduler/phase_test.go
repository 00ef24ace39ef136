package scheduler_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

var intervals = []time.Duration{
	time.Second, 1500 * time.Millisecond, 5 * time.Second, 5*time.Second + 1, 7 * time.Second, 10 * time.Second,
	30 * time.Second, time.Minute, 7 * time.Minute, time.Hour, 24 * time.Hour,
}

func TestRunsOnThePhaseAndAgainAfterARestart(t *testing.T) {
	for _, interval := range intervals {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 3 {
					onPhase(t, "chat", interval)
					time.Sleep(1234567891 * time.Nanosecond) // down for a time that is no multiple of anything
				}
			})
		})
	}
}

// onPhase runs one job for a while and compares every run with the phase.
func onPhase(t *testing.T, name string, interval time.Duration) {
	t.Helper()
	var r record
	s := &scheduler.Scheduler{
		Jobs:     []scheduler.Job{{Name: name, Interval: interval, Run: nothing}},
		Observer: r.observer(),
	}
	begin := time.Now()
	runFor(t, s, 5*time.Second+4*interval)

	want := nextTick(name, interval, begin)
	got := r.starts
	if len(got) < 4 {
		t.Fatalf("%d runs, want at least 4", len(got))
	}
	if want.Sub(begin) > 5*time.Second {
		got = got[1:] // the extra first run, see TestFirstRun
	}
	for i, run := range got {
		if !run.at.Equal(want) || !run.tick.Due.Equal(want) || run.tick.Late != 0 {
			t.Errorf("run %d at %v, due %v, late %v; want %v", i, run.at, run.tick.Due, run.tick.Late, want)
		}
		want = want.Add(interval)
	}
}

func TestFirstRun(t *testing.T) {
	for _, interval := range intervals {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1234567891 * time.Nanosecond)
				firstRuns(t, interval)
			})
		})
	}
}

// firstRuns compares the first two runs of many jobs with the documented rule.
func firstRuns(t *testing.T, interval time.Duration) {
	t.Helper()
	var r record
	s := &scheduler.Scheduler{Observer: r.observer()}
	for i := range 50 {
		s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint("chat-", i), Interval: interval, Run: nothing})
	}
	begin := time.Now()
	runFor(t, s, 5*time.Second+2*interval)

	for _, job := range s.Jobs {
		tick := nextTick(job.Name, interval, begin)
		first, second := tick, tick.Add(interval)
		if tick.Sub(begin) > 5*time.Second {
			first, second = begin.Add(phase(job.Name, 5*time.Second)), tick
		}
		got := r.startsOf(job.Name)
		if len(got) < 2 {
			t.Fatalf("%s ran %d times, want at least 2", job.Name, len(got))
		}
		if !got[0].Equal(first) || !got[1].Equal(second) {
			t.Errorf("%s first ran after %v and %v, want %v and %v", job.Name,
				got[0].Sub(begin), got[1].Sub(begin), first.Sub(begin), second.Sub(begin))
		}
		if wait := got[0].Sub(begin); wait > min(interval, 5*time.Second) {
			t.Errorf("%s first ran after %v", job.Name, wait)
		}
	}
}

func TestNoDriftOverManySlowRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{
			Jobs:     []scheduler.Job{{Name: "slow", Interval: time.Second, Run: lasting(999 * time.Millisecond)}},
			Observer: r.observer(),
		}
		begin := time.Now()
		runFor(t, s, 10_000*time.Second)

		if len(r.starts) != 10_000 || len(r.skips) != 0 {
			t.Fatalf("%d runs and %d skips, want 10000 and 0", len(r.starts), len(r.skips))
		}
		last := begin.Add(phase("slow", time.Second) + 9_999*time.Second)
		if got := r.starts[9_999].at; !got.Equal(last) {
			t.Errorf("run 10000 at %v, want %v", got, last)
		}
	})
}

// TestDueIsOnTheMonotonicClock runs in real time, as the clock of a bubble has no monotonic reading.
func TestDueIsOnTheMonotonicClock(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var due time.Time
	s := &scheduler.Scheduler{Jobs: []scheduler.Job{{
		Name: "chat", Interval: time.Millisecond,
		Run: func(_ context.Context, tick scheduler.Tick) {
			due = tick.Due
			stop()
		},
	}}}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	// Round(0) strips the monotonic reading; a time without one would move when the wall clock is stepped.
	if due == due.Round(0) {
		t.Errorf("due %v has no monotonic reading", due)
	}
	if into := time.Duration(due.UnixNano()) % time.Millisecond; into != phase("chat", time.Millisecond) {
		t.Errorf("due %v into the interval by the wall clock, want the phase, %v", into,
			phase("chat", time.Millisecond))
	}
}
