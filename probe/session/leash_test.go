package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestLeash: it is a context, for its children and for those who wait.
func TestLeash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(leash)
		child, cancel := context.WithTimeout(l, time.Hour)
		defer cancel()
		calls := 0
		stop := context.AfterFunc(l, func() { calls += 100 })
		context.AfterFunc(l, func() { calls++ })
		if !stop() || stop() || l.Err() != nil || child.Err() != nil {
			t.Error("it has ended, or a call was not taken back once")
		}
		l.end()
		l.end()
		synctest.Wait()
		if l.Err() != context.Canceled || child.Err() != context.Canceled || context.Cause(l) != context.Canceled || calls != 1 {
			t.Errorf("%v, child %v, %d calls", l.Err(), child.Err(), calls)
		}
		<-l.Done()
		<-child.Done()
		late := make(chan bool)
		if stop := context.AfterFunc(l, func() { close(late) }); stop() {
			t.Error("a call after the end was taken back")
		}
		<-late
	})
}
