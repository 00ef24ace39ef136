package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: a Hub gives memory back once its opens have ceased, if there were many, and does not outlive its end.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := NewHub(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		hub.running = ctx
		state := func(opens int) (int, bool) {
			hub.mu.Lock()
			defer hub.mu.Unlock()
			for range opens {
				hub.opens++
				hub.restSoon()
			}
			return hub.opens, hub.resting
		}
		if _, resting := state(manyOpens - 1); resting {
			t.Error("it rests after few opens")
		}
		if _, resting := state(2); !resting {
			t.Error("it does not rest after many opens")
		}
		time.Sleep(calmTime + calmTime/2)
		state(1)
		time.Sleep(calmTime)
		if opens, resting := state(0); opens != manyOpens+2 || !resting {
			t.Errorf("%d opens, resting %t, although they go on", opens, resting)
		}
		time.Sleep(calmTime)
		if opens, resting := state(0); opens != 0 || resting {
			t.Errorf("%d opens, resting %t, although they have ceased", opens, resting)
		}
		state(manyOpens)
		cancel()
		hub.loops.Wait()
	})
}
