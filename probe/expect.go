package probe

import (
	"bytes"
	"unicode/utf8"
)

// matcher looks for a needle in a message that comes in chunks, so that no message has to be kept whole.
// An empty needle matches every message.
type matcher struct {
	needle []byte
	tail   []byte // the last len(needle)-1 bytes seen
	found  bool
}

func (m *matcher) reset() {
	m.tail = m.tail[:0]
	m.found = len(m.needle) == 0
}

func (m *matcher) write(chunk []byte) {
	if m.found {
		return
	}
	// The seam first: the needle can begin in what came before and end in this chunk.
	keep := len(m.needle) - 1
	seam := append(m.tail, chunk[:min(len(chunk), keep)]...)
	m.found = bytes.Contains(seam, m.needle) || bytes.Contains(chunk, m.needle)
	if len(chunk) >= keep {
		m.tail = append(seam[:0], chunk[len(chunk)-keep:]...)
	} else {
		m.tail = append(seam[:0], seam[max(0, len(seam)-keep):]...)
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
