package probe

import "github.com/wsprobe/wsprobe/reasons"

// message follows one data message after the other. Of a message it keeps what people are shown and, if only the
// whole can be judged, the whole; never more than the frame scanner lets pass.
type message struct {
	expect  expectation
	matcher matcher
	utf8    utf8Checker
	text    bool
	keep    int // bytes of head to keep
	head    []byte
	body    []byte
	matched bool              // whether the message, which has ended, is as expected
	caught  map[string]string // what the named groups of its pattern caught
}

func newMessage(expect expectation, keep int) *message {
	return &message{expect: expect, matcher: matcher{pattern: expect.pattern}, keep: keep}
}

// begin prepares for the next message.
func (m *message) begin(text bool) {
	m.matcher.reset()
	m.utf8 = utf8Checker{}
	m.text, m.head, m.body, m.matched = text, m.head[:0], m.body[:0], false
}

// write takes the next bytes of the message.
func (m *message) write(chunk []byte) *breach {
	if m.text && !m.utf8.write(chunk) {
		return invalidText()
	}
	if m.expect.whole() {
		m.body = append(m.body, chunk...)
	} else {
		m.matcher.write(chunk)
	}
	m.head = append(m.head, chunk[:min(len(chunk), m.keep-len(m.head))]...)
	return nil
}

// end judges the message, which is complete.
func (m *message) end() *breach {
	if m.text && !m.utf8.end() {
		return invalidText()
	}
	if m.expect.whole() {
		m.matched = m.expect.judge(m.body, m.caught)
	} else {
		m.matched = m.matcher.found
	}
	return nil
}

func invalidText() *breach {
	return &breach{reasons.ProtocolError, closeInvalidData, "protocol error: text message that is not UTF-8"}
}
