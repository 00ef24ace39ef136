package stream

import (
	"crypto/rand"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
)

const (
	// pingPayload is the length of a Ping's payload. Nobody can guess so many letters, and servers with small buffers
	// still answer them.
	pingPayload = 8
	// pace is the least time between two Pings that ask for a proof, unless much is in flight.
	pace = 50 * time.Millisecond
	// grace is how long the reader may take to find an answer after its time is up, because this process may have stood
	// still.
	grace = 100 * time.Millisecond
	// ackTimeout bounds the wait for a message that acknowledges. The event is then sent again, on a new connection.
	ackTimeout = 30 * time.Second
)

// heart is the Ping under way, and the times of the next. There is never more than one Ping, because some servers answer
// only the first, or only the last, of two.
type heart struct {
	interval, timeout time.Duration
	hurry             bool // no event comes any more

	payload string    // of the Ping without an answer, or empty
	at      time.Time // when it was sent
	covers  uint64    // the flights before this number were written before it
	full    bool      // the window was
	written uint64    // those before this number are written
	last    time.Time // when the last Ping was sent
	beat    time.Time // when the interval began: at the last Ping, or at the open
	missed  time.Time // since when an answer is missed; zero for none
	armed   bool      // beat knows when to look after what flies

	answer *string // the payload of a Ping of the server without an answer. Only the last one needs any (RFC 6455 5.5.3)
}

// due is what is to be done now, and when to ask again.
type due struct {
	pong  *string // the payload of an answer
	ping  string  // the payload of a Ping, or empty
	over  ending  // why the connection is over
	again time.Time
}

// due finds out what there is to do.
func (p *proof) due(now time.Time) due {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := &p.heart
	d := due{pong: h.answer}
	h.answer, h.armed = nil, p.wantsProof() || p.how == Message && p.open > 0
	unacknowledged := p.how == Message && p.open > 0 && d.passed(now, p.since.Add(ackTimeout))
	unanswered := h.payload != "" && d.passed(now, h.at.Add(h.timeout))
	switch {
	case !unacknowledged && !unanswered:
		h.missed = time.Time{}
	case h.missed.IsZero():
		h.missed = now
		d.passed(now, now.Add(grace))
	case !d.passed(now, h.missed.Add(grace)):
	case unanswered:
		p.window.shrink(now)
		d.over = p.unanswered()
	default:
		p.window.shrink(now)
		d.over = p.unacknowledged()
	}
	if h.payload != "" {
		return d
	}
	if d.ping = p.ask(now); d.ping != "" {
		return d
	}
	if p.wantsProof() {
		d.passed(now, h.last.Add(pace))
	}
	if h.interval > 0 && d.passed(now, h.beat.Add(h.interval)) {
		d.ping = p.begin(now)
	}
	return d
}

// passed reports whether a time has passed, and else asks again at that time.
func (d *due) passed(now, at time.Time) bool {
	if !now.Before(at) {
		return true
	}
	if d.again.IsZero() || at.Before(d.again) {
		d.again = at
	}
	return false
}

// wantsProof reports whether a Ping would prove something.
func (p *proof) wantsProof() bool { return p.how == Pong && p.open > 0 && p.heart.written > p.oldest() }

// ask begins a Ping that asks for a proof, if it is time. The caller holds the lock.
func (p *proof) ask(now time.Time) string {
	h := &p.heart
	much := p.window.half(p.open, p.bytes)
	if h.payload != "" || !p.wantsProof() || !much && !h.hurry && now.Before(h.last.Add(pace)) {
		return ""
	}
	return p.begin(now)
}

// begin begins a Ping. The caller holds the lock.
func (p *proof) begin(now time.Time) string {
	h := &p.heart
	h.payload, h.covers, h.at, h.last, h.beat = rand.Text()[:pingPayload], h.written, now, now, now
	h.full = p.window.full(p.open, p.bytes)
	return h.payload
}

// written notes that everything that flies stands in front of the next frame. It returns the payload of a Ping to send
// behind it, or none.
func (p *proof) written(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heart.written = p.first + uint64(len(p.flights))
	if p.how == Written {
		return ""
	}
	ping := p.ask(now)
	if ping == "" && !p.heart.armed {
		p.heart.armed = true
		signal(p.stir)
	}
	return ping
}

// pinged notes when the Ping was on its way.
func (p *proof) pinged(payload string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heart.payload == payload {
		p.heart.at, p.heart.last, p.heart.beat = now, now, now
		signal(p.stir)
	}
}

// ponged takes a Pong. Only the one with the payload of the Ping is a proof. Any other is a sign of life, and enough
// where no proof is wanted of it.
func (p *proof) ponged(payload string, at time.Time) {
	p.mu.Lock()
	h := &p.heart
	if h.payload == "" || at.After(h.at.Add(h.timeout)) || payload != h.payload && p.how == Pong {
		p.mu.Unlock()
		return
	}
	var proven []*buffer.Item
	if h.payload = ""; p.how == Pong {
		open, bytes := p.open, p.bytes
		for number := p.oldest(); number < h.covers; number++ {
			proven = p.prove(number, proven)
		}
		p.land(at)
		p.window.proven(open-p.open, bytes-p.bytes, h.full, h.at, at, h.timeout)
	}
	p.mu.Unlock()
	p.landed(proven)
	signal(p.stir)
}

// asked takes a Ping of the server.
func (p *proof) asked(payload string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heart.answer = &payload
	signal(p.stir)
}
