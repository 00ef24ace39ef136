package match

import "unicode/utf8"

// UTF8 validates text that arrives in chunks, which may split a character (RFC 6455 8.1).
type UTF8 struct {
	part    [utf8.UTFMax]byte // an unfinished character at the end of the last chunk
	partLen uint8
}

// Reset prepares for the next text.
func (c *UTF8) Reset() { *c = UTF8{} }

// Write reports whether the text is still valid.
func (c *UTF8) Write(chunk []byte) bool {
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
	c.partLen += uint8(copy(c.part[c.partLen:], chunk[whole:]))
	return utf8.Valid(chunk[:whole])
}

// End reports whether the text ended with a whole character.
func (c *UTF8) End() bool { return c.partLen == 0 }
