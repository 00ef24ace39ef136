package scheduler

import (
	"context"
	"testing"
	"time"
)

func TestARunWhoseTurnComesAfterTheStopDoesNotBegin(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	job := Job{Name: "chat", Interval: 1, Run: func(context.Context, Tick) { t.Error("began after the stop") }}
	l := newLoop(&Scheduler{Jobs: []Job{job}})
	runs := newWorkers(func(t *task) { l.start(ctx, t) })
	stop()
	l.keep(time.Second, runs) // the loop decided before the stop, and the goroutine gets its turn after it
	runs.wait()
	if n := l.InFlight(); n != 0 {
		t.Errorf("%d in flight, want 0", n)
	}
}
