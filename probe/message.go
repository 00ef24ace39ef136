package probe

import (
	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// message follows one data message after the other. Of a message it keeps what people are shown and, if only the
// whole can be judged, the whole; never more than the frame scanner lets pass.
//
// If it joins, binary messages are the parts of one stream of bytes besides: then what is expected may also begin in
// one message and end in another.
type message struct {
	joins   bool
	expect  expectation
	matcher matcher
	utf8    utf8Checker
	text    bool
	keep    int // bytes of head to keep
	head    []byte
	size    int // bytes so far
	body    []byte
	matched bool // whether the message, which has ended, is as expected

	// If the whole is to be judged:
	longest int               // bytes that a message can have
	late    func() bool       // whether time is up
	miss    jsonMiss          // why it is not the JSON that is expected
	stream  []byte            // the messages so far, if it joins
	caught  map[string]string // what the named groups of its pattern caught
}

func newMessage(expect expectation, keep int) *message {
	m := &message{expect: expect, matcher: matcher{pattern: expect.pattern}, keep: keep}
	m.matcher.reset()
	return m
}

// begin prepares for the next message.
func (m *message) begin(text bool) {
	if !m.joins || text {
		m.forget()
	}
	m.utf8 = utf8Checker{}
	m.text, m.body, m.matched, m.size = text, m.body[:0], false, 0
}

// forget makes a stream begin with the next message.
func (m *message) forget() {
	m.matcher.reset()
	m.head, m.stream = m.head[:0], m.stream[:0]
}

// write takes the next bytes of the message.
func (m *message) write(chunk []byte) *frame.Breach {
	if m.text && !m.utf8.write(chunk) {
		return invalidText()
	}
	if m.expect.whole() {
		m.keepWhole(chunk)
	} else {
		m.matcher.write(chunk)
	}
	m.size += len(chunk)
	m.head = append(m.head, chunk[:min(len(chunk), m.keep-len(m.head))]...)
	return nil
}

// keepWhole appends to the body. It doubles its memory, up to the longest message there can be: append would leave
// behind several times as much as the message has, and take a quarter more than it needs.
func (m *message) keepWhole(chunk []byte) {
	if need := len(m.body) + len(chunk); need > cap(m.body) {
		bigger := make([]byte, len(m.body), max(need, min(2*cap(m.body), m.longest)))
		copy(bigger, m.body)
		m.body = bigger
	}
	m.body = append(m.body, chunk...)
}

// maxSpare is the most memory of a message that is kept for the next one. There may never be one, and a run waits for it
// until its deadline, at the side of many others.
const maxSpare = 64 << 10

// end judges the message, which is complete.
func (m *message) end() *frame.Breach {
	if m.text && !m.utf8.end() {
		return invalidText()
	}
	if m.expect.whole() {
		m.matched, m.miss = m.expect.judge(m.body, m.text, m.caught, m.late)
		m.matched = m.matched || m.joins && m.judgeStream()
		if cap(m.body) > maxSpare {
			m.body = nil
		}
	} else {
		m.matched = m.matcher.found
	}
	return nil
}

// maxStream is the longest stream that is judged as a whole, which is done again with every message.
const maxStream = 4 << 10

// judgeStream judges all messages so far as one.
func (m *message) judgeStream() bool {
	if len(m.stream)+len(m.body) > maxStream {
		return false
	}
	m.stream = append(m.stream, m.body...)
	matched, _ := m.expect.judge(m.stream, m.text, m.caught, m.late)
	return matched
}

func invalidText() *frame.Breach {
	return &frame.Breach{Type: reasons.ProtocolError, Code: frame.CloseInvalidData, About: say.Own("protocol error: text message that is not UTF-8")}
}
