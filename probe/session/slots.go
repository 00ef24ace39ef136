package session

import (
	"context"
	"slices"
	"sync"
)

// slots are places of which there are so many, and the number can change. Those that wait for one get it in the order
// in which they came, so that nobody is passed over.
type slots struct {
	mu      sync.Mutex
	most    int
	taken   int
	waiting []chan struct{} // each is closed once it has a slot
}

func newSlots(most int) *slots { return &slots{most: most} }

// half is how many slots are for a part of those that want one.
func half(slots int) int { return (slots + 1) / 2 }

// take waits for a slot and takes it. It reports false if the context ends first.
func (s *slots) take(ctx context.Context) bool {
	s.mu.Lock()
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.admit()
	s.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := slices.Index(s.waiting, turn); at >= 0 {
		s.waiting = slices.Delete(s.waiting, at, at+1)
		return false
	}
	return true // it came at the same time
}

// leave gives a slot back.
func (s *slots) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.admit()
}

// resize makes it so many slots. Those that are taken stay taken.
func (s *slots) resize(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = most
	s.admit()
}

// admit gives slots to those that wait, as long as there are any. The caller holds the lock.
func (s *slots) admit() {
	for len(s.waiting) > 0 && s.taken < s.most {
		s.taken++
		close(s.waiting[0])
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
}
