package session

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// judgeTime bounds the judging of one message by an expression or a path.
const judgeTime = time.Second

// holder drives one connection. It waits without a buffer.
type holder struct {
	*life
	ctx   context.Context
	conn  net.Conn // raw, or TLS on it
	raw   *tcp.Conn
	texts probe.Texts
	name  string // of the connection, empty for the main one
	m     machine
	more  bool             // there may be bytes that no wait would notice
	cut   error            // why a write failed
	wait  time.Duration    // until the next open
	next  chan *probe.Held // the session after this one, if it opens before this one closes

	mu      sync.Mutex
	stop    Cause // why to end on purpose
	waiting bool
	sending bool
	poked   bool // there is something to do

	poller   *poller // nil for a connection that has a goroutine of its own
	place    place
	fd       int32
	finished func() // to be called at the end, by the poller
	unsent   []byte // output that a poller does not wait for
	lent     bool   // a goroutine writes it
	unbind   func() bool
}

// hold keeps a connection until it has ended and is closed. It returns the next one if that has opened already.
func (l *life) hold(ctx context.Context, held *probe.Held) *probe.Held {
	h := l.begin(ctx, held)
	h.attend(nil)
	for h.m.state != done {
		h.round()
	}
	next, wait := h.over()
	if next == nil {
		sleep(ctx, wait)
	}
	return next
}

// begin takes over a connection.
func (l *life) begin(ctx context.Context, held *probe.Held) *holder {
	h := &holder{life: l, ctx: ctx, conn: held.Left.Conn, raw: held.Raw, texts: held.Texts, m: newMachine(l.prepared.Load().plan, held.Left.Agreed, held.OpenedAt), more: true}
	h.unbind = afterFunc(ctx, func() { h.interrupt(ByStop) })
	h.gather(held)
	h.act(func(d *desk) { h.m.adopt(&d.work, &held.Left, held.SettledAt) })
	return h
}

// over closes the connection. It returns the next one if that has opened already, or else the wait before its open.
func (h *holder) over() (next *probe.Held, wait time.Duration) {
	h.unbind()
	_ = h.raw.Close()
	if h.m.group != nil {
		h.m.group.closed.Wait()
	}
	if h.next != nil {
		return <-h.next, 0
	}
	return nil, h.wait
}

// renew opens the next session while this one goes on.
func (h *holder) renew() {
	h.forgetEnd()
	h.next = make(chan *probe.Held, 1)
	go func() { // hold waits for it
		h.next <- h.open(h.ctx)
		h.interrupt(ByLifetime)
	}()
}

// interrupt ends the session on purpose, from another goroutine.
func (h *holder) interrupt(cause Cause) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop == "" {
		h.stop = cause
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

// beginWait reports whether there is something to wait for.
func (h *holder) beginWait() bool {
	due := h.due() // whoever changes it after this pokes
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting = !h.more && h.stop == "" && !h.poked; h.waiting {
		h.raw.SetEnd(due)
	}
	return h.waiting
}

// endWait ends a wait. What has come can then be read, also if time is up.
func (h *holder) endWait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting, h.poked = false, false
	h.raw.SetEnd(time.Time{})
}

// takeStop returns why the session is to end, once.
func (h *holder) takeStop() Cause {
	h.mu.Lock()
	defer h.mu.Unlock()
	cause := h.stop
	h.stop = ""
	return cause
}

// round waits until there is something to do, and does it.
func (h *holder) round() {
	if h.beginWait() {
		if waited, _ := h.raw.Wait(); !waited {
			h.act(h.readOnce)
		}
	}
	h.endWait()
	h.serve()
}

// serve does what there is to do: first what came, then what is due.
func (h *holder) serve() {
	h.act(func(d *desk) {
		defer h.lock()()
		h.drain(d)
		if cause := h.takeStop(); cause != "" {
			h.m.stop(&d.work, cause, time.Now())
		}
		now := time.Now()
		heard := now
		if h.more { // an answer may be among the bytes that are still to be read
			heard = h.raw.ArrivedAt
		}
		if g := h.m.group; g != nil {
			g.noteHeard(int(h.m.number), heard)
			if other := g.ended.Load(); other != nil && h.m.number == 0 {
				h.m.joinEnd(&d.work, other, now)
			}
		}
		h.m.tick(&d.work, now, heard)
	})
}

// act gives the machine a desk for as long as it works, and does what it then wants.
func (h *holder) act(work func(*desk)) {
	d := h.hub.chunks.Get().(*desk)
	defer h.hub.chunks.Put(d)
	d.lateAt = time.Now().Add(judgeTime)
	work(d)
	h.deliver(d)
	h.rouseOthers()
}

// readOnce waits for bytes with a buffer, on a connection that cannot wait without one.
func (h *holder) readOnce(d *desk) {
	n, err := h.conn.Read(d.chunk[:])
	h.endWait()
	d.lateAt = time.Now().Add(judgeTime) // the wait is no part of it
	defer h.lock()()
	h.take(d, n, err)
}

// maxReads bounds the reads of a round, so that a flood does not keep away what is due.
const maxReads = 16

// drain takes what is there. It takes no more from a server that does not take what it is answered.
func (h *holder) drain(d *desk) {
	h.raw.Polling = true
	for range maxReads {
		n, err := h.conn.Read(d.chunk[:])
		h.raw.Polling = false
		if h.more = h.take(d, n, err); !h.more || h.unsent != nil {
			break
		}
		h.raw.Polling = true
	}
	h.raw.Polling = false
}

// take takes the result of a read, and reports whether there may be more.
func (h *holder) take(d *desk, n int, err error) bool {
	if n > 0 {
		d.lateAt = time.Now().Add(judgeTime) // neither the wait nor the observe before is part of it
		h.m.feed(&d.work, d.chunk[:n], h.raw.ArrivedAt)
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
	if causeOf(err) == ByFIN {
		if h.cut != nil && causeOf(h.cut) != ByFIN {
			err = h.cut // the system reports a reset, and that it gave up, once
		} else {
			at = h.raw.EndedAt()
		}
	}
	h.m.gone(&d.work, err, at)
}

// deliver writes the output and hands the events on.
func (h *holder) deliver(d *desk) {
	h.write(d)
	h.tellAll(d)
	d.reset()
}

// tellAll hands the events on.
func (h *holder) tellAll(d *desk) {
	for i := range d.events {
		e := &d.events[i]
		switch e.Kind {
		case Ended:
			if h.m.number > 0 {
				e.End.Connection = h.name
			}
			if h.m.number > 0 || e.End.Connection == "" { // that of another connection was made fit there
				e.End.CloseReason, e.End.Detail = h.texts.Shown(e.End.CloseReason, e.End.Detail)
			}
			h.noteEnd(e)
			h.wait = e.Wait
			if h.m.group != nil && h.m.number == 0 {
				h.m.group.dismiss(e.End.Cause)
			}
		case RenewalDue:
			h.renew()
		case Received:
			h.preview(&e.Message)
		}
		h.tell(*e)
	}
}

// preview lets the receiver of a message see its beginning. Most receivers look at few of many messages.
func (h *holder) preview(m *Message) {
	if raw, limit := m.raw, h.m.plan.preview; limit > 0 {
		m.Beginning = func() string { return h.texts.Beginning(raw, limit) }
	}
}
