package session

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// group are the connections of a session that has several, or whose heartbeat knows what its exchange caught. They share
// the heartbeat and the end. One of them is served at a time.
type group struct {
	caught map[string]string // by the exchange

	mu    sync.Mutex // held while a machine works
	talk  *talk      // the heartbeat under way, or nil
	asked bool       // the main connection waits until another one was heard, see machine.unheard
	heard [probe.MaxConnections]time.Time

	holders []*holder // the main one first; they do not change once one of them is served
	ended   atomic.Pointer[End]
	closed  sync.WaitGroup // the others are
}

// gather makes a group of a session that needs one, and takes over the connections beside the main one.
func (h *holder) gather(held *probe.Held) {
	if len(held.Others) == 0 && !h.m.plan.recalls {
		return
	}
	g := &group{caught: held.Caught, holders: []*holder{h}}
	h.m.group = g
	for i, other := range held.Others {
		m := &member{life: life{Session: h.member.life.Session, observe: g.note}}
		side := &holder{member: m, conn: other.Left.Conn, raw: other.Raw, texts: other.Texts, more: true,
			m: newMachine(h.m.plan.side, other.Left.Agreed, other.OpenedAt), extra: &extra{name: other.Name}}
		side.m.group, side.m.number = g, int8(i+1)
		g.holders = append(g.holders, side)
	}
	for i, side := range g.holders[1:] {
		unbind := h.member.leash.AfterFunc(func() { side.interrupt(toStop) })
		side.extra.finished = func() {
			unbind()
			side.close()
			g.closed.Done()
		}
		side.act(func(d *desk) { side.m.adopt(&d.work, &held.Others[i].Left, held.Others[i].SettledAt) })
	}
}

// attend has the other connections of a session served: by a poller, or else each by a goroutine, which over waits for.
func (h *holder) attend(p *poller) {
	g := h.m.group
	if g == nil {
		return
	}
	for _, side := range g.holders[1:] {
		g.closed.Add(1)
		if p != nil && p.take(side) {
			continue
		}
		go func() {
			for side.m.state != done {
				side.round()
			}
			side.extra.finished()
		}()
	}
}

// note takes an event of another connection than the main one: only its end matters to the session.
func (g *group) note(e Event) {
	if e.Kind == Ended && !e.End.Cause.Planned() && g.ended.CompareAndSwap(nil, e.End) {
		g.holders[0].poke()
	}
}

// dismiss ends the other connections because the main one has ended.
func (g *group) dismiss(cause Cause) {
	o := toStop
	if cause == ByLifetime {
		o = toRenew
	}
	for _, side := range g.holders[1:] {
		side.interrupt(o)
	}
}

// lock lets one machine of the session work at a time. A session with one connection needs no lock.
func (h *holder) lock() (unlock func()) {
	if h.m.group == nil {
		return func() {}
	}
	h.m.group.mu.Lock()
	return h.m.group.mu.Unlock
}

// due is when the connection is to be served, unless something comes before.
func (h *holder) due() time.Time {
	defer h.lock()()
	return h.m.next()
}

// noteHeard notes that everything that came on a connection before a time was fed.
func (g *group) noteHeard(number int, at time.Time) {
	if g.heard[number] = at; g.asked && g.talk != nil && g.talk.turn.on == number {
		g.asked = false
		g.holders[0].poke()
	}
}

// rouseOthers has the connection served on which the heartbeat goes on, if that is another one.
func (h *holder) rouseOthers() {
	g := h.m.group
	if g == nil {
		return
	}
	if next := g.next(); next >= 0 && next != int(h.m.number) {
		g.holders[next].poke()
	}
}

// next is the connection that has something to do for the heartbeat under way, or -1.
func (g *group) next() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch t := g.talk; {
	case t == nil:
		return -1
	case t.over() || t.problem != nil:
		return 0
	case !t.said || g.asked:
		return t.turn.on
	default:
		return -1
	}
}

// poke has a connection served soon, from another goroutine.
func (h *holder) poke() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.poked = true; h.waiting {
		h.raw.SetEnd(time.Unix(1, 0))
	}
	if h.poller != nil {
		h.poller.look(h)
	}
}
