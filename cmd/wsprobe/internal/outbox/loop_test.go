package outbox

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
)

// TestBatchesGoOnWhileAReceiverHangs: a request that takes long does not hold up those who add batches.
func TestBatchesGoOnWhileAReceiverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: func(_ context.Context, n int) Answer {
			if n == 0 {
				time.Sleep(25 * time.Second)
			}
			return Answer{Outcome: Accepted}
		}}
		r := start(t, 10*time.Second, Options{}, s)
		for i := range 3 {
			r.record()
			r.until(time.Duration(i+1) * 10 * time.Second)
		}
		if waiting := r.Backlog(); waiting.Batches != 3 || waiting.Age != 20*time.Second {
			t.Errorf("the backlog: %+v", waiting)
		}
		r.until(36 * time.Second)
		r.stop(t)
		if got, want := r.times(s), seconds(10, 35, 35, 36); !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
		if got := s.delivered(); !slices.Equal(got, []byte{1, 2, 3}) {
			t.Errorf("delivered %v", got)
		}
	})
}

// TestOnlyWhatWaitsIsPacked: a batch that gets through at once is encoded once, and neither compressed nor written.
func TestOnlyWhatWaitsIsPacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *running
		var unsaved []bool // of each request
		comesBack := away(31 * time.Second)
		s := &stub{answer: func(ctx context.Context, n int) Answer {
			r.queue.mu.Lock()
			unsaved = append(unsaved, r.queue.sending.unsaved())
			r.queue.mu.Unlock()
			return comesBack(ctx, n)
		}}
		r = start(t, 10*time.Second, Options{}, s)
		for i := range 4 {
			r.until(time.Duration(i) * 10 * time.Second)
			r.record()
		}
		r.until(41 * time.Second)
		r.stop(t)
		// At 10 s the first try, then after 1, 2, 4, 8 and 10 s; at 35 s all that waits.
		if got, want := r.times(s), seconds(10, 11, 13, 17, 25, 35, 35, 35, 40, 41); !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
		want := []bool{true, false, false, false, false, false, false, false, true, true}
		if !slices.Equal(unsaved, want) {
			t.Errorf("unsaved when it was sent: %v, want %v", unsaved, want)
		}
		if got := s.delivered(); !slices.Equal(got, []byte{1, 2, 3, 4}) {
			t.Errorf("delivered %v, want all in order", got)
		}
	})
}

// TestBatchIsEncodedOnce: neither another try nor the persistence encodes a batch again.
func TestBatchIsEncodedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: away(15 * time.Second)}
		r := start(t, time.Hour, Options{Dir: t.TempDir()}, s)
		encoded := 0
		r.Add(Batch{Encode: func() ([]byte, error) { encoded++; return []byte{7}, nil }, Items: 1, At: time.Now()})
		r.until(time.Minute)
		r.stop(t)
		if got := s.delivered(); encoded != 1 || !slices.Equal(got, []byte{7}) {
			t.Errorf("encoded %d times, delivered %v", encoded, got)
		}
	})
}

func TestMemoryIsBoundedInALongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: away(105 * time.Second)}
		// Room for three packed batches of one number.
		room := 3 * int64(packedSize(t, 1)+batchOverhead)
		r := start(t, 10*time.Second, Options{MemoryBytes: room}, s)
		for i := range 11 {
			r.record()
			r.until(time.Duration(i+1) * 10 * time.Second)
		}
		r.until(119 * time.Second)
		r.stop(t)
		// At 105 s those of 80, 90 and 100 s are there.
		if got := s.delivered(); !slices.Equal(got, []byte{8, 9, 10, 11}) {
			t.Errorf("delivered %v, want the newest", got)
		}
		if n := r.counts.dropped[DropQueueFull]; n == 0 {
			t.Error("nothing was counted as dropped")
		}
	})
}

// TestFewBatchesAreInMemory has a receiver that takes a moment for each request: Add goes on no faster.
func TestFewBatchesAreInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *running
		most := 0
		s := &stub{answer: func(context.Context, int) Answer {
			time.Sleep(10 * time.Millisecond)
			unsaved, _, _ := r.queue.unsaved()
			most = max(most, unsaved)
			return Answer{Outcome: Accepted}
		}}
		r = start(t, time.Minute, Options{}, s)
		for range 50 {
			r.record()
			r.collect()
		}
		r.until(time.Second)
		r.stop(t)
		if n := len(s.delivered()); n != 50 || most != maxUnsaved {
			t.Errorf("%d numbers, at most %d batches in memory, want %d", n, most, maxUnsaved)
		}
	})
}

func TestDropsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(logtest.Log)
		o := Options{MemoryBytes: int64(packedSize(t, 1)) + batchOverhead, Log: logger(log)}
		r := start(t, time.Second, o, &stub{answer: away(time.Hour)})
		r.record()
		r.until(3 * time.Second)
		r.stop(t)
		for _, want := range []string{`msg="data points dropped: queue_full" points=`, `msg="stopped with data points undelivered"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s was not logged:\n%s", want, log)
			}
		}
	})
}

func TestStopBudgetBoundsAReceiverThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: hang}
		r := start(t, 10*time.Second, Options{}, s)
		r.record()
		r.until(11 * time.Second)
		if took := r.stop(t); took != stopBudget || len(s.calls) != 1 {
			t.Errorf("the stop took %v and %d requests, want %v and 1", took, len(s.calls), stopBudget)
		}
	})
}

// TestStopDuringAPauseTriesAtOnce: the stop does not wait for the end of a pause.
func TestStopDuringAPauseTriesAtOnce(t *testing.T) {
	for name, back := range map[string]bool{"back": true, "still away": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				until := 26 * time.Second
				if !back {
					until = time.Hour
				}
				s := &stub{answer: away(until)}
				r := start(t, 10*time.Second, Options{}, s)
				r.record()
				r.until(27 * time.Second) // after the try at 25 s, before that at 35 s
				if took := r.stop(t); took != 0 {
					t.Errorf("the stop took %v", took)
				}
				if got := s.delivered(); back != slices.Equal(got, []byte{1}) {
					t.Errorf("delivered %v", got)
				}
				if tries := len(s.calls); !back && tries != 6 {
					t.Errorf("%d tries, want 5 and a last one", tries)
				}
			})
		})
	}
}
