package telemetry

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// gathered is a gatherer of small numbers in a bubble, each of which is a quarter of a batch long.
type gathered struct {
	*gatherer[byte]
	delay   time.Duration
	batches [][]byte
	at      []time.Duration
	lost    int
	began   time.Time
	cancel  context.CancelFunc
	done    chan struct{}
}

func newGathered() *gathered {
	g := &gathered{delay: gatherDelay, began: time.Now(), done: make(chan struct{})}
	g.gatherer = newGatherer(func(byte) int { return batchBytes / 4 }, func(items []byte) ([]byte, error) { return items, nil },
		func(n int) { g.lost += n })
	return g
}

// start runs the gatherer. Each batch is handed to a function, after it was noted.
func (g *gathered) start(t *testing.T, hand func()) {
	ctx, cancel := context.WithCancel(t.Context())
	g.cancel = cancel
	go func() {
		defer close(g.done)
		g.run(ctx, func() time.Duration { return g.delay }, func(b outbox.Batch) {
			items, err := b.Encode()
			if err != nil || b.Items != len(items) || !b.At.Equal(time.Now()) {
				t.Errorf("a batch of %d items at %v is %v, %v", b.Items, b.At, items, err)
			}
			g.batches = append(g.batches, items)
			g.at = append(g.at, time.Since(g.began))
			hand()
		})
	}()
}

// TestItemsAreGathered: what comes together travels together, in order, in batches of bounded size.
func TestItemsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathered()
		g.start(t, func() {})
		for i := range byte(3) {
			g.add(i)
		}
		time.Sleep(2 * time.Second)
		for i := range byte(10) {
			g.add(i)
		}
		time.Sleep(time.Second / 2)
		synctest.Wait()
		want := [][]byte{{0, 1, 2}, {0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}
		// A batch that is not full waits for a second, a full one for nothing.
		if !slices.EqualFunc(g.batches, want, slices.Equal) || !slices.Equal(g.at, seconds(1, 2, 2, 2)) {
			t.Errorf("batches %v at %v, want %v", g.batches, g.at, want)
		}
		g.cancel()
		<-g.done
		if g.bytes != 0 {
			t.Errorf("%d bytes wait", g.bytes)
		}
	})
}

// TestItemsWaitLongerBehindOthers: the delay is asked for with each batch.
func TestItemsWaitLongerBehindOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathered()
		g.start(t, func() {})
		g.add(1)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		g.delay = 10 * time.Second
		g.add(2)
		time.Sleep(5 * time.Second)
		g.add(3)
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(g.at, seconds(1, 11.5)) {
			t.Errorf("batches %v at %v", g.batches, g.at)
		}
		g.cancel()
		<-g.done
	})
}

// TestGathererIsBounded: while nobody takes batches the oldest items go, and are counted.
func TestGathererIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathered()
		room := 4 * gatherBytes / batchBytes
		for i := range room + 5 {
			g.add(byte(i))
		}
		if g.lost != 5 || g.bytes != gatherBytes {
			t.Errorf("lost %d, %d bytes wait", g.lost, g.bytes)
		}
		g.start(t, func() {})
		g.cancel()
		<-g.done
		if n := len(slices.Concat(g.batches...)); n != room || g.batches[0][0] != 5 {
			t.Errorf("%d handed over, the first is %v", n, g.batches[0][0])
		}
	})
}

// TestGathererStops: the stop waits for nothing, and hands over the last items.
func TestGathererStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathered()
		g.start(t, func() {})
		synctest.Wait()
		for i := range byte(6) {
			g.add(i)
		}
		synctest.Wait()
		g.cancel()
		<-g.done
		if n := len(slices.Concat(g.batches...)); n != 6 || time.Since(g.began) != 0 {
			t.Errorf("%d handed over after %v", n, time.Since(g.began))
		}
	})
}
