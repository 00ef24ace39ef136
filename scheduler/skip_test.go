package scheduler_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

func TestOverlapIsSkippedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{
			Jobs:     []scheduler.Job{{Name: "slow", Interval: time.Second, Run: lasting(2500 * time.Millisecond)}},
			Observer: r.observer(),
		}
		first := time.Now().Add(phase("slow", time.Second))
		runFor(t, s, 9*time.Second) // nine ticks

		want := []time.Time{first, first.Add(3 * time.Second), first.Add(6 * time.Second)}
		if got := r.startsOf("slow"); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("runs at %v, want %v", got, want)
		}
		if n := r.skipped("slow", scheduler.SkipOverlap); n != 6 || len(r.skips) != 6 {
			t.Errorf("%d ticks skipped for overlap among %d, want 6 among 6", n, len(r.skips))
		}
		if at := r.skips[0].at; !at.Equal(first.Add(time.Second)) {
			t.Errorf("first skip told at %v, want at the tick, %v", at, first.Add(time.Second))
		}
	})
}

func TestMaxConcurrentIsSkippedAndCountedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{
			Jobs: []scheduler.Job{
				{Name: "holder", Interval: 5 * time.Second, Run: lasting(4 * time.Second)},
				{Name: "other", Interval: time.Second, Run: nothing},
			},
			MaxConcurrent: 1,
			Observer:      r.observer(),
		}
		begin := time.Now()
		runFor(t, s, 15*time.Second)

		// The holder has the only place for 4 of every 5 seconds.
		held := phase("holder", 5*time.Second)
		var want []time.Time
		for due := phase("other", time.Second); due < 15*time.Second; due += time.Second {
			if into := (due - held + 5*time.Second) % (5 * time.Second); due < held || into >= 4*time.Second {
				want = append(want, begin.Add(due))
			}
		}
		if got := r.startsOf("other"); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("runs at %v, want %v", got, want)
		}
		if n := r.skipped("other", scheduler.SkipMaxConcurrent); n != 15-len(want) || n != len(r.skips) {
			t.Errorf("%d ticks without a place among %d skips, want %d and no others", n, len(r.skips), 15-len(want))
		}
	})
}

func TestOverlapIsTheCauseEvenWithoutAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{
			Jobs:          []scheduler.Job{{Name: "stuck", Interval: time.Second, Run: untilStopped}},
			MaxConcurrent: 1,
			Observer:      r.observer(),
		}
		runFor(t, s, 10*time.Second)
		if n := r.skipped("stuck", scheduler.SkipOverlap); n != 9 || len(r.skips) != 9 {
			t.Errorf("%d ticks skipped for overlap among %d, want 9 among 9", n, len(r.skips))
		}
	})
}

// TestABriefJobNeedsNoPlace: it runs at each tick while other jobs have all places, and takes none from them.
func TestABriefJobNeedsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		most := 0
		s := &scheduler.Scheduler{MaxConcurrent: 1, Observer: r.observer()}
		look := func(context.Context, scheduler.Tick) { most = max(most, s.InFlight()) }
		s.Jobs = []scheduler.Job{
			{Name: "stuck", Interval: time.Second, Run: untilStopped},
			{Name: "brief", Interval: time.Second, Brief: true, Run: look},
		}
		runFor(t, s, time.Minute)
		if n := len(r.startsOf("brief")); n < 59 || r.skipped("brief", scheduler.SkipMaxConcurrent) > 0 {
			t.Errorf("%d runs, %d skipped", n, r.skipped("brief", scheduler.SkipMaxConcurrent))
		}
		if most != 1 {
			t.Errorf("%d in flight, want 1: the stuck one", most)
		}
	})
}

func TestZeroMaxConcurrentIsNoBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scheduler.Scheduler{}
		for i := range 1000 {
			s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint(i), Interval: time.Minute, Run: untilStopped})
		}
		var inFlight atomic.Int64
		time.AfterFunc(5500*time.Millisecond, func() { inFlight.Store(int64(s.InFlight())) })
		runFor(t, s, 6*time.Second)
		if n := inFlight.Load(); n != 1000 {
			t.Errorf("%d in flight, want 1000", n)
		}
	})
}

func TestAStuckJobDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{
			Jobs:     []scheduler.Job{{Name: "stuck", Interval: time.Second, Run: untilStopped}},
			Observer: r.observer(),
		}
		for i := range 100 {
			s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint(i), Interval: time.Second, Run: nothing})
		}
		runFor(t, s, 60*time.Second)
		if len(r.starts) != 1+100*60 {
			t.Errorf("%d runs, want 1 of the stuck job and 60 of each other", len(r.starts))
		}
		for _, run := range r.starts {
			if run.tick.Late != 0 {
				t.Fatalf("%s was late by %v", run.job, run.tick.Late)
			}
		}
	})
}

func TestARunThatLeavesByGoexitGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		leave := func(context.Context, scheduler.Tick) { runtime.Goexit() }
		s := &scheduler.Scheduler{
			Jobs:          []scheduler.Job{{Name: "leaver", Interval: time.Second, Run: leave}},
			MaxConcurrent: 1,
			Observer:      r.observer(),
		}
		runFor(t, s, 5*time.Second)
		if len(r.starts) != 5 || s.InFlight() != 0 {
			t.Errorf("%d runs, %d in flight, want 5 and 0", len(r.starts), s.InFlight())
		}
	})
}

// TestCausesAreForever pins what dashboards and alerts select by.
func TestCausesAreForever(t *testing.T) {
	want := []scheduler.Skip{"overlap", "max_concurrent", "missed"}
	if got := scheduler.Skips(); !slices.Equal(got, want) {
		t.Errorf("Skips() = %q, want %q", got, want)
	}
}
