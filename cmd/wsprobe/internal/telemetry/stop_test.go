package telemetry

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// hang takes as long as it is let, as a receiver does that never answers.
func hang(ctx context.Context, _ int) outbox.Answer {
	<-ctx.Done()
	return outbox.Answer{Outcome: outbox.Deferred, ErrorType: "CANCELLED", Message: ctx.Err().Error()}
}

func TestStopBudgetBoundsAReceiverThatHangs(t *testing.T) {
	for _, c := range []struct {
		name   string
		budget time.Duration
		stopAt time.Duration
	}{
		{"in flight", 2 * time.Second, 11 * time.Second},
		{"the last export", 2 * time.Second, 5 * time.Second},
		{"another budget", 700 * time.Millisecond, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stub{answer: hang}
				r := start(t, Options{Interval: 10 * time.Second, StopBudget: c.budget}, s)
				r.record()
				r.until(c.stopAt)
				if took := r.stop(t); took != c.budget {
					t.Errorf("the stop took %v, want %v", took, c.budget)
				}
				if len(s.calls) != 1 {
					t.Errorf("%d requests, want 1", len(s.calls))
				}
			})
		})
	}
}

func TestStopLetsTheExportInFlightEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: func(ctx context.Context, n int) outbox.Answer {
			if n > 0 {
				return outbox.Answer{Outcome: outbox.Accepted}
			}
			select {
			case <-time.After(2500 * time.Millisecond):
				return outbox.Answer{Outcome: outbox.Accepted}
			case <-ctx.Done():
				return hang(ctx, n)
			}
		}}
		r := start(t, Options{Interval: 10 * time.Second, StopBudget: 2 * time.Second}, s)
		r.record()
		r.until(11 * time.Second)
		r.record()
		if took, want := r.stop(t), 1500*time.Millisecond; took != want {
			t.Errorf("the stop took %v, want %v", took, want)
		}
		if got := s.delivered(); !slices.Equal(got, []float64{1, 2}) {
			t.Errorf("delivered %v, want the one in flight and the last one", got)
		}
	})
}

func TestStopDuringAPauseTriesAtOnce(t *testing.T) {
	for name, back := range map[string]bool{"back": true, "still away": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				until := 26 * time.Second
				if !back {
					until = time.Hour
				}
				s := &stub{answer: away(until)}
				r := start(t, Options{Interval: 10 * time.Second}, s)
				r.record()
				r.until(27 * time.Second) // after the try at 25 s, before that at 35 s
				if took := r.stop(t); took != 0 {
					t.Errorf("the stop took %v", took)
				}
				if got := s.delivered(); back != slices.Equal(got, []float64{1}) {
					t.Errorf("delivered %v", got)
				}
				if tries := len(s.calls); !back && tries != 6 {
					t.Errorf("%d tries, want 5 and a last one", tries)
				}
			})
		})
	}
}

func TestStopBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(stub)
		telemetry := newTest(t, Options{}, s)
		telemetry.probe(chat()).Record(good(midnight, time.Millisecond), unjudged)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := telemetry.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if got := s.delivered(); !slices.Equal(got, []float64{1}) {
			t.Errorf("delivered %v", got)
		}
	})
}

func TestStopWithAReceiverThatHangs(t *testing.T) {
	hanging := make(chan struct{}, 100)
	b := newBackend(t)
	b.answer(func(ctx context.Context, _ int) (*receiver.PartialSuccess, error) {
		hanging <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	b.start(t)
	log := newLogbook()
	e := exportTo(t, b, Options{StopBudget: 200 * time.Millisecond, Logger: log.logger()})
	record(e.probe(chat()), 10)
	<-hanging
	if took := e.end(t); took < 200*time.Millisecond {
		t.Errorf("the stop took %v and gave up before its budget of 200ms", took)
	}
	log.await(t, "stopped with data points undelivered")
}

func TestStopFlushes(t *testing.T) {
	b := newBackend(t).start(t)
	e := exportTo(t, b, Options{Interval: time.Hour})
	record(e.probe(chat()), 10)
	e.end(t)
	b.stop()
	checkRuns(t, b.points, "chat", 10)
	if b.requests != 1 {
		t.Errorf("%d requests, want 1", b.requests)
	}
}
