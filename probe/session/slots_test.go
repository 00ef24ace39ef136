package session

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestSlots: those that wait come in their order, a resize lets more in at once and fewer only as others leave, and one
// that stops waiting takes none.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		var in atomic.Int64
		var mu sync.Mutex
		var order []int
		for i := range 6 {
			go func() {
				if s.take(t.Context()) {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, i)
					in.Add(1)
				}
			}()
			synctest.Wait()
		}
		expect := func(what string, want int64) {
			t.Helper()
			if synctest.Wait(); in.Load() != want {
				t.Errorf("%s: %d came in, want %d", what, in.Load(), want)
			}
		}
		expect("one slot", 1)
		s.leave()
		expect("the first left", 2)
		s.resize(2)
		expect("two slots", 3)
		s.resize(1)
		s.leave()
		expect("two inside, one slot", 3)
		s.leave()
		expect("another left", 4)
		gone, stop := context.WithCancel(t.Context())
		var gave sync.WaitGroup
		gave.Go(func() {
			if s.take(gone) {
				t.Error("a slot for one that has stopped waiting")
			}
		})
		synctest.Wait()
		stop()
		gave.Wait()
		s.resize(9)
		expect("nine slots", 6)
		if !slices.Equal(order[:4], []int{0, 1, 2, 3}) { // the last two came in at once
			t.Errorf("came in as %v", order)
		}
		if len(s.waiting) != 0 || s.taken != 3 {
			t.Errorf("%d wait, %d slots are taken", len(s.waiting), s.taken)
		}
	})
}
