package session

import "time"

// place is where a holder stands in the timers of its poller.
type place struct {
	at    time.Time // when it wants to be served
	index int       // in the heap, from 1; 0 for none
}

// timers is a heap of holders by their times, see package container/heap.
type timers []*holder

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].place.at.Before(t[j].place.at) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place.index, t[j].place.index = i+1, j+1
}

func (t *timers) Push(x any) {
	h := x.(*holder)
	*t = append(*t, h)
	h.place.index = len(*t)
}

func (t *timers) Pop() any {
	last := len(*t) - 1
	h := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	h.place.index = 0
	return h
}
