package spool

import (
	"errors"
	"sync"
	"time"
)

// ErrStuck says that the file system has not answered a call, of this caller or of an earlier one. It can come back by
// itself.
var ErrStuck = errors.New("the file system does not answer")

// calls performs calls of the file system one after another, in a goroutine that lives as long as there are any. A
// caller leaves when its call takes too long. Until that call has returned, nobody waits for another one.
type calls struct {
	mu      sync.Mutex
	waiting []func()
	busy    bool // the goroutine lives
	left    int  // calls that have not returned, and whose callers have left
}

// call is one call that somebody waits for.
type call struct {
	run  func()
	undo func() // takes the effect of run back if the caller has left; or nil

	left, ended bool // at most one, ever; under the lock of the calls
}

// do performs a call and waits for it, as long as patience. The error is [ErrStuck], or nil if the call was performed
// and is not taken back.
func (c *calls) do(one *call, patience time.Duration) error {
	if c.stuck() {
		return ErrStuck
	}
	ended := make(chan struct{})
	c.later(func() {
		c.perform(one)
		close(ended)
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if one.ended {
		return nil
	}
	one.left = true
	c.left++
	return ErrStuck
}

// perform performs a call, in the goroutine. It takes the call back if the caller has left.
func (c *calls) perform(one *call) {
	if !c.abandoned(one) {
		one.run()
	}
	c.mu.Lock()
	one.ended = !one.left
	c.mu.Unlock()
	if one.ended {
		return
	}
	if one.undo != nil {
		one.undo()
	}
	c.mu.Lock()
	c.left--
	c.mu.Unlock()
}

// abandoned reports whether the caller has left.
func (c *calls) abandoned(one *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return one.left
}

// stuck reports whether there is a call that has not returned in time.
func (c *calls) stuck() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left > 0
}

// later hands a call over. It waits for nothing.
func (c *calls) later(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, f)
	if !c.busy {
		c.busy = true
		go c.work()
	}
}

// work performs calls until there are none.
func (c *calls) work() {
	for {
		c.mu.Lock()
		if len(c.waiting) == 0 {
			c.busy, c.waiting = false, nil
			c.mu.Unlock()
			return
		}
		next := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.mu.Unlock()
		next()
	}
}
