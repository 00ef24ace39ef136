package session

import (
	"crypto/rand"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// machine is one session from its open to the end of its connection, without I/O. Its driver calls feed with the bytes
// that came, gone with the end of the connection, and tick at next or later. After each call the driver writes the
// output and hands on the events of the work.
//
// Before it ticks, a driver feeds everything that has come, so that a machine or a process that stood still takes no
// answer for late. Times are those of one clock; they are kept as offsets from the open, so that a step of the wall
// clock does not matter.
//
// A machine that waits owns no buffer. One buffer holds a message that has come in part, and one, if the server insists
// on it, the window of its compression; both are taken from the memory of all sessions.
type machine struct {
	plan   *plan
	opened time.Time
	parser frame.Parser
	state  state

	inflates bool // messages may be compressed
	takeover bool // and refer to earlier ones
	text     bool // the message under way is one
	started  bool // the message under way has begun
	pinging  bool // a Ping has no answer of its own yet
	alive    bool // but another Pong came
	beating  bool // a heartbeat has no answer yet
	beatPong bool // a Pong came since the heartbeat
	due      bool // RenewalDue was told
	closed   bool // a close frame came, after ours or before
	number   int8 // of the connection in its group, 0 for the main one
	utf8     match.UTF8
	talk     *talk    // the heartbeat under way, or nil
	group    *group   // the connections of the session, nil if it has one
	size     int      // of the message under way, as it is sent
	buffers  *buffers // nil without any

	lastIn, lastOut         time.Duration // when a byte came, and when one was sent
	outBefore               time.Duration // when one was sent before lastOut
	lastMessage, lastWanted time.Duration
	longestIdle             time.Duration // without traffic, before the time that still lasts
	pingDue, pingAt         time.Duration
	beatDue, beatAt         time.Duration
	until                   time.Duration // the end of the closing handshake
	ping                    [pingPayload]byte
	numbers                 *sequence // nil without numbers
	totals                  Totals
}

// buffers are those that few machines have while they wait.
type buffers struct {
	body   []byte // of the message under way, if it is needed whole
	window []byte // of the compression
	packet []byte // the beginning of a packet of MQTT
}

// buffer is the buffers, to be filled.
func (m *machine) buffer() *buffers {
	if m.buffers == nil {
		m.buffers = new(buffers)
	}
	return m.buffers
}

// tidy forgets buffers that are empty.
func (m *machine) tidy() {
	if b := m.buffers; b.body == nil && b.window == nil && b.packet == nil {
		m.buffers = nil
	}
}

// state is how far a machine is.
type state uint8

const (
	open    state = iota
	closing       // our close frame is out; waits for that of the server
	ending        // both are out; waits for the server to end the connection
	done
)

// pingPayload is the length of a Ping's payload in bytes. Nobody can guess so many, and servers with small buffers
// still answer them.
const pingPayload = 8

// newMachine begins a session on a connection that opened at a time. Agreed is its compression, or nil.
func newMachine(p *plan, agreed *frame.Deflate, opened time.Time) machine {
	m := machine{plan: p, opened: opened, parser: frame.NewParser(p.spec.MaxReply, agreed), inflates: agreed != nil}
	m.takeover = m.inflates && agreed.Takeover()
	m.pingDue = p.spec.PingInterval
	if p.sequence.Given() {
		m.numbers = new(sequence)
	}
	if p.spec.Heartbeat != nil {
		m.beatDue = p.spec.Heartbeat.Interval
	}
	return m
}

// adopt takes over a connection whose stream a run has left, with the messages that came too early for it.
func (m *machine) adopt(w *work, left *frame.Left, settled time.Time) {
	now := m.begin(w, settled)
	m.lastIn, m.lastOut, m.lastMessage, m.lastWanted = now, now, now, now
	if m.takeover && len(left.Window) > 0 {
		if !m.plan.memory.take(len(left.Window)) {
			m.outOfMemory(w, now)
			return
		}
		m.buffer().window = append(make([]byte, 0, len(left.Window)), left.Window...)
	}
	m.feed(w, left.Early, settled)
	if m.state != open {
		return
	}
	m.parser = left.Parser
	if _, _, closed := m.parser.Closed(); closed {
		m.serverClosed(w, now)
	} else if left.ClosedAs != nil {
		m.breach(w, left.ClosedAs, now)
	}
}

// since is a time as an offset from the open. The kernel's time of arrival can seem to be before it.
func (m *machine) since(at time.Time) time.Duration { return max(0, at.Sub(m.opened)) }

// begin begins a call. Its events get the time of the call itself: that is right although the wall clock was set since
// the open.
func (m *machine) begin(w *work, at time.Time) time.Duration {
	if w.at = at; at.Before(m.opened) {
		w.at = m.opened
	}
	return m.since(at)
}

// tell adds an event.
func (m *machine) tell(w *work, e Event) {
	e.At = w.at
	w.events = append(w.events, e)
}

// feed takes the next bytes of the connection, which came at a time. A close frame alone does not end the time without
// traffic: an idle limit of the server may be the reason for it.
func (m *machine) feed(w *work, p []byte, at time.Time) {
	now := m.begin(w, at)
	lastIn, longestIdle, alone := m.lastIn, m.longestIdle, true
	m.stir(now)
	m.lastIn = now
	m.totals.BytesIn += uint64(len(p))
	var late pongs
	for len(p) > 0 && (m.state == open || m.state == closing) {
		piece, rest, b := m.parser.Next(p)
		p = rest
		alone = alone && b == nil && (piece.Opcode == frame.Close || m.parser.InClose())
		switch {
		case b != nil:
			m.breach(w, b, now)
		case piece.Opcode < frame.Close:
			m.data(w, piece, at)
		case !piece.Ended:
		case piece.Opcode == frame.Close:
			if alone {
				m.lastIn, m.longestIdle = lastIn, longestIdle
			}
			m.serverClosed(w, now)
		case m.state == open && piece.Opcode == frame.Ping:
			if m.pinged(w) && late.note(piece.Control) {
				m.sayControl(w, frame.Pong, string(piece.Control), now)
			}
		case m.state == open:
			m.pong(w, piece.Control, now)
		}
	}
	if m.state == open && alone { // there is more of the close frame to come
		m.lastIn, m.longestIdle = lastIn, longestIdle
	}
	if m.state == open && late.waits {
		m.sayControl(w, frame.Pong, string(late.last[:late.size]), now)
	}
}

// sayControl appends a control frame to the output.
func (m *machine) sayControl(w *work, opcode byte, payload string, now time.Duration) {
	before := len(w.out)
	w.out = frame.AppendControl(w.out, opcode, payload)
	m.said(len(w.out)-before, now)
}

// sayMessage appends a data message to the output.
func (m *machine) sayMessage(w *work, message []byte, now time.Duration) {
	before := len(w.out)
	w.out = frame.AppendMessage(w.out, m.plan.opcode, message)
	m.said(len(w.out)-before, now)
}

func (m *machine) said(n int, now time.Duration) {
	m.totals.BytesOut += uint64(n)
	if now > m.lastOut {
		m.outBefore, m.lastOut = m.lastOut, now
	}
}

// stir ends a time without traffic.
func (m *machine) stir(now time.Duration) {
	m.longestIdle = max(m.longestIdle, now-max(m.lastIn, m.lastOut))
}

// pong takes a Pong.
func (m *machine) pong(w *work, payload []byte, now time.Duration) {
	m.beatPong = true
	if !m.pinging || string(payload) != string(m.ping[:]) {
		m.alive = m.pinging
		return
	}
	m.pinging = false
	m.totals.Pongs++
	m.tell(w, Event{Kind: Ponged, RTT: max(0, now-m.pingAt)})
}

// sendDue sends the next step of a heartbeat, and the Ping and the heartbeat that are due. None is sent while an earlier
// one waits for its answer. Whether there was traffic is known until heard.
func (m *machine) sendDue(w *work, now, heard time.Duration) {
	if t := m.underway(); t != nil && t.due(int(m.number)) {
		m.stir(heard)
		m.speak(w, now)
	}
	if m.state != open {
		return
	}
	if m.plan.spec.PingInterval > 0 && !m.pinging && now >= m.pingDue {
		m.stir(heard)
		m.drawPing()
		m.pinging, m.alive, m.pingAt = true, false, now
		m.pingDue = nextDue(m.pingDue, m.plan.spec.PingInterval, now)
		m.totals.Pings++
		m.sayControl(w, frame.Ping, string(m.ping[:]), now)
	}
	if beat := m.plan.spec.Heartbeat; beat != nil && !m.beating && now >= m.beatDue {
		m.stir(heard)
		m.beating, m.beatPong, m.beatAt = true, false, now
		m.beatDue = nextDue(m.beatDue, beat.Interval, now)
		m.setTalk(newTalk(m.plan, m.caught(), m.opened.Add(now)))
		m.speak(w, now)
	}
}

// drawPing draws the payload of the next Ping: letters and digits, 40 random bits. Package rand has a function for such
// texts, which allocates them.
func (m *machine) drawPing() {
	_, _ = rand.Read(m.ping[:]) // it never fails
	for i, b := range m.ping {
		m.ping[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[b&31]
	}
}

// nextDue keeps the beat of an interval, unless it was missed.
func nextDue(due, interval, now time.Duration) time.Duration {
	if due += interval; due > now {
		return due
	}
	return now + interval
}
