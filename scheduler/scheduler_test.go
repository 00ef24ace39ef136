package scheduler_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

func TestUnusableJobsAreRefused(t *testing.T) {
	good := scheduler.Job{Name: "good", Interval: time.Second, Run: nothing}
	tests := map[string]struct {
		bad  scheduler.Job
		want string
	}{
		"empty name":     {scheduler.Job{Interval: time.Second, Run: nothing}, `job 1 has no name`},
		"duplicate name": {good, `job 1 has the name of job 0: "good"`},
		"zero interval":  {scheduler.Job{Name: "x", Run: nothing}, `job 1 ("x"): interval must be positive, got 0s`},
		"negative interval": {scheduler.Job{Name: "x", Interval: -1, Run: nothing},
			`job 1 ("x"): interval must be positive, got -1ns`},
		"nil Run": {scheduler.Job{Name: "x", Interval: time.Second}, `job 1 ("x") has no Run`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &scheduler.Scheduler{Jobs: []scheduler.Job{good, test.bad}}
			err := s.Run(t.Context())
			if err == nil || err.Error() != "scheduler: "+test.want {
				t.Errorf("Run returned %v, want %q", err, test.want)
			}
		})
	}
}

func TestEveryUnusableJobIsNamedAtOnce(t *testing.T) {
	s := &scheduler.Scheduler{Jobs: []scheduler.Job{{}, {Name: "x"}}}
	err := s.Run(t.Context())
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("Run returned %v, want five faults", err)
	}
}

func TestStopWaitsForRunsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		s := &scheduler.Scheduler{Jobs: []scheduler.Job{{
			Name: "lingerer", Interval: time.Second,
			Run: func(ctx context.Context, _ scheduler.Tick) {
				<-ctx.Done()
				ended = ctx.Err()
				time.Sleep(3 * time.Second)
			},
		}}}
		begin := time.Now()
		var inFlight atomic.Int64
		time.AfterFunc(12*time.Second, func() { inFlight.Store(int64(s.InFlight())) })
		runFor(t, s, 10*time.Second)

		if took := time.Since(begin); took != 13*time.Second {
			t.Errorf("Run returned after %v, want 3s after the stop at 10s", took)
		}
		if ended != context.DeadlineExceeded {
			t.Errorf("the run's context ended with %v", ended)
		}
		if n := inFlight.Load(); n != 1 || s.InFlight() != 0 {
			t.Errorf("%d in flight after the stop and %d in the end, want 1 and 0", n, s.InFlight())
		}
	})
}

func TestNothingStartsAfterTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		s := &scheduler.Scheduler{
			Jobs:     []scheduler.Job{{Name: "lingerer", Interval: time.Second, Run: lasting(time.Minute)}},
			Observer: r.observer(),
		}
		for i := range 100 {
			s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint(i), Interval: time.Second, Run: nothing})
		}
		stop := time.Now().Add(10 * time.Second)
		runFor(t, s, 10*time.Second)

		if took := time.Since(stop); took < 49*time.Second {
			t.Fatalf("Run returned %v after the stop, too early for this test to mean anything", took)
		}
		if len(r.starts) != 1+100*10 {
			t.Errorf("%d runs, want %d", len(r.starts), 1+100*10)
		}
		for _, run := range r.starts {
			if run.at.After(stop) {
				t.Errorf("%s began %v after the stop", run.job, run.at.Sub(stop))
			}
		}
	})
}

func TestTheStopEndsABurstOfDueJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var r record
		observer := r.observer()
		observer.Skipped = func(string, scheduler.Skip, int) {
			time.Sleep(time.Second) // by now every job is due
			stop()
		}
		s := &scheduler.Scheduler{
			Jobs:     []scheduler.Job{{Name: "stuck", Interval: time.Second, Run: untilStopped}},
			Observer: observer,
		}
		for i := range 100 {
			s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint(i), Interval: time.Second, Run: nothing})
		}
		begin := time.Now()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		skip := begin.Add(phase("stuck", time.Second) + time.Second)
		for _, run := range r.starts {
			if run.at.After(skip) {
				t.Errorf("%s began %v after the loop was held up, want nothing once it goes on", run.job,
					run.at.Sub(skip))
			}
		}
	})
}

func TestNothingStartsWhenStoppedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var r record
	s := &scheduler.Scheduler{Observer: r.observer()}
	for i := range 1000 {
		s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint(i), Interval: 1, Run: nothing})
	}
	if err := s.Run(ctx); err != nil || len(r.starts)+len(r.skips) != 0 {
		t.Errorf("Run returned %v after %d starts and %d skips, want none", err, len(r.starts), len(r.skips))
	}
}

func TestWithoutJobsRunWaitsForTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		runFor(t, &scheduler.Scheduler{}, time.Hour)
		if took := time.Since(begin); took != time.Hour {
			t.Errorf("Run returned after %v, want at the stop after 1h", took)
		}
	})
}

func TestRunMayBeCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0 // without a lock: runs of one job never overlap
		s := &scheduler.Scheduler{Jobs: []scheduler.Job{{
			Name: "chat", Interval: time.Second,
			Run: func(context.Context, scheduler.Tick) { runs++ },
		}}}
		runFor(t, s, 10*time.Second)
		runFor(t, s, 10*time.Second)
		if runs != 20 {
			t.Errorf("%d runs, want 20", runs)
		}
	})
}

// TestAPanicEndsTheProcess runs itself in a process of its own, which it expects to crash.
func TestAPanicEndsTheProcess(t *testing.T) {
	const inside = "SCHEDULER_TEST_PANIC"
	if os.Getenv(inside) != "" {
		s := &scheduler.Scheduler{Jobs: []scheduler.Job{{
			Name: "bad", Interval: time.Millisecond,
			Run: func(context.Context, scheduler.Tick) { panic("a bug in a job") },
		}}}
		_ = s.Run(t.Context())
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: a bug in a job") {
		t.Errorf("the process ended with %v, want a crash:\n%s", err, out)
	}
}
