package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Job is a function that runs on an interval.
type Job struct {
	// Name tells the job from all others. Its hash is the job's phase, so a renamed job moves.
	Name string

	// Interval is the time between two ticks, more than 0.
	Interval time.Duration

	// Run is called once for each tick that is not skipped, in a goroutine that does one run after another. It must
	// return soon after ctx ends, which happens when the scheduler stops, or when [Scheduler.Replace] takes the job
	// away: a job that never returns keeps [Scheduler.Run] from returning. Runs of one job happen one after the other,
	// so what only they touch needs no lock. A panic is not caught.
	Run func(ctx context.Context, tick Tick)

	// Brief says that Run waits for nothing. Such a run takes no place of [Scheduler.MaxConcurrent], and needs none.
	Brief bool

	// Generation tells two jobs of the same name apart for [Scheduler.Replace]: it keeps a job whose Name, Interval and
	// Generation are the same.
	Generation uint64
}

// Tick is the instant for which a run was started.
type Tick struct {
	// Due is when the run should have begun. Its monotonic reading is exact. Its wall time is on the job's
	// phase, or that of an extra first run: what the clock would show had it not been stepped since the start. A first
	// run that waited for a place is due when it gets one.
	Due time.Time

	// Late is how long after Due the run really began. It is the agent's own delay, never the
	// endpoint's: usually a millisecond or less, more when the process was starved or suspended. The wait of a
	// first run for a place is meant, and no part of it.
	Late time.Duration
}

// Skip is why a tick passed without a run. Its text is fit for a metric attribute: the set is closed, see
// [Skips].
type Skip string

const (
	// SkipOverlap: the job's previous run was still going. The job is slower than its interval. A tick
	// that would not have found a place either has this cause too, as a place would not have helped it.
	SkipOverlap Skip = "overlap"

	// SkipMaxConcurrent: MaxConcurrent runs of other jobs were in flight. A first run that was due on the phase has
	// it if it found no place until the next tick.
	SkipMaxConcurrent Skip = "max_concurrent"

	// SkipMissed: the process was starved or suspended until a later tick of the same job was due. The
	// latest of these ticks is treated like any other, the ones before it are missed.
	SkipMissed Skip = "missed"
)

// Skips returns every cause.
func Skips() []Skip {
	return []Skip{SkipOverlap, SkipMaxConcurrent, SkipMissed}
}

// Observer is told what becomes of each tick. A nil func is not called.
type Observer struct {
	// Started is called in the goroutine of the run, right before the job's Run and with the same tick. It
	// is called by many runs at once, and its own time delays the run without being part of tick.Late.
	Started func(job string, tick Tick)

	// Skipped is called when ticks of a job are skipped: one tick, or for [SkipMissed] one or more at once.
	// It is called by the goroutine of [Scheduler.Run], one call at a time, and delays every start that is
	// due meanwhile.
	Skipped func(job string, cause Skip, ticks int)
}

// Scheduler runs jobs until it is told to stop. Fill in the fields, then call Run. The fields must not change
// while Run is running, but [Scheduler.Replace] and [Scheduler.SetMaxConcurrent] may be called then.
type Scheduler struct {
	// Jobs are the jobs to run. A scheduler without jobs just waits for the stop.
	Jobs []Job

	// MaxConcurrent is how many runs may be in flight at once; 0 or less means any number. It protects the
	// agent's sockets and memory. A tick that finds no place is skipped; only first runs wait.
	MaxConcurrent int

	// Observer is told about starts and skipped ticks.
	Observer Observer

	inFlight atomic.Int64

	replacing sync.Mutex // held by Replace, so that Jobs are those of the loop
	current   *loop      // nil while Run is not running
}

// Run starts the jobs at their ticks until ctx ends. Then it starts no more, waits for the runs in flight,
// whose context is ctx and has ended too, and returns nil.
//
// An error means that nothing was started: it names every job that has an empty name, the name of an earlier
// job, an interval that is not positive, or no Run.
//
// After Run has returned it may be called again, but not before.
func (s *Scheduler) Run(ctx context.Context) error {
	l, err := s.begin()
	if err != nil {
		return err
	}
	defer s.end()
	l.run(ctx)
	return nil
}

// begin makes the loop that Replace talks to.
func (s *Scheduler) begin() (*loop, error) {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	if err := check(s.Jobs); err != nil {
		return nil, err
	}
	s.current = newLoop(s)
	return s.current, nil
}

func (s *Scheduler) end() {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	s.current = nil
}

// InFlight returns the number of runs that have been started and have not returned. It may be called at any
// time, by anyone.
func (s *Scheduler) InFlight() int {
	return int(s.inFlight.Load())
}

// check returns every reason why the jobs cannot run.
func check(jobs []Job) error {
	var errs []error
	refuse := func(i int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("scheduler: job %d %s", i, fmt.Sprintf(format, args...)))
	}
	byName := make(map[string]int, len(jobs))
	for i, job := range jobs {
		if job.Name == "" {
			refuse(i, "has no name")
		} else if first, taken := byName[job.Name]; taken {
			refuse(i, "has the name of job %d: %q", first, job.Name)
		} else {
			byName[job.Name] = i
		}
		if job.Interval <= 0 {
			refuse(i, "(%q): interval must be positive, got %v", job.Name, job.Interval)
		}
		if job.Run == nil {
			refuse(i, "(%q) has no Run", job.Name)
		}
	}
	return errors.Join(errs...)
}
