package outbox

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// halve is a splitter of numbers.
func halve(request []byte) ([]Part, error) {
	if len(request) < 2 {
		return nil, nil
	}
	middle := len(request) / 2
	return []Part{{request[:middle], middle}, {request[middle:], len(request) - middle}}, nil
}

// TestPoisonedRequestIsSplitAndGivenUp has a receiver that never takes the number 5. The other half of its request
// arrives, and what comes later waits for minutes and not for a day.
func TestPoisonedRequestIsSplitAndGivenUp(t *testing.T) {
	own := Answer{Outcome: Deferred, ErrorType: "RESOURCE_EXHAUSTED", Doubtful: true}
	size := Answer{Outcome: Deferred, ErrorType: "413", Doubtful: true, TooLarge: true}
	for name, c := range map[string]struct {
		answer  Answer
		split   func([]byte) ([]Part, error)
		want    []byte
		refused int
	}{
		"for a reason that can be its own": {own, halve, []byte{1, 2, 3, 4, 9}, 2 * maxStrikes},
		"for its size":                     {size, halve, []byte{1, 2, 3, 4, 6, 7, 8, 9}, 4},
		"for a reason that can be its own, and cannot be split": {own, nil, []byte{9}, maxStrikes},
		"for its size, and cannot be split":                     {size, nil, []byte{9}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counts := &counts{}
				var arrived []byte
				refused := 0
				box := newOutbox(Options{MemoryBytes: 1 << 20, Split: c.split, Observer: counts.observer(), Send: func(_ context.Context, request []byte) Answer {
					if slices.Contains(request, 5) {
						refused++
						return c.answer
					}
					arrived = append(arrived, request...)
					return Answer{Outcome: Accepted}
				}})
				for _, request := range [][]byte{{1, 2, 3, 4, 5, 6, 7, 8}, {9}} {
					b := named(string(request), time.Now())
					b.items = len(request)
					box.queue.add(b)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go box.delivery.run(ctx, nil)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if !slices.Equal(arrived, c.want) || refused != c.refused {
					t.Errorf("%v arrived after %d refusals, want %v after %d", arrived, refused, c.want, c.refused)
				}
				if lost := 9 - len(c.want); counts.dropped[DropRejected] != lost || counts.sent != len(c.want) {
					t.Errorf("%d dropped, %d sent, want %d and %d", counts.dropped[DropRejected], counts.sent, lost, len(c.want))
				}
				if waiting, _ := box.queue.items(); waiting != 0 || box.State().Refusal.Items == 0 {
					t.Errorf("%d items wait; told %+v", waiting, box.State().Refusal)
				}
			})
		})
	}
}
