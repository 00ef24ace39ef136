package session

// timers is a heap of holders by their times, see package container/heap.
type timers []*holder

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at < t[j].at }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = int32(i+1), int32(j+1)
}

func (t *timers) Push(x any) {
	h := x.(*holder)
	*t = append(*t, h)
	h.index = int32(len(*t))
}

func (t *timers) Pop() any {
	last := len(*t) - 1
	h := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	h.index = 0
	return h
}
