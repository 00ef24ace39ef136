package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a delivery alone, with batches that are words.
type bench struct {
	*delivery
	began  time.Time
	cancel context.CancelFunc

	mu     sync.Mutex
	answer func(word string, n int) verdict
	sent   []string // each request: its word and what became of it
	times  []time.Duration
	seen   int // how many of them the test knows of
}

// deliveryOf is a delivery in strict order.
func deliveryOf(t *testing.T, words string, answer func(word string, n int) verdict) *bench {
	t.Helper()
	return benchOf(t, words, false, answer)
}

// interleavedOf is a delivery in which news take turns with a backlog.
func interleavedOf(t *testing.T, words string, answer func(word string, n int) verdict) *bench {
	t.Helper()
	return benchOf(t, words, true, answer)
}

func benchOf(t *testing.T, words string, interleave bool, answer func(word string, n int) verdict) *bench {
	t.Helper()
	agent := newAgent(nil, nil)
	b := &bench{began: time.Now(), answer: answer}
	b.delivery = &delivery{
		queue: newQueue(limits{memory: 1 << 20}, nil, agent.drop), agent: agent, health: newHealth(),
		log: newLimitedLog(slog.New(slog.DiscardHandler)), spread: 1,
		interleave: interleave, patience: time.Second, recent: time.Minute,
	}
	b.send = func(_ context.Context, c content) verdict {
		name := c.packed
		if c.data != nil {
			name, _ = packName(c.data)
		}
		word := strings.TrimRight(string(name), ".")
		b.mu.Lock()
		n, at, answer := len(b.sent), time.Since(b.began), b.answer
		b.mu.Unlock()
		v := answer(word, n)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sent = append(b.sent, word+" "+string(v.outcome))
		b.times = append(b.times, at)
		return v
	}
	fill(b.queue, words)
	b.queue.settle(time.Now(), packName)
	ctx, cancel := context.WithCancel(t.Context())
	b.cancel = cancel
	go b.run(ctx, nil)
	synctest.Wait()
	sent, _ := b.requests()
	b.seen = len(sent)
	return b
}

// after lets time pass and returns the requests since it was called last: what a test did just before can have
// caused one already.
func (b *bench) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	all, _ := b.requests()
	news := all[b.seen:]
	b.seen = len(all)
	return news
}

// requests returns all requests so far and their times.
func (b *bench) requests() ([]string, []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent), slices.Clone(b.times)
}

// change changes the receiver's mind.
func (b *bench) change(answer func(string, int) verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

func accept(string, int) verdict { return verdict{outcome: Accepted} }

func unavailable(string, int) verdict { return verdict{outcome: Deferred, errorType: "UNAVAILABLE"} }

func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deliveryOf(t, "a b", unavailable)
		defer b.cancel()
		b.after(36 * time.Second)
		if _, got := b.requests(); !slices.Equal(got, seconds(0, 1, 3, 7, 15, 25, 35)) {
			t.Errorf("tries at %v", got)
		}
		b.change(accept)
		b.after(9 * time.Second)
		b.change(unavailable)
		fill(b.queue, "c")
		b.after(3 * time.Second)
		if _, got := b.requests(); !slices.Equal(got[7:], seconds(45, 45, 45, 46, 48)) {
			t.Errorf("tries at %v: the pauses begin again after a success", got[7:])
		}
	})
}

func TestPauseIsSpread(t *testing.T) {
	low, high := 2.0, 0.0
	for i := range 1000 {
		f := spreadOf(strings.Repeat("x", i))
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
			b := deliveryOf(t, "a", func(_ string, n int) verdict {
				if n == 0 {
					return verdict{outcome: Deferred, retryAfter: c.asked}
				}
				return verdict{outcome: Accepted}
			})
			defer b.cancel()
			b.after(time.Hour)
			if _, got := b.requests(); !slices.Equal(got, []time.Duration{0, c.want}) {
				t.Errorf("asked for %v: tries at %v, want the second at %v", c.asked, got, c.want)
			}
		})
	}
}

func TestRejectedIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deliveryOf(t, "a b c", func(word string, _ int) verdict {
			if word == "b" {
				return verdict{outcome: Rejected, errorType: "INVALID_ARGUMENT", message: "no"}
			}
			return verdict{outcome: Accepted}
		})
		defer b.cancel()
		b.after(time.Hour)
		if got, _ := b.requests(); !slices.Equal(got, []string{"a accepted", "b rejected", "c accepted"}) {
			t.Errorf("got %v", got)
		}
		if b.agent.sent != 2 || b.agent.dropped[DropRejected] != 1 || b.agent.requests[requestKind{Rejected, "INVALID_ARGUMENT"}] != 1 {
			t.Errorf("counted %+v", b.agent)
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
			b := deliveryOf(t, "", func(string, int) verdict { return verdict{outcome: Partial, rejected: c.rejected} })
			defer b.cancel()
			b.queue.add(&batch{points: 5, collected: time.Now()})
			got := b.after(time.Hour)
			if len(got) != 1 || b.agent.sent != int64(c.sent) || b.agent.dropped[DropRejected] != int64(c.dropped) {
				t.Errorf("%d rejected: %v, %d sent, %v dropped", c.rejected, got, b.agent.sent, b.agent.dropped)
			}
			if h := b.health.get(); h.OK != c.ok {
				t.Errorf("%d of 5 rejected: health %+v", c.rejected, h)
			}
		})
	}
}

// tooLarge is a receiver that accepts everything but one request.
func tooLarge(word string, _ int) verdict {
	if word == "large" {
		return verdict{outcome: Deferred, errorType: "RESOURCE_EXHAUSTED", doubtful: true}
	}
	return verdict{outcome: Accepted}
}

func TestOneRequestDoesNotBlockTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "large b c", tooLarge)
		defer b.cancel()
		if got, _ := b.requests(); !slices.Equal(got, []string{"large deferred", "b accepted", "c accepted"}) {
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
		if strikes != maxStrikes || b.agent.dropped[DropRejected] != 1 {
			t.Errorf("given up after %d strikes, dropped %v", strikes, b.agent.dropped)
		}
	})
}

// TestReceiverThatRefusesEveryOtherRequest accepts each request at some time, so none may be given up.
func TestReceiverThatRefusesEveryOtherRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "a b c d e f g", func(_ string, n int) verdict {
			if n%2 == 0 {
				return verdict{outcome: Deferred, errorType: "RESOURCE_EXHAUSTED", doubtful: true}
			}
			return verdict{outcome: Accepted}
		})
		defer b.cancel()
		for range 50 {
			fill(b.queue, "x y")
			b.after(10 * time.Second)
		}
		if waiting, _ := b.queue.points(); waiting > 1 || b.agent.sent+int64(waiting) != 107 {
			t.Errorf("%d sent, %d waiting, %v dropped, of 107", b.agent.sent, waiting, b.agent.dropped)
		}
	})
}

// TestOverloadIsNotTheRequestsFault has a receiver that refuses everything in words that could mean one
// request.
func TestOverloadIsNotTheRequestsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "a b c", func(string, int) verdict {
			return verdict{outcome: Deferred, errorType: "RESOURCE_EXHAUSTED", doubtful: true}
		})
		defer b.cancel()
		b.after(time.Hour)
		got, _ := b.requests()
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
	for name, refusal := range map[string]verdict{
		"away":       {outcome: Deferred, errorType: "UNAVAILABLE"},
		"overloaded": {outcome: Deferred, errorType: "RESOURCE_EXHAUSTED", doubtful: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := deliveryOf(t, "a b c", func(_ string, n int) verdict {
					if n < 5 {
						return refusal
					}
					return verdict{outcome: Accepted}
				})
				defer b.cancel()
				b.after(time.Hour)
				want := []string{"a deferred", "a deferred", "a deferred", "a deferred", "a deferred", "a accepted", "b accepted", "c accepted"}
				if got, _ := b.requests(); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}

// TestRepeatedIsNoLoss: a request whose answer was lost is repeated; that it is refused then is no news for anybody.
func TestRepeatedIsNoLoss(t *testing.T) {
	rejected := verdict{outcome: Rejected, errorType: "400", message: "out of order sample"}
	for name, c := range map[string]struct {
		first verdict
		cause DropCause
	}{
		"the answer was lost": {verdict{outcome: Deferred, errorType: "DEADLINE_EXCEEDED", unanswered: true}, DropRepeated},
		"it was not sent":     {verdict{outcome: Deferred, errorType: "UNAVAILABLE"}, DropRejected},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := deliveryOf(t, "a b", func(_ string, n int) verdict {
					return []verdict{c.first, rejected, {outcome: Accepted}}[n]
				})
				defer b.cancel()
				b.after(time.Minute)
				dropped := map[DropCause]int64{DropRejected: b.agent.dropped[DropRejected], DropRepeated: b.agent.dropped[DropRepeated]}
				if dropped[c.cause] != 1 || dropped[DropRejected]+dropped[DropRepeated] != 1 {
					t.Errorf("dropped %v, want 1 as %s", dropped, c.cause)
				}
				if told := !b.health.get().Refusal.At.IsZero(); told != (c.cause == DropRejected) {
					t.Errorf("people are told: %v", told)
				}
			})
		})
	}
}

// TestRefusalIsToldForAWhile: a request that is refused for good is told for 15 minutes, and is a failure of the export only if
// nothing was accepted for two intervals.
func TestRefusalIsToldForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth()
		h.grace = 20 * time.Second
		rejected := verdict{outcome: Rejected, errorType: "400", message: "out of order sample"}
		note := func(v verdict) Health { h.note(time.Now(), 100, v, false); return h.get() }
		note(verdict{outcome: Accepted})
		time.Sleep(10 * time.Second)
		if got := note(rejected); !got.OK || got.Refusal != (Refusal{time.Now(), 100, "400: out of order sample"}) {
			t.Errorf("after one: %+v", got)
		}
		time.Sleep(10 * time.Second)
		if got := note(rejected); got.OK || got.Refusal.Points != 200 {
			t.Errorf("20 s without one that was accepted: %+v", got)
		}
		if got := note(verdict{outcome: Accepted}); !got.OK || got.Refusal.Points != 200 {
			t.Errorf("accepted again: %+v", got)
		}
		time.Sleep(toldFor - 1)
		if got := h.get(); got.Refusal.At.IsZero() {
			t.Error("not told any more before its time")
		}
		time.Sleep(time.Nanosecond)
		if got := h.get(); !got.Refusal.At.IsZero() {
			t.Errorf("told for too long: %+v", got)
		}
	})
}
