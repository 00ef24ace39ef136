package probe

import "unicode/utf8"

// pattern is a text to look for, prepared once: fail[i] is the length of the longest proper prefix of the
// text that ends its first i+1 bytes (Knuth, Morris and Pratt). However small the pieces are in which a
// message comes, each of its bytes is looked at once.
type pattern struct {
	text string
	fail []int32
}

func newPattern(text string) pattern {
	p := pattern{text, make([]int32, len(text))}
	matched := int32(0)
	for i := 1; i < len(text); i++ {
		for matched > 0 && text[i] != text[matched] {
			matched = p.fail[matched-1]
		}
		if text[i] == text[matched] {
			matched++
		}
		p.fail[i] = matched
	}
	return p
}

// matcher looks for a pattern in a message that comes in chunks, so that no message has to be kept whole.
// An empty pattern matches every message.
type matcher struct {
	pattern pattern
	matched int32 // bytes of the pattern that the message so far ends with
	found   bool
}

func (m *matcher) reset() {
	m.matched = 0
	m.found = m.pattern.text == ""
}

func (m *matcher) write(chunk []byte) {
	text := m.pattern.text
	if m.found || text == "" {
		return
	}
	for _, c := range chunk {
		for m.matched > 0 && c != text[m.matched] {
			m.matched = m.pattern.fail[m.matched-1]
		}
		if c == text[m.matched] {
			m.matched++
		}
		if int(m.matched) == len(text) {
			m.found = true
			return
		}
	}
}

// utf8Checker validates text that comes in chunks, which may split a character (RFC 6455 8.1).
type utf8Checker struct {
	part    [utf8.UTFMax]byte // an unfinished character at the end of the last chunk
	partLen int
}

// write reports whether the text is still valid.
func (c *utf8Checker) write(chunk []byte) bool {
	for c.partLen > 0 && len(chunk) > 0 {
		c.part[c.partLen] = chunk[0]
		c.partLen++
		chunk = chunk[1:]
		if utf8.FullRune(c.part[:c.partLen]) {
			if r, size := utf8.DecodeRune(c.part[:c.partLen]); r == utf8.RuneError && size == 1 {
				return false
			}
			c.partLen = 0
		}
	}
	whole := len(chunk)
	for back := 1; back < utf8.UTFMax && back <= len(chunk); back++ {
		if b := chunk[len(chunk)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(chunk[len(chunk)-back:]) {
				whole = len(chunk) - back
			}
			break
		}
	}
	c.partLen += copy(c.part[c.partLen:], chunk[whole:])
	return utf8.Valid(chunk[:whole])
}

// end reports whether the text ended with a whole character.
func (c *utf8Checker) end() bool { return c.partLen == 0 }
