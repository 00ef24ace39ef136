package session

import (
	"bytes"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// data takes a piece of a data frame.
func (m *machine) data(w *work, piece frame.Piece, at time.Time) {
	if m.state != open {
		return // nothing counts after our close frame but that of the server
	}
	now := m.since(at)
	if piece.Header != nil && piece.Opcode != frame.Continuation {
		m.text, m.started, m.size = piece.Opcode == frame.Text, true, 0
		m.utf8.Reset()
	}
	ended := piece.Ended && piece.Final
	whole := m.plan.reads || m.parser.Compressed()
	m.size += len(piece.Payload)
	switch {
	case !whole && m.text && !m.utf8.Write(piece.Payload):
		m.breach(w, invalidText(), now)
	case !whole && ended && m.text && !m.utf8.End():
		m.breach(w, invalidText(), now)
	case !whole && ended:
		m.message(w, nil, m.size, at)
	case whole && ended && m.size == len(piece.Payload): // it is here as a whole: the usual case needs no buffer
		m.complete(w, piece.Payload, at)
	case whole && !m.grow(&m.buffer().body, piece.Payload):
		m.outOfMemory(w, now)
	case whole && ended:
		m.complete(w, m.buffers.body, at)
	}
}

// grow appends to a buffer, and reports whether there was memory for it.
func (m *machine) grow(buffer *[]byte, p []byte) bool {
	if need := len(*buffer) + len(p); need > cap(*buffer) {
		size := max(need, 2*cap(*buffer))
		if !m.plan.memory.take(size - cap(*buffer)) {
			return false
		}
		bigger := make([]byte, len(*buffer), size)
		copy(bigger, *buffer)
		*buffer = bigger
	}
	*buffer = append(*buffer, p...)
	return true
}

// complete takes a whole message as it was sent.
func (m *machine) complete(w *work, payload []byte, at time.Time) {
	now := m.since(at)
	if m.parser.Compressed() {
		var ok bool
		if payload, ok = m.inflate(w, payload, now); !ok {
			return
		}
	}
	if m.text && !utf8.Valid(payload) {
		m.breach(w, invalidText(), now)
		return
	}
	m.message(w, payload, len(payload), at)
	if b := m.buffers; b != nil {
		m.plan.memory.give(cap(b.body))
		b.body = nil
		m.tidy()
	}
}

// inflate inflates a message, and reports whether it could.
func (m *machine) inflate(w *work, payload []byte, now time.Duration) ([]byte, bool) {
	var before []byte
	if m.buffers != nil {
		before = m.buffers.window
	}
	message, window, err := w.inflate(payload, before, m.plan.spec.MaxReply)
	var b *frame.Breach
	if errors.As(err, &b) {
		m.breach(w, b, now)
		return nil, false
	}
	if !m.takeover {
		return message, true
	}
	if grown := cap(window) - cap(before); grown > 0 && !m.plan.memory.take(grown) {
		m.outOfMemory(w, now)
		return nil, false
	}
	m.buffer().window = window
	return message, true
}

// message takes a whole message; its content is nil if it does not matter.
func (m *machine) message(w *work, content []byte, size int, at time.Time) {
	m.started, m.lastMessage = false, m.since(at)
	if m.plan.joins && !m.text {
		m.packets(w, content, at)
		return
	}
	m.judge(w, content, size, at)
}

// judge takes a message as the application knows it.
func (m *machine) judge(w *work, content []byte, size int, at time.Time) {
	now := m.since(at)
	m.totals.Messages++
	if !m.plan.reads {
		content = nil
	}
	t := m.underway()
	beaten := t != nil && t.hear(int(m.number), content, m.text, at, w.late)
	if beaten {
		m.endBeat(w)
	}
	asked := m.answer(w, content, now)
	wanted := !beaten && !asked
	if !m.plan.wanted.Any() {
		wanted = m.plan.wanted.Matches(content, m.text, nil, w.late)
	}
	e := Message{Size: size, Binary: !m.text, Wanted: wanted}
	if n := m.plan.preview; n > 0 {
		e.raw = bytes.Clone(content[:min(n+redact.Slack, len(content))])
	}
	if wanted {
		m.follow(w, &e, content, at)
	}
	m.tell(w, Event{Kind: Received, Message: e})
}

// answer sends the answer to a message that asks for one, and reports whether it did ask.
func (m *machine) answer(w *work, content []byte, now time.Duration) bool {
	for i := range m.plan.answers {
		if a := &m.plan.answers[i]; a.to.Matches(content, m.text, nil, w.late) {
			if len(w.out) < maxAnswers {
				m.sayMessage(w, a.send, now)
			}
			return true
		}
	}
	return false
}

// maxAnswers bounds the output of one feed, in bytes, to which an answer is added.
const maxAnswers = 64 << 10

// follow notes gap, number and age of a wanted message.
func (m *machine) follow(w *work, e *Message, content []byte, at time.Time) {
	now := m.since(at)
	e.Gap, m.lastWanted = max(0, now-m.lastWanted), now
	m.totals.Wanted++
	if n, ok := m.plan.sequence.Integer(content, w.late); ok {
		e.Numbered = true
		e.Lost, e.Repeated, e.Disordered, e.Late = m.numbers.next(n)
		m.totals.Lost += uint64(e.Lost)
		m.totals.Lost -= one(e.Late)
		m.totals.Repeated += one(e.Repeated)
		m.totals.Disordered += one(e.Disordered)
	}
	if !m.plan.sentAt.Given() {
		return
	}
	if text, ok := m.plan.sentAt.Text(content, w.late); ok {
		var sent time.Time
		if sent, e.Dated = parseTime(text); e.Dated {
			e.Age = at.Round(0).Sub(sent) // by the wall clock
		}
	}
}

func one(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

// invalidText is the breach of a text message that is not UTF-8 (RFC 6455 8.1).
func invalidText() *frame.Breach {
	return &frame.Breach{Type: reasons.ProtocolError, Code: frame.CloseInvalidData,
		About: say.Own("protocol error: text message that is not UTF-8")}
}
