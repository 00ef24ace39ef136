package session

import (
	"io"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// judgeTime bounds the judging of one message by an expression or a path.
const judgeTime = time.Second

// holder drives one connection. It waits without a buffer. A connection has a goroutine of its own at first; a poller
// can take it over, and then calls all of it but interrupt.
type holder struct {
	member  *member
	m       machine
	texts   probe.Texts
	conn    io.ReadWriter // TLS, or the connection itself
	raw     *tcp.Conn     // nil once it is bare, unless TLS is on it
	bare    tcp.Bare      // that a poller has
	extra   *extra        // nil before there is one
	at      time.Duration // when it wants to be served, by the clock of the poller
	index   int32         // in the timers of the poller, from 1; 0 for none
	more    bool          // there may be bytes that no wait would notice
	blocked bool          // the poller waits for room for what is unsent
	queued  bool          // it waits for its turn, because it has more to read
	paused  bool          // meanwhile, the poller does not watch for bytes

	stop    order
	waiting bool // in raw
	sending bool // in raw
	poked   bool // there is something to do

	mu     sync.Mutex // guards stop and waiting
	poller *poller    // nil for a connection that has a goroutine of its own
}

// order is to end a session on purpose.
type order uint8

const (
	goOn    order = iota
	toRenew       // the next session has opened
	toStop
)

// extra is what few connections need, or only at their end.
type extra struct {
	cut    error            // why a write failed
	room   time.Time        // until then there must be room for what is unsent
	kept   int              // bytes of the memory of all sessions, for what is unsent
	wait   time.Duration    // until the next open
	next   chan *probe.Held // the session after this one, if it opens before this one closes
	before []byte           // how the message before began, if beginnings are shown

	name     string // of another connection than the main one
	finished func() // to be called at the end of such a one
}

// begin takes over a connection.
func (m *member) begin(held *probe.Held) *holder {
	h := &holder{member: m, conn: held.Left.Conn, raw: held.Raw, texts: held.Texts, more: true,
		m: newMachine(m.life.prepared.Load().plan, held.Left.Agreed, held.OpenedAt)}
	m.leash.hold(h)
	h.gather(held)
	h.act(func(d *desk) { h.m.adopt(&d.work, &held.Left, held.SettledAt) })
	return h
}

// over closes the connection. It returns the next one if that has opened already, or else the wait before its open.
func (h *holder) over() (next *probe.Held, wait time.Duration) {
	h.member.leash.hold(nil)
	h.close()
	if h.m.group != nil {
		h.m.group.closed.Wait()
	}
	switch {
	case h.extra == nil:
		return nil, 0
	case h.extra.next != nil:
		return <-h.extra.next, 0
	}
	return nil, h.extra.wait
}

// close closes the connection, and gives back the memory for what is still unsent.
func (h *holder) close() {
	if h.extra != nil {
		h.m.plan.memory.give(h.extra.kept)
		h.extra.kept = 0
	}
	if h.raw != nil {
		_ = h.raw.Close()
	} else {
		_ = h.bare.Close()
	}
}

// extras is the extra of a connection, to be filled in.
func (h *holder) extras() *extra {
	if h.extra == nil {
		h.extra = new(extra)
	}
	return h.extra
}

// renew opens the next session while this one goes on.
func (h *holder) renew() {
	m := h.member
	m.life.forgetEnd()
	next := make(chan *probe.Held, 1)
	h.extras().next = next
	go func() { // over waits for it
		next <- m.life.open(m)
		h.interrupt(toRenew)
	}()
}

// interrupt ends the session on purpose, from another goroutine.
func (h *holder) interrupt(o order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop == goOn {
		h.stop = o
	}
	switch {
	case h.waiting:
		h.raw.SetEnd(time.Unix(1, 0))
	case h.sending:
		h.raw.SetEnd(time.Now().Add(closeBudget))
	}
	if h.poller != nil {
		h.poller.look(h)
	}
}

// takeStop returns why the session is to end, once.
func (h *holder) takeStop() Cause {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.stop
	h.stop = goOn
	switch o {
	case toRenew:
		return ByLifetime
	case toStop:
		return ByStop
	default:
		return ""
	}
}

// serve does what there is to do: first what came, then what is due.
func (h *holder) serve(d *desk) { h.serveFrom(d, time.Now()) }

// serveFrom serves a connection of which the reads find all that came until heard.
func (h *holder) serveFrom(d *desk, heard time.Time) {
	d.lateAt = time.Now().Add(judgeTime)
	h.work(d, heard)
	h.deliver(d)
	h.rouseOthers()
}

// work works on what came, and on what is due.
func (h *holder) work(d *desk, heard time.Time) {
	defer h.lock()()
	h.drain(d)
	if cause := h.takeStop(); cause != "" {
		h.m.stop(&d.work, cause, time.Now())
	}
	if h.more { // an answer may be among the bytes that are still to be read
		heard = h.arrivedAt()
	}
	now := time.Now()
	if g := h.m.group; g != nil {
		g.noteHeard(int(h.m.number), heard)
		if other := g.ended.Load(); other != nil && h.m.number == 0 {
			h.m.joinEnd(&d.work, other, now)
		}
	}
	h.m.tick(&d.work, now, heard)
}

// arrivedAt is when the bytes of the last read came.
func (h *holder) arrivedAt() time.Time {
	if h.raw != nil {
		return h.raw.ArrivedAt
	}
	return h.bare.ArrivedAt()
}

// act gives the machine a desk for as long as it works, and does what it then wants.
func (h *holder) act(work func(*desk)) {
	chunks := &h.member.life.hub.chunks
	d := chunks.Get().(*desk)
	defer chunks.Put(d)
	d.lateAt = time.Now().Add(judgeTime)
	work(d)
	h.deliver(d)
	h.rouseOthers()
}

// maxReads and turnTime bound the reads of a round, so that a flood does not keep away what is due. A flood is read in
// pieces of floodRead bytes: they can be a thousand messages.
const (
	maxReads  = 16
	turnTime  = time.Millisecond
	floodRead = 4 << 10
)

// drain takes what is there. It takes no more from a server that does not take what it is answered.
func (h *holder) drain(d *desk) {
	began, piece := time.Now(), len(d.chunk)
	if h.more {
		piece = floodRead
	}
	for range maxReads {
		h.poll(true)
		n, err := h.conn.Read(d.chunk[:piece])
		h.poll(false)
		if h.more = h.take(d, n, err); !h.more || h.bare.Unsent() > 0 || time.Since(began) >= turnTime {
			break
		}
	}
}

// poll has reads return at once. Those of a bare connection always do.
func (h *holder) poll(on bool) {
	if h.raw != nil {
		h.raw.Polling = on
	}
}

// take takes the result of a read, and reports whether there may be more.
func (h *holder) take(d *desk, n int, err error) bool {
	if n > 0 {
		d.lateAt = time.Now().Add(judgeTime) // neither the wait nor the observe before is part of it
		h.m.feed(&d.work, d.chunk[:n], h.arrivedAt())
		h.deliver(d)
	}
	if err != nil && !tcp.IsTimeout(err) {
		h.gone(d, err)
	}
	return n > 0 && err == nil && h.m.state != done
}

// gone takes the end of the connection.
func (h *holder) gone(d *desk, err error) {
	at := time.Now()
	if CauseOf(err) == ByFIN {
		if cut := h.cut(); cut != nil && CauseOf(cut) != ByFIN {
			err = cut // the system reports a reset, and that it gave up, once
		} else if h.raw != nil {
			at = h.raw.EndedAt()
		} else {
			at = h.bare.EndedAt()
		}
	}
	if due := h.m.next(); CauseOf(err) != ByFIN && !h.blocked && !due.IsZero() {
		d.lag = max(0, at.Sub(due)) // a timer should have run before: the process stood still
	}
	if last := h.m.opened.Add(h.m.lastIn); at.Before(last) {
		at = last
	}
	h.m.gone(&d.work, err, at)
}

// deliver writes the output and hands the events on.
func (h *holder) deliver(d *desk) {
	h.write(d)
	h.tellAll(d)
	d.reset()
}
