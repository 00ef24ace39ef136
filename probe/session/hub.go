package session

import (
	"context"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/wsprobe/wsprobe/probe"
)

// Defaults of [Options].
const (
	DefaultMaxConcurrent = 64
	DefaultMemory        = 256 << 20
)

// Options of a [Hub]. The zero value of every field is its default.
type Options struct {
	// MaxConcurrent bounds how many sessions are being opened at a time. Default: DefaultMaxConcurrent.
	MaxConcurrent int
	// Memory bounds the messages under way of all sessions together, in bytes. A session that needs more ends with
	// ByMemory. Default: DefaultMemory.
	Memory int64
	// Preview is how many bytes of a message Message.Beginning shows. A session that shows them reads its messages whole.
	// Default: 0, which shows none.
	Preview int
	// Random returns numbers from 0 to below 1, for the waits before an open. It may be called at the same time.
	// Default: that of math/rand/v2.
	Random func() float64
	// Trace returns the trace of a session that is about to be opened. It may be called at the same time. Nil has none.
	Trace func() probe.Trace
}

// Hub holds sessions open. Its sessions share bounds on their opens and on their memory.
type Hub struct {
	memory  *memory
	slots   *slots    // one for each open under way
	chunks  sync.Pool // *desk: a session that waits has none
	random  func() float64
	preview int
	trace   func() probe.Trace // nil for none

	mu      sync.Mutex
	last    *plan           // that was made
	running context.Context // of Run, nil before
	over    bool            // Run has begun to end
	waiting []*member       // added before Run
	queues  [kinds]queue    // of members that want to open, by the outcome of their opens
	pollers []*poller       // at most as many as processors
	loops   sync.WaitGroup
	all     map[*member]struct{} // started, and not over
	members sync.WaitGroup
	opens   int  // since the last rest
	resting bool // rest runs
}

// NewHub makes a Hub.
func NewHub(o Options) *Hub {
	fill(&o.MaxConcurrent, DefaultMaxConcurrent)
	fill(&o.Memory, DefaultMemory)
	if o.Random == nil {
		o.Random = rand.Float64
	}
	h := &Hub{memory: newMemory(o.Memory), slots: newSlots(o.MaxConcurrent), random: o.Random, preview: o.Preview, trace: o.Trace,
		all: make(map[*member]struct{})}
	h.queues[timedOut].slots = newSlots(half(o.MaxConcurrent))
	h.chunks.New = func() any { return new(desk) }
	return h
}

// SetMaxConcurrent changes [Options].MaxConcurrent, with 0 for its default. Opens under way go on, also if they are more
// than the new number.
func (h *Hub) SetMaxConcurrent(n int) {
	fill(&n, DefaultMaxConcurrent)
	h.slots.resize(n)
	h.queues[timedOut].slots.resize(half(n))
}

// desk is the memory of a session that is at work.
type desk struct {
	work
	chunk [16 << 10]byte
}

// Add has Run hold a Session, at once or as soon as it begins. Observe is called as by [Session.Hold]; those of several
// sessions are called at the same time, and one that takes long delays other sessions. End ends the session with 1001
// and does not wait for that; it may be called more than once.
func (h *Hub) Add(s *Session, observe func(Event)) (end func()) {
	m := &member{life: life{Session: s, observe: observe}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running == nil {
		h.waiting = append(h.waiting, m)
	} else {
		h.start(m)
	}
	return m.end
}

// start holds a member, unless Run is over.
func (h *Hub) start(m *member) {
	if h.over {
		return
	}
	h.all[m] = struct{}{}
	h.members.Add(1)
	h.want(m)
}

// remove forgets a member whose life is over.
func (h *Hub) remove(m *member) {
	h.mu.Lock()
	delete(h.all, m)
	h.mu.Unlock()
	h.members.Done()
}

// poller returns the poller for a connection, or nil if none can watch it.
func (h *Hub) poller(held *probe.Held) *poller {
	if !held.Raw.Pollable() {
		return nil
	}
	return h.idlest(nil)
}

// idlest returns the poller with the least load, another one than that. It begins with one poller: as long as that has
// time, a second one would only keep a second processor from its sleep. None begins at the end of Run.
func (h *Hub) idlest(than *poller) *poller {
	h.mu.Lock()
	defer h.mu.Unlock()
	var best *poller
	for _, p := range h.pollers {
		if p != than && (best == nil || p.share() < best.share()) {
			best = p
		}
	}
	if !h.over && len(h.pollers) < runtime.GOMAXPROCS(0) && (best == nil || best.share() > busy) {
		if p := newPoller(h); p != nil {
			h.pollers = append(h.pollers, p)
			h.loops.Go(p.run)
			return p
		}
	}
	return best
}

// busy is the share of its time at work, in percent, with which a poller has too much to do.
const busy = 50

// Run holds all sessions that are added, until the context ends. It then closes each with 1001 and returns within a
// second, but for an observe that takes longer. It is called once.
func (h *Hub) Run(ctx context.Context) {
	h.mu.Lock()
	h.running = ctx
	for _, m := range h.waiting {
		h.start(m)
	}
	h.waiting = nil
	h.mu.Unlock()
	<-ctx.Done()
	h.mu.Lock()
	h.over = true
	all := slices.Collect(maps.Keys(h.all))
	h.mu.Unlock()
	for _, m := range all {
		m.end()
	}
	h.members.Wait()
	for _, p := range h.pollers {
		p.end()
	}
	h.loops.Wait()
}
