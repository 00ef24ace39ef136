package session

import "time"

// queue are members that wait for a slot to open. Slots bounds how many of them open at a time, beside the slots of the
// Hub, or is nil.
//
// Endpoints that do not answer hold a slot for a whole timeout, again and again. So the members whose last open timed out
// get half of the slots at most, and each queue has its turn: those that were open are soon back after a cut.
type queue struct {
	members []*member
	slots   *slots
}

// outcome is that of the opens of a member so far.
type outcome uint8

const (
	none     outcome = iota
	wasOpen          // and has not timed out since
	timedOut         // the last one
	kinds
)

// after is the outcome after one more open, which a time bounded.
func (o outcome) after(succeeded bool, took, timeout time.Duration) outcome {
	switch {
	case succeeded:
		return wasOpen
	case took >= timeout/2:
		return timedOut
	case o == timedOut:
		return none
	default:
		return o
	}
}

// admission is what a member has that may open now.
type admission struct {
	slot bool // one of the Hub
	more bool // one of the queue of those that timed out, which alone has any
}

// want has a member open as soon as there is a slot.
func (h *Hub) want(m *member) {
	q := &h.queues[m.life.outcome]
	if q.members = append(q.members, m); len(q.members) == 1 {
		h.loops.Go(func() { h.admit(q) })
	}
}

// admit lets members open, each with a slot: as many goroutines that wait for one would cost a stack each.
func (h *Hub) admit(q *queue) {
	for last := false; !last; {
		admitted := h.admission(q)
		h.mu.Lock()
		m := q.members[0]
		q.members = q.members[1:]
		h.opens++
		if last = len(q.members) == 0; last {
			q.members = nil
			h.restSoon()
		}
		h.mu.Unlock()
		m.life.admitted = admitted
		go m.proceed(nil)
	}
}

// admission waits for the slots that a member of a queue needs. It has none at the end of Run, with which the members
// end at once.
func (h *Hub) admission(q *queue) (a admission) {
	if q.slots != nil {
		if !q.slots.take(h.running) {
			return admission{}
		}
		a.more = true
	}
	if !h.slots.take(h.running) {
		a.leave(h)
		return admission{}
	}
	a.slot = true
	return a
}

// leave gives the slots back.
func (a admission) leave(h *Hub) {
	if a.slot {
		h.slots.leave()
	}
	if a.more {
		h.queues[timedOut].slots.leave()
	}
}
