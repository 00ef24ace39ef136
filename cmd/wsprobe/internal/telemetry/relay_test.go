package telemetry

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// relayed is a relay of numbers in a bubble, each of which is a quarter of a request long.
type relayed struct {
	relay[int]
	answers  func(n int) verdict // of the n-th request, from 0
	requests [][]int
	at       []time.Duration
	lost     map[DropCause]int
	arrived  int
}

func newRelayed(answers func(n int) verdict) *relayed {
	r := &relayed{answers: answers, lost: make(map[DropCause]int)}
	began := time.Now()
	r.relay = relay[int]{
		size: func(int) int { return batchBytes / 4 },
		send: func(_ context.Context, items []int) verdict {
			r.requests = append(r.requests, items)
			r.at = append(r.at, time.Since(began))
			return r.answers(len(r.requests) - 1)
		},
		spread: 1,
		sent:   func(n int) { r.arrived += n },
		drop:   func(cause DropCause, n int) { r.lost[cause] += n },
		report: func(verdict, int) {},
		wake:   make(chan struct{}, 1),
		full:   make(chan struct{}, 1),
	}
	return r
}

func always(o Outcome) func(int) verdict { return func(int) verdict { return verdict{outcome: o} } }

// TestRelayCutsIntoRequests: what comes together travels together, in order, in requests of bounded size.
func TestRelayCutsIntoRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(always(Accepted))
		last, done := make(chan struct{}), make(chan int, 1)
		go func() { done <- r.run(t.Context(), last) }()
		for i := range 3 {
			r.add(i)
		}
		time.Sleep(2 * time.Second)
		for i := range 10 {
			r.add(i)
		}
		time.Sleep(time.Second / 2)
		synctest.Wait()
		want := [][]int{{0, 1, 2}, {0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}
		// A request that is not whole waits for a second, a whole one for nothing.
		if !slices.EqualFunc(r.requests, want, slices.Equal) || !slices.Equal(r.at, seconds(1, 2, 2, 2)) {
			t.Errorf("requests %v at %v, want %v", r.requests, r.at, want)
		}
		close(last)
		if left := <-done; left != 0 || r.arrived != 13 || r.bytes != 0 {
			t.Errorf("left %d, arrived %d, %d bytes waiting", left, r.arrived, r.bytes)
		}
	})
}

// TestRelayTriesAgain: a refusal that can pass is followed by the same request after a pause that grows, or that the
// receiver asks for.
func TestRelayTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(func(n int) verdict {
			if n == 2 {
				return verdict{outcome: Deferred, retryAfter: time.Minute}
			}
			return verdict{outcome: []Outcome{Deferred, Deferred, Deferred, Accepted, Accepted}[n]}
		})
		last, done := make(chan struct{}), make(chan int, 1)
		go func() { done <- r.run(t.Context(), last) }()
		r.add(1)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if want := seconds(1, 2, 4, 64); !slices.Equal(r.at, want) || r.arrived != 1 {
			t.Errorf("requests at %v, want %v; %d arrived", r.at, want, r.arrived)
		}
		close(last)
		<-done
	})
}

// TestRelayGivesUp: what the receiver does not want is counted, and is not in the way of what comes after it.
func TestRelayGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		answer   verdict
		requests int
		lost     int
	}{
		"rejected":            {verdict{outcome: Rejected}, 1, 4},
		"partly":              {verdict{outcome: Partial, rejected: 3}, 1, 3},
		"more_than_all":       {verdict{outcome: Partial, rejected: 30}, 1, 4},
		"deferred_for_ever":   {verdict{outcome: Deferred, doubtful: true}, maxStrikes, 4},
		"accepted_is_no_loss": {verdict{outcome: Accepted}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRelayed(func(int) verdict { return c.answer })
				last, done := make(chan struct{}), make(chan int, 1)
				go func() { done <- r.run(t.Context(), last) }()
				for i := range 4 {
					r.add(i)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if len(r.requests) != c.requests || r.lost[DropRejected] != c.lost || r.arrived != 4-c.lost {
					t.Errorf("%d requests, lost %v, %d arrived", len(r.requests), r.lost, r.arrived)
				}
				close(last)
				<-done
			})
		})
	}
}

// TestRelayIsBounded: while the receiver is away the oldest go first, and are counted.
func TestRelayIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(always(Accepted))
		room := 4 * relayBytes / batchBytes
		for i := range room + 5 {
			r.add(i)
		}
		if r.lost[DropQueueFull] != 5 || r.bytes != relayBytes {
			t.Errorf("lost %v, %d bytes waiting", r.lost, r.bytes)
		}
		last := make(chan struct{})
		close(last)
		if left := r.run(t.Context(), last); left != 0 || r.arrived != room || r.requests[0][0] != 5 {
			t.Errorf("left %d, %d arrived, the first is %v", left, r.arrived, r.requests[0][0])
		}
	})
}

// TestRelayStops: the stop does not wait for a pause, but ends with its budget; what is left is told.
func TestRelayStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(always(Deferred))
		ctx, cancel := context.WithCancel(t.Context())
		last, done := make(chan struct{}), make(chan int, 1)
		go func() { done <- r.run(ctx, last) }()
		for i := range 6 {
			r.add(i)
		}
		time.Sleep(30 * time.Second) // in the middle of a pause of 10 s
		synctest.Wait()
		tried := len(r.requests)
		close(last)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if more := len(r.requests) - tried; more < 5 || more > 20 {
			t.Errorf("%d tries in the last 2 s", more)
		}
		cancel()
		if left := <-done; left != 6 || r.arrived != 0 {
			t.Errorf("left %d, %d arrived", left, r.arrived)
		}
	})
}
