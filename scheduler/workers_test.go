package scheduler

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestWorkersTakeOneTaskAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Int32
		w := newWorkers(func(*task) { done.Add(1) })
		for range 100 {
			w.do(&task{})
			synctest.Wait()
		}
		if n := w.waiting.Load(); n != 1 {
			t.Errorf("%d workers for tasks that follow each other, want 1", n)
		}
		w.wait()
		if n := done.Load(); n != 100 {
			t.Errorf("%d of 100 tasks were done", n)
		}
	})
}

func TestNoMoreWorkersWaitThanShall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var running atomic.Int32
		w := newWorkers(func(*task) { running.Add(1); <-release })
		for range 2 * maxIdle {
			w.do(&task{})
		}
		synctest.Wait()
		if n := running.Load(); n != 2*maxIdle {
			t.Errorf("%d workers for %d tasks at once", n, 2*maxIdle)
		}
		close(release)
		synctest.Wait()
		if n := w.waiting.Load(); n != maxIdle {
			t.Errorf("%d workers are left after a burst, want %d", n, maxIdle)
		}
		w.wait()
		if n := w.waiting.Load(); n != 0 {
			t.Errorf("%d workers wait at the end", n)
		}
	})
}
