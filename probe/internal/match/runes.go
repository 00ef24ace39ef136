package match

import (
	"bytes"
	"io"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

const (
	// shortText is the length in bytes of a text that any regular expression matches in negligible time.
	shortText = 1 << 10
	// runesBetweenLooks is the number of characters between two looks at the clock. With tens of thousands of states, a
	// character costs a fraction of a millisecond.
	runesBetweenLooks = 16
)

// boundedRunes feeds a text to a regular expression, character by character, until time is up. The time of a match is
// linear in the text times the states: a long text of nothing but beginnings of a match can take minutes.
type boundedRunes struct {
	rest   []byte
	bytes  bool // each byte is a character
	late   func() bool
	looked int // characters since the last look at the clock
	up     bool
}

// ReadRune returns the next character, as package regexp would decode it.
func (b *boundedRunes) ReadRune() (rune, int, error) {
	if b.looked++; b.looked >= runesBetweenLooks {
		b.looked, b.up = 0, b.up || b.late()
	}
	if b.up || len(b.rest) == 0 {
		return 0, 0, io.EOF
	}
	r, size := rune(b.rest[0]), 1
	if !b.bytes {
		r, size = utf8.DecodeRune(b.rest)
	}
	b.rest = b.rest[size:]
	return r, size, nil
}

// findSubmatch is re.FindSubmatchIndex within time: it finds nothing once time is up.
func findSubmatch(re *regexp.Regexp, text []byte, late func() bool) []int {
	prefix, literal := re.LiteralPrefix()
	if literal || len(text) <= shortText {
		return re.FindSubmatchIndex(text)
	}
	// Finding the literal prefix of a match is fast, but package regexp does not look for it in a RuneReader.
	from := bytes.Index(text, []byte(prefix))
	switch {
	case from < 0:
		return nil
	case from > 0 && anchored(re):
		from = 0
	}
	return findFrom(re, &boundedRunes{rest: text[from:], late: late}, from)
}

// findBytes is findSubmatch of a regular expression that bytePattern made, in the bytes of a binary message.
func findBytes(re *regexp.Regexp, message []byte, late func() bool) []int {
	from := 0
	if prefix, _ := re.LiteralPrefix(); prefix != "" && !anchored(re) {
		if from = bytes.Index(message, byteString(prefix)); from < 0 {
			return nil
		}
	}
	return findFrom(re, &boundedRunes{rest: message[from:], bytes: true, late: late}, from)
}

// byteString takes characters to the bytes of their numbers.
func byteString(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		out = append(out, byte(r))
	}
	return out
}

// findFrom finds a regular expression in characters that begin at an offset of the text.
func findFrom(re *regexp.Regexp, runes *boundedRunes, from int) []int {
	match := re.FindReaderSubmatchIndex(runes)
	if runes.up {
		return nil // the match may rest on an end of the text that is not there
	}
	for i := range match {
		if match[i] >= 0 {
			match[i] += from
		}
	}
	return match
}

// anchored reports whether a regular expression matches at the beginning of a text only.
func anchored(re *regexp.Regexp) bool {
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return true
	}
	prog, err := syntax.Compile(parsed.Simplify())
	return err != nil || prog.StartCond()&syntax.EmptyBeginText != 0
}
