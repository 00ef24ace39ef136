package scheduler_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// record is what an observer was told, each with the time at which it was told.
type record struct {
	mu     sync.Mutex
	starts []start
	skips  []skip
}

type start struct {
	job  string
	tick scheduler.Tick
	at   time.Time
}

type skip struct {
	job   string
	cause scheduler.Skip
	ticks int
	at    time.Time
}

func (r *record) observer() scheduler.Observer {
	return scheduler.Observer{
		Started: func(job string, tick scheduler.Tick) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.starts = append(r.starts, start{job, tick, time.Now()})
		},
		Skipped: func(job string, cause scheduler.Skip, ticks int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.skips = append(r.skips, skip{job, cause, ticks, time.Now()})
		},
	}
}

// startsOf returns when the runs of one job began.
func (r *record) startsOf(job string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var at []time.Time
	for _, s := range r.starts {
		if s.job == job {
			at = append(at, s.at)
		}
	}
	return at
}

// skipped returns how many ticks of one job were skipped for one cause.
func (r *record) skipped(job string, cause scheduler.Skip) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.skips {
		if s.job == job && s.cause == cause {
			n += s.ticks
		}
	}
	return n
}

// runFor runs the scheduler inside a bubble and stops it after d.
func runFor(t *testing.T, s *scheduler.Scheduler, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatalf("Run returned %v, want nil after a stop", err)
	}
}

// phase is the documented rule, written a second time.
func phase(name string, interval time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(name))
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(interval))
}

// nextTick returns the first instant on the phase that is not before at.
func nextTick(name string, interval time.Duration, at time.Time) time.Time {
	wait := (phase(name, interval) - time.Duration(at.UnixNano())%interval + interval) % interval
	return at.Add(wait)
}

func nothing(context.Context, scheduler.Tick) {}

// lasting returns a Run that takes d, whatever the context says.
func lasting(d time.Duration) func(context.Context, scheduler.Tick) {
	return func(context.Context, scheduler.Tick) { time.Sleep(d) }
}

// untilStopped is a Run that hangs until the stop.
func untilStopped(ctx context.Context, _ scheduler.Tick) { <-ctx.Done() }
