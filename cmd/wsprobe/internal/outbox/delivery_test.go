package outbox

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a delivery alone, with batches that are words.
type bench struct {
	*Outbox
	*counts
	began  time.Time
	cancel context.CancelFunc

	mu     sync.Mutex
	answer func(word string, n int) Answer
	sent   []string // each request: its word and what became of it
	times  []time.Duration
	seen   int // how many of them the test knows of
}

// deliveryOf is a delivery in strict order.
func deliveryOf(t *testing.T, words string, answer func(word string, n int) Answer) *bench {
	t.Helper()
	return benchOf(t, words, false, answer)
}

// interleavedOf is a delivery in which news take turns with a backlog.
func interleavedOf(t *testing.T, words string, answer func(word string, n int) Answer) *bench {
	t.Helper()
	return benchOf(t, words, true, answer)
}

func benchOf(t *testing.T, words string, interleave bool, answer func(word string, n int) Answer) *bench {
	t.Helper()
	b := &bench{counts: &counts{}, began: time.Now(), answer: answer}
	b.Outbox = newOutbox(Options{
		MemoryBytes: 1 << 20, Interleave: interleave, Patience: time.Second, Recent: time.Minute, Observer: b.observer(),
		Send: func(_ context.Context, request []byte) Answer { return b.take(string(request)) },
	})
	fill(b.queue, words)
	b.queue.persist(time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	b.cancel = cancel
	go b.delivery.run(ctx, nil)
	synctest.Wait()
	sent, _ := b.sentSoFar()
	b.seen = len(sent)
	return b
}

// take is the receiver.
func (b *bench) take(word string) Answer {
	b.mu.Lock()
	n, at, answer := len(b.sent), time.Since(b.began), b.answer
	b.mu.Unlock()
	a := answer(word, n)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, word+" "+string(a.Outcome))
	b.times = append(b.times, at)
	return a
}

// after lets time pass and returns the requests since it was called last: what a test did just before can have
// caused one already.
func (b *bench) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	all, _ := b.sentSoFar()
	news := all[b.seen:]
	b.seen = len(all)
	return news
}

// sentSoFar returns all requests so far and their times.
func (b *bench) sentSoFar() ([]string, []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent), slices.Clone(b.times)
}

// change changes the receiver's mind.
func (b *bench) change(answer func(string, int) Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

func accept(string, int) Answer { return Answer{Outcome: Accepted} }

func unavailable(string, int) Answer { return Answer{Outcome: Deferred, ErrorType: "UNAVAILABLE"} }

func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deliveryOf(t, "a b", unavailable)
		defer b.cancel()
		b.after(36 * time.Second)
		if _, got := b.sentSoFar(); !slices.Equal(got, seconds(0, 1, 3, 7, 15, 25, 35)) {
			t.Errorf("tries at %v", got)
		}
		b.change(accept)
		b.after(9 * time.Second)
		b.change(unavailable)
		fill(b.queue, "c")
		b.after(3 * time.Second)
		if _, got := b.sentSoFar(); !slices.Equal(got[7:], seconds(45, 45, 45, 46, 48)) {
			t.Errorf("tries at %v: the pauses begin again after a success", got[7:])
		}
	})
}

func TestPauseIsSpread(t *testing.T) {
	low, high := 2.0, 0.0
	for i := range 1000 {
		f := Spread(strings.Repeat("x", i))
		low, high = min(low, f), max(high, f)
	}
	if low < 0.8 || low > 0.82 || high > 1.2 || high < 1.18 {
		t.Errorf("factors from %v to %v, want 0.8 to 1.2", low, high)
	}
	d := &delivery{spread: 1.2, fails: 3}
	if got, want := d.pause(0), 4800*time.Millisecond; got != want {
		t.Errorf("pause %v, want %v", got, want)
	}
}

func TestReceiverCanAskForMoreTime(t *testing.T) {
	for _, c := range []struct{ asked, want time.Duration }{
		{0, time.Second}, {100 * time.Millisecond, time.Second}, {42 * time.Second, 42 * time.Second}, {time.Hour, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := deliveryOf(t, "a", func(_ string, n int) Answer {
				if n == 0 {
					return Answer{Outcome: Deferred, RetryAfter: c.asked}
				}
				return Answer{Outcome: Accepted}
			})
			defer b.cancel()
			b.after(time.Hour)
			if _, got := b.sentSoFar(); !slices.Equal(got, []time.Duration{0, c.want}) {
				t.Errorf("asked for %v: tries at %v, want the second at %v", c.asked, got, c.want)
			}
		})
	}
}

func TestRejectedIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deliveryOf(t, "a b c", func(word string, _ int) Answer {
			if word == "b" {
				return Answer{Outcome: Rejected, ErrorType: "INVALID_ARGUMENT", Message: "no"}
			}
			return Answer{Outcome: Accepted}
		})
		defer b.cancel()
		b.after(time.Hour)
		if got, _ := b.sentSoFar(); !slices.Equal(got, []string{"a accepted", "b rejected", "c accepted"}) {
			t.Errorf("got %v", got)
		}
		if b.counts.sent != 2 || b.counts.dropped[DropRejected] != 1 || b.counts.requests["rejected INVALID_ARGUMENT"] != 1 {
			t.Errorf("counted %+v", b.counts)
		}
	})
}

func TestPartialSuccessIsNotTriedAgain(t *testing.T) {
	for _, c := range []struct {
		rejected, sent, dropped int
		ok                      bool
	}{
		{1, 4, 1, true}, {5, 0, 5, false}, {99, 0, 5, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := deliveryOf(t, "", func(string, int) Answer { return Answer{Outcome: Partial, Rejected: c.rejected} })
			defer b.cancel()
			five := named("", time.Now())
			five.items = 5
			b.queue.add(five)
			got := b.after(time.Hour)
			if len(got) != 1 || b.counts.sent != c.sent || b.counts.dropped[DropRejected] != c.dropped {
				t.Errorf("%d rejected: %v, %d sent, %v dropped", c.rejected, got, b.counts.sent, b.counts.dropped)
			}
			if h := b.State(); h.OK != c.ok {
				t.Errorf("%d of 5 rejected: state %+v", c.rejected, h)
			}
		})
	}
}

// tooLarge is a receiver that accepts everything but one request.
func tooLarge(word string, _ int) Answer {
	if word == "large" {
		return Answer{Outcome: Deferred, ErrorType: "RESOURCE_EXHAUSTED", Doubtful: true}
	}
	return Answer{Outcome: Accepted}
}

func TestOneRequestDoesNotBlockTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "large b c", tooLarge)
		defer b.cancel()
		if got, _ := b.sentSoFar(); !slices.Equal(got, []string{"large deferred", "b accepted", "c accepted"}) {
			t.Errorf("at once: got %v", got)
		}
		if got := b.after(time.Second); !slices.Equal(got, []string{"large deferred"}) {
			t.Errorf("alone: got %v", got)
		}
		strikes := 1
		for ; strikes < 100; strikes++ {
			fill(b.queue, "news")
			got := b.after(2 * time.Minute) // tried alone until the next come
			if !slices.Contains(got, "news accepted") {
				t.Fatalf("after %d strikes the others wait: %v", strikes, got)
			}
			if !slices.Contains(got, "large deferred") {
				break
			}
		}
		if strikes != maxStrikes || b.counts.dropped[DropRejected] != 1 {
			t.Errorf("given up after %d strikes, dropped %v", strikes, b.counts.dropped)
		}
	})
}

// TestReceiverThatRefusesEveryOtherRequest accepts each request at some time, so none may be given up.
func TestReceiverThatRefusesEveryOtherRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "a b c d e f g", func(_ string, n int) Answer {
			if n%2 == 0 {
				return Answer{Outcome: Deferred, ErrorType: "RESOURCE_EXHAUSTED", Doubtful: true}
			}
			return Answer{Outcome: Accepted}
		})
		defer b.cancel()
		for range 50 {
			fill(b.queue, "x y")
			b.after(10 * time.Second)
		}
		if waiting, _ := b.queue.items(); waiting > 1 || b.counts.sent+waiting != 107 {
			t.Errorf("%d sent, %d waiting, %v dropped, of 107", b.counts.sent, waiting, b.counts.dropped)
		}
	})
}

// TestOverloadIsNotTheRequestsFault has a receiver that refuses everything in words that could mean one
// request.
func TestOverloadIsNotTheRequestsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "a b c", func(string, int) Answer {
			return Answer{Outcome: Deferred, ErrorType: "RESOURCE_EXHAUSTED", Doubtful: true}
		})
		defer b.cancel()
		b.after(time.Hour)
		got, _ := b.sentSoFar()
		if want := []string{"a deferred", "b deferred", "a deferred", "b deferred"}; !slices.Equal(got[:4], want) {
			t.Errorf("got %v, want %v", got[:4], want)
		}
		b.change(accept)
		if got, want := b.after(10*time.Second), []string{"a accepted", "b accepted", "c accepted"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestStrictOrder: no batch overtakes another, whatever the receiver says of the first.
func TestStrictOrder(t *testing.T) {
	for name, refusal := range map[string]Answer{
		"away":       {Outcome: Deferred, ErrorType: "UNAVAILABLE"},
		"overloaded": {Outcome: Deferred, ErrorType: "RESOURCE_EXHAUSTED", Doubtful: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := deliveryOf(t, "a b c", func(_ string, n int) Answer {
					if n < 5 {
						return refusal
					}
					return Answer{Outcome: Accepted}
				})
				defer b.cancel()
				b.after(time.Hour)
				want := []string{"a deferred", "a deferred", "a deferred", "a deferred", "a deferred", "a accepted", "b accepted", "c accepted"}
				if got, _ := b.sentSoFar(); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}

// TestRepeatedIsNoLoss: a request whose answer was lost is repeated; that it is refused then is no news for anybody.
func TestRepeatedIsNoLoss(t *testing.T) {
	rejected := Answer{Outcome: Rejected, ErrorType: "400", Message: "out of order sample"}
	for name, c := range map[string]struct {
		first Answer
		cause DropCause
	}{
		"the answer was lost": {Answer{Outcome: Deferred, ErrorType: "DEADLINE_EXCEEDED", Unanswered: true}, DropRepeated},
		"it was not sent":     {Answer{Outcome: Deferred, ErrorType: "UNAVAILABLE"}, DropRejected},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := deliveryOf(t, "a b", func(_ string, n int) Answer {
					return []Answer{c.first, rejected, {Outcome: Accepted}}[n]
				})
				defer b.cancel()
				b.after(time.Minute)
				dropped := map[DropCause]int{DropRejected: b.counts.dropped[DropRejected], DropRepeated: b.counts.dropped[DropRepeated]}
				if dropped[c.cause] != 1 || dropped[DropRejected]+dropped[DropRepeated] != 1 {
					t.Errorf("dropped %v, want 1 as %s", dropped, c.cause)
				}
				if told := !b.State().Refusal.At.IsZero(); told != (c.cause == DropRejected) {
					t.Errorf("people are told: %v", told)
				}
			})
		})
	}
}

// TestRefusalIsToldForAWhile: a request that is refused for good is told for 15 minutes, and is a failure of the export
// only if nothing was accepted for two intervals.
func TestRefusalIsToldForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTracker(newPace(Options{Grace: 20 * time.Second}))
		rejected := Answer{Outcome: Rejected, ErrorType: "400", Message: "out of order sample"}
		note := func(a Answer) State { h.note(time.Now(), 100, a, false); return h.get() }
		note(Answer{Outcome: Accepted})
		time.Sleep(10 * time.Second)
		if got := note(rejected); !got.OK || got.Refusal != (Refusal{time.Now(), 100, "400: out of order sample"}) {
			t.Errorf("after one: %+v", got)
		}
		time.Sleep(10 * time.Second)
		if got := note(rejected); got.OK || got.Refusal.Items != 200 {
			t.Errorf("20 s without one that was accepted: %+v", got)
		}
		if got := note(Answer{Outcome: Accepted}); !got.OK || got.Refusal.Items != 200 {
			t.Errorf("accepted again: %+v", got)
		}
		time.Sleep(refusalShown - 1)
		if got := h.get(); got.Refusal.At.IsZero() {
			t.Error("not told any more before its time")
		}
		time.Sleep(time.Nanosecond)
		if got := h.get(); !got.Refusal.At.IsZero() {
			t.Errorf("told for too long: %+v", got)
		}
	})
}
