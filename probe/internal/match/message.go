package match

// Message follows one data message after the other and compares each with an expectation. It keeps the beginning of a
// message, which people are shown, and the whole only if the expectation needs it.
type Message struct {
	expect  *Expectation
	options Options
	search  search
	utf8    UTF8
	text    bool
	head    []byte
	size    int
	matched bool

	// These are used if the expectation needs whole messages.
	body     []byte
	miss     jsonMiss          // why the message is not the JSON that is expected
	stream   []byte            // the messages so far, if they join
	captures map[string]string // texts that named groups matched, nil if nobody asks
}

// Options are the properties of a [Message]. The zero value keeps nothing of a message; a whole one needs Late.
type Options struct {
	// Keep is the number of bytes to keep of the beginning of a message. A [NearMiss] looks at NearBytes of them.
	Keep int
	// Longest is the number of bytes that a message can have. It bounds the memory that is set aside for a whole
	// message.
	Longest int
	// Late reports whether time is up. An expression or a path that takes long then finds nothing.
	Late func() bool
	// Captures collects the texts that named groups of the expression match.
	Captures bool
	// Joins makes binary messages the parts of one stream of bytes as well: the expected text may then begin in one
	// message and end in another.
	Joins bool
}

// NewMessage prepares for messages that are compared with an expectation.
func NewMessage(e *Expectation, o Options) *Message {
	m := &Message{expect: e, options: o, search: search{needle: e.needle}}
	if o.Captures {
		m.captures = make(map[string]string)
	}
	m.search.reset()
	return m
}

// Text reports whether the message is a text message. The others are binary.
func (m *Message) Text() bool { return m.text }

// Head returns the beginning of the message, valid until the next one begins. If messages join, it is that of the
// stream.
func (m *Message) Head() []byte { return m.head }

// Size returns the number of bytes so far.
func (m *Message) Size() int { return m.size }

// Matched reports whether the message, which has ended, is the expected one.
func (m *Message) Matched() bool { return m.matched }

// Captures returns the texts that named groups matched in the messages so far, by name.
func (m *Message) Captures() map[string]string { return m.captures }

// Begin prepares for the next message.
func (m *Message) Begin(text bool) {
	if !m.options.Joins || text {
		m.Forget()
	}
	m.utf8 = UTF8{}
	m.text, m.body, m.matched, m.size = text, m.body[:0], false, 0
}

// Forget makes a stream begin with the next message.
func (m *Message) Forget() {
	m.search.reset()
	m.head, m.stream = m.head[:0], m.stream[:0]
}

// Write takes the next bytes of the message. It reports false for bytes that cannot be part of a text message, because
// they are not UTF-8 (RFC 6455 8.1).
func (m *Message) Write(chunk []byte) bool {
	if m.text && !m.utf8.Write(chunk) {
		return false
	}
	if m.expect.whole() {
		m.keepWhole(chunk)
	} else {
		m.search.write(chunk)
	}
	m.size += len(chunk)
	m.head = append(m.head, chunk[:min(len(chunk), m.options.Keep-len(m.head))]...)
	return true
}

// keepWhole appends to the body. It doubles the capacity up to the longest possible message: append would leave several
// times the message as garbage and reserve a quarter too much.
func (m *Message) keepWhole(chunk []byte) {
	if need := len(m.body) + len(chunk); need > cap(m.body) {
		bigger := make([]byte, len(m.body), max(need, min(2*cap(m.body), m.options.Longest)))
		copy(bigger, m.body)
		m.body = bigger
	}
	m.body = append(m.body, chunk...)
}

// maxSpare is the largest buffer in bytes that is kept for the next message. There may never be one, and a run that
// waits for it until its deadline is one of many.
const maxSpare = 64 << 10

// End compares the message, which is complete. It reports false for a text message that ends within a character.
func (m *Message) End() bool {
	if m.text && !m.utf8.End() {
		return false
	}
	if !m.expect.whole() {
		m.matched = m.search.found
		return true
	}
	m.matched, m.miss = m.expect.judge(m.body, m.text, m.captures, m.options.Late)
	m.matched = m.matched || m.options.Joins && m.judgeStream()
	if cap(m.body) > maxSpare {
		m.body = nil
	}
	return true
}

// maxStream is the length in bytes of the longest stream that is compared as a whole, because each message repeats the
// comparison.
const maxStream = 4 << 10

// judgeStream compares all messages so far as one.
func (m *Message) judgeStream() bool {
	if len(m.stream)+len(m.body) > maxStream {
		return false
	}
	m.stream = append(m.stream, m.body...)
	matched, _ := m.expect.judge(m.stream, m.text, m.captures, m.options.Late)
	return matched
}
