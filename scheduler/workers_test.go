package scheduler

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestWorkersTakeOneTaskAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Int32
		w := newWorkers(func(task) { done.Add(1) })
		before := runtime.NumGoroutine()
		for range 100 {
			w.do(task{})
			synctest.Wait()
		}
		if n := runtime.NumGoroutine() - before; n != 1 {
			t.Errorf("%d goroutines for tasks that follow each other, want 1", n)
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
		w := newWorkers(func(task) { <-release })
		before := runtime.NumGoroutine()
		for range 2 * maxIdle {
			w.do(task{})
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n != 2*maxIdle {
			t.Errorf("%d goroutines for %d tasks at once", n, 2*maxIdle)
		}
		close(release)
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n != maxIdle {
			t.Errorf("%d goroutines are left after a burst, want %d", n, maxIdle)
		}
		w.wait()
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n != 0 {
			t.Errorf("%d goroutines are left at the end", n)
		}
	})
}
