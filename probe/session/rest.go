package session

import (
	"runtime/debug"
	"time"
)

const (
	// manyOpens is how many opens leave enough behind to be worth a collection of all garbage.
	manyOpens = 1000
	// calmTime is how long no open has begun once they have ceased.
	calmTime = 5 * time.Second
)

// restSoon has the Hub rest after many opens. The caller holds mu.
func (h *Hub) restSoon() {
	if h.opens >= manyOpens && !h.resting {
		h.resting = true
		h.loops.Go(h.rest)
	}
}

// rest waits until the opens have ceased. It then gives the memory that they needed back to the system. The runtime
// would keep it for ever, because sessions that wait make no garbage: it is more than the sessions themselves take.
func (h *Hub) rest() {
	for before, calm := -1, false; !calm; {
		if !sleep(h.running, calmTime) {
			return
		}
		h.mu.Lock()
		if calm = h.opens == before; calm {
			h.opens, h.resting = 0, false
		}
		before = h.opens
		h.mu.Unlock()
	}
	debug.FreeOSMemory()
}
