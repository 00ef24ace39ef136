package scheduler

import (
	"context"
	"sync"
	"time"
)

// task is one run.
type task struct {
	job Job
	due time.Duration // since the anchor
	at  int           // index of the job in the loop, whose goroutine alone touches it

	// These are guarded by the lock of running.
	state  *state // of the job, nil once the job is gone
	index  int    // in running.tasks
	cancel context.CancelFunc
}

// running are the runs that have begun and have not ended. A change of the jobs moves their states and ends some of them.
type running struct {
	mu    sync.Mutex
	tasks []*task
}

// add notes a run that begins.
func (r *running) add(job Job, at int, st *state, due time.Duration) *task {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &task{job: job, due: due, at: at, state: st, index: len(r.tasks)}
	r.tasks = append(r.tasks, t)
	return t
}

// remove notes the end of a run.
func (r *running) remove(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.tasks) - 1
	r.tasks[t.index] = r.tasks[last]
	r.tasks[t.index].index = t.index
	r.tasks[last] = nil
	r.tasks = r.tasks[:last]
	if t.state != nil {
		t.state.busy.Store(false)
	}
}

// context returns the context of a run, which ends with its job at the latest.
func (r *running) context(ctx context.Context, t *task) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.cancel = cancel; t.state == nil {
		cancel()
	}
	return ctx, cancel
}

// move marks the jobs busy in their states of after a change, and ends the runs of jobs that are gone.
func (r *running) move(after []int, states []state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tasks {
		if t.state == nil {
			continue // gone with a change before
		}
		if t.at = after[t.at]; t.at != gone {
			t.state = &states[t.at]
			t.state.busy.Store(true)
			continue
		}
		if t.state = nil; t.cancel != nil {
			t.cancel()
		}
	}
}
