package scheduler_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// starve runs a job of interval next to one whose first skip, one second after its first run, holds up the
// scheduler for pause. This is what a starved or suspended process looks like from inside. It returns what was
// recorded, and the instants between which nothing could start.
func starve(t *testing.T, interval, pause time.Duration) (r *record, from, to time.Time) {
	t.Helper()
	r = new(record)
	observer := r.observer()
	tell := observer.Skipped
	observer.Skipped = func(job string, cause scheduler.Skip, ticks int) {
		tell(job, cause, ticks)
		if cause == scheduler.SkipOverlap && from.IsZero() {
			from = time.Now()
			time.Sleep(pause)
			to = time.Now()
		}
	}
	s := &scheduler.Scheduler{
		Jobs: []scheduler.Job{
			{Name: "stuck", Interval: time.Second, Run: untilStopped},
			{Name: "chat", Interval: interval, Run: nothing},
		},
		Observer: observer,
	}
	runFor(t, s, pause+2*time.Second+10*interval)
	if to.IsZero() || len(startsFrom(r, "chat", from)) < 2 {
		t.Fatal("the job did not run twice after the pause")
	}
	return r, from, to
}

func TestMissedTicksAreCountedAndTheLatestIsRun(t *testing.T) {
	const interval = 500 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		r, from, to := starve(t, interval, time.Hour)

		due := nextTick("chat", interval, from)
		missed := int(to.Sub(due) / interval) // one more was due, and that one is run
		if n := r.skipped("chat", scheduler.SkipMissed); n != missed {
			t.Errorf("%d ticks missed, want %d", n, missed)
		}
		latest := due.Add(time.Duration(missed) * interval)
		runs := startsFrom(r, "chat", from)
		if tick := runs[0].tick; !tick.Due.Equal(latest) || tick.Late != to.Sub(latest) || !runs[0].at.Equal(to) {
			t.Errorf("run at %v for %v, late %v; want %v for %v, late %v",
				runs[0].at, tick.Due, tick.Late, to, latest, to.Sub(latest))
		}
		for i, run := range runs[1:] {
			if want := latest.Add(time.Duration(i+1) * interval); !run.at.Equal(want) || run.tick.Late != 0 {
				t.Errorf("run %d after the pause at %v, want on the phase at %v", i+1, run.at, want)
			}
		}
		told := 0
		for _, s := range r.skips {
			if s.job == "chat" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told of missed ticks %d times, want once for all of them", told)
		}
	})
}

func TestALateTickIsRunAndToldItsLateness(t *testing.T) {
	const interval, pause = 5 * time.Second, 4999 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		r, from, to := starve(t, interval, pause)

		due := nextTick("chat", interval, from)
		if !due.Before(to) {
			t.Fatalf("due at %v, not in the pause that ended at %v", due, to)
		}
		runs := startsFrom(r, "chat", from)
		if tick := runs[0].tick; !tick.Due.Equal(due) || tick.Late != to.Sub(due) {
			t.Errorf("run for %v, late %v; want %v, late %v", tick.Due, tick.Late, due, to.Sub(due))
		}
		if want := due.Add(interval); !runs[1].at.Equal(want) || runs[1].tick.Late != 0 {
			t.Errorf("next run at %v, late %v; want %v, not late", runs[1].at, runs[1].tick.Late, want)
		}
		if n := r.skipped("chat", scheduler.SkipMissed); n != 0 {
			t.Errorf("%d ticks missed, want 0", n)
		}
	})
}

// startsFrom returns the runs of a job that began at or after an instant.
func startsFrom(r *record, job string, from time.Time) []start {
	var later []start
	for _, s := range r.starts {
		if s.job == job && !s.at.Before(from) {
			later = append(later, s)
		}
	}
	return later
}
