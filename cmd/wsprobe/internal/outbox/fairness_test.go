package outbox

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeferredIsNotForgottenBehindNews has a receiver that is never done: another batch comes with each that is sent.
func TestDeferredIsNotForgottenBehindNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *bench
		answer := func(word string, n int) Answer {
			if n == 0 {
				return Answer{Outcome: Deferred, ErrorType: "RESOURCE_EXHAUSTED", Doubtful: true}
			}
			time.Sleep(100 * time.Millisecond)
			fill(b.queue, "news")
			return Answer{Outcome: Accepted}
		}
		b = interleavedOf(t, "", answer)
		defer b.cancel()
		fill(b.queue, "late news")
		b.after(2 * time.Second)
		sent, at := b.sentSoFar()
		again := slices.Index(sent, "late accepted")
		if again < 0 || at[again] < firstPause || at[again] > firstPause+100*time.Millisecond {
			t.Errorf("requests %v at %v, want what was deferred to be sent again after %v", sent, at, firstPause)
		}
		b.change(accept)
		b.after(time.Second)
	})
}

// TestNewsDoNotWaitForALongBacklog has a receiver that takes 300 ms for each request.
func TestNewsDoNotWaitForALongBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := interleavedOf(t, "a b c d e f g h", func(string, int) Answer {
			time.Sleep(300 * time.Millisecond)
			return Answer{Outcome: Accepted}
		})
		defer b.cancel()
		b.after(time.Until(b.began.Add(500 * time.Millisecond)))
		b.queue.add(named("news", time.Now()))
		b.queue.persist(time.Now())
		b.after(time.Hour)
		// The news come at 0.5 s. They have waited for more than a second when f is done, at 1.8 s.
		want := "a b c d e f news g h"
		sent, _ := b.sentSoFar()
		if got := strings.ReplaceAll(strings.Join(sent, " "), " accepted", ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
