package scheduler

import "time"

// queue is a binary heap of all jobs by their next due instant. The job at the root is due, and is put off until its next
// tick. A change of the jobs makes a queue anew. So one operation is all that is needed of a heap, it allocates nothing,
// and container/heap would be more code here than less.
type queue []entry

// entry is one waiting job: 16 bytes. The due instant is kept here and not in the job's state, so that a walk
// through the heap stays within the heap's memory.
type entry struct {
	due time.Duration // since the anchor
	job int           // index of the loop's jobs
}

// due returns the earliest due instant.
func (q queue) due() time.Duration {
	if len(q) == 0 {
		return never
	}
	return q[0].due
}

// postpone makes the job at the root due at a later instant.
func (q queue) postpone(due time.Duration) {
	q[0].due = due
	q.sink(0)
}

// order makes a heap of entries in any order.
func (q queue) order() {
	for i := len(q)/2 - 1; i >= 0; i-- {
		q.sink(i)
	}
}

// sink moves the entry at i down to where no entry below it is due earlier.
func (q queue) sink(i int) {
	e := q[i]
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if right := child + 1; right < len(q) && q[right].due < q[child].due {
			child = right
		}
		if e.due <= q[child].due {
			break
		}
		q[i] = q[child]
		i = child
	}
	q[i] = e
}
