package scheduler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQueueHasTheEarliestJobAtItsRoot(t *testing.T) {
	for _, size := range []int{1, 2, 3, 10, 1000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(size)))
			q := make(queue, size)
			due := make([]time.Duration, size) // of each job, kept without a heap
			for i := range q {
				due[i] = time.Duration(random.IntN(size)) // some of them equal
				q[i] = entry{due: due[i], job: i}
			}
			q.order()
			for range 10 * size {
				if want := slices.Min(due); q.due() != want || due[q[0].job] != want {
					t.Fatalf("job %d at the root, due %v, want a job due %v", q[0].job, q.due(), want)
				}
				job, next := q[0].job, q.due()+time.Duration(random.IntN(size))
				due[job] = next
				q.postpone(next)
			}
			seen := make(map[int]bool)
			for _, e := range q {
				seen[e.job] = true
			}
			if len(seen) != size {
				t.Errorf("%d jobs left of %d", len(seen), size)
			}
		})
	}
}

func TestEmptyQueueIsNeverDue(t *testing.T) {
	q := queue{}
	q.order()
	if q.due() != never {
		t.Errorf("due %v, want never", q.due())
	}
}
