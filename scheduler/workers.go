package scheduler

import (
	"sync"
	"sync/atomic"
)

// maxIdle is how many workers may wait for a run. Those that a burst leaves behind beyond them end.
const maxIdle = 256

// workers are the goroutines in which jobs run. A goroutine that has ended a run waits for the next one. A new
// goroutine for each run would begin with the smallest of stacks, which is copied until it is large enough for a job.
// At thousands of runs a second that was a twentieth of their cost.
type workers struct {
	run     func(*task)
	all     sync.WaitGroup
	idle    chan *task // where idle workers wait; unbuffered, so that no task does
	waiting atomic.Int32
}

func newWorkers(run func(*task)) *workers { return &workers{run: run, idle: make(chan *task)} }

// do has a worker do the task, at once. Only one goroutine calls it.
func (w *workers) do(t *task) {
	select {
	case w.idle <- t:
	default:
		w.all.Go(func() { w.work(t) })
	}
}

// work does one task after the other.
func (w *workers) work(t *task) {
	for more := true; more; t, more = w.next() {
		w.run(t)
	}
}

// next waits for a task. There is none if enough workers wait, or if there will be no more.
func (w *workers) next() (*task, bool) {
	defer w.waiting.Add(-1)
	if w.waiting.Add(1) > maxIdle {
		return nil, false
	}
	t, more := <-w.idle
	return t, more
}

// wait returns when all tasks are done, and no worker is left. There can be no more tasks.
func (w *workers) wait() {
	close(w.idle)
	w.all.Wait()
}
