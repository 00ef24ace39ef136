package match

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// bytePattern compiles a valid regular expression for binary messages, which it matches byte by byte: \xff is the byte
// 0xff, and a dot is any byte. Characters outside ASCII stand for the bytes of their UTF-8.
//
// It returns nil for an expression about characters, for instance with \p{L}, \x{20ac} or [äö]. Such an expression
// reads binary messages as UTF-8, too.
func bytePattern(expr string) *regexp.Regexp {
	form, ok := byteForm(expr)
	if !ok {
		return nil
	}
	parsed, err := syntax.Parse(form, syntax.Perl)
	if err != nil || !ofBytes(parsed) {
		return nil
	}
	re, err := regexp.Compile(form)
	if err != nil {
		return nil
	}
	return re
}

// byteForm writes characters outside ASCII as their bytes. It reports false if a class has such characters.
func byteForm(expr string) (string, bool) {
	var b strings.Builder
	for expr != "" {
		n := 1
		switch {
		case strings.HasPrefix(expr, `\Q`):
			text, rest, _ := strings.Cut(expr[2:], `\E`)
			for _, r := range text {
				b.WriteString(byteText(r))
			}
			expr = rest
			continue
		case strings.HasPrefix(expr, `\p`), strings.HasPrefix(expr, `\P`):
			return "", false
		case expr[0] == '\\' && len(expr) > 1:
			n = 2
		case expr[0] == '[':
			n = classLength(expr)
			if class := expr[:n]; !isASCII(class) || strings.Contains(class, `\p`) || strings.Contains(class, `\P`) {
				return "", false
			}
		case expr[0] >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(expr)
			b.WriteString(byteText(r))
			expr = expr[size:]
			continue
		}
		b.WriteString(expr[:n])
		expr = expr[n:]
	}
	return b.String(), true
}

// byteText is a regular expression for the bytes of a character.
func byteText(r rune) string {
	if r < utf8.RuneSelf {
		return regexp.QuoteMeta(string(r))
	}
	var b strings.Builder
	for _, c := range []byte(string(r)) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return "(?:" + b.String() + ")"
}

// classLength is the length of the class of characters at the beginning of a valid regular expression.
func classLength(expr string) int {
	i := 1
	if strings.HasPrefix(expr[i:], "^") {
		i++
	}
	if strings.HasPrefix(expr[i:], "]") { // a ] at the beginning does not end the class
		i++
	}
	for i < len(expr) {
		switch {
		case strings.HasPrefix(expr[i:], "[:") && strings.Contains(expr[i:], ":]"):
			i += strings.Index(expr[i:], ":]") + len(":]")
			continue
		case expr[i] == '\\':
			i++
		case expr[i] == ']':
			return i + 1
		}
		i++
	}
	return len(expr)
}

// ofBytes reports whether the number of every character in an expression fits into a byte. In a class, only the end of
// an open range can be higher.
func ofBytes(re *syntax.Regexp) bool {
	const last = 0xff
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r > last {
				return false
			}
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			from, to := re.Rune[i], re.Rune[i+1]
			if (from > last || to > last) && to != utf8.MaxRune && !folded(from, to) {
				return false
			}
		}
	}
	for _, sub := range re.Sub {
		if !ofBytes(sub) {
			return false
		}
	}
	return true
}

// folded reports whether a range is a letter of ASCII in another case: the long s or the Kelvin sign.
func folded(from, to rune) bool { return from == to && (from == '\u017f' || from == '\u212a') }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
