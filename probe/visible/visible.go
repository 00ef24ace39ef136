// Package visible makes text of others fit to be shown: on a terminal, in a log, on a page.
package visible

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text escapes control characters, marks that reorder or hide text, line separators and bytes that are not UTF-8, in
// the way of Go. So a text cannot break its line, drive a terminal or look like another text. Joiners stay, because
// emoji and some scripts need them.
func Text(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		part := s[i : i+size]
		if Rune(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(part)
			continue
		}
		quoted := strconv.QuoteToASCII(part)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// plain reports whether nothing in a text needs an escape.
func plain(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !Rune(r) }) < 0
}

// Rune reports whether a character may be shown as it is.
func Rune(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	if r == nonJoiner || r == joiner {
		return true
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Noncharacter_Code_Point)
}
