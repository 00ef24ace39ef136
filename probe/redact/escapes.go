package redact

import (
	"bytes"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape undoes one round of escapes: of URLs, of HTML, and those that begin with a backslash. The zeros that UTF-16 adds
// to ASCII go, too. It reports whether there was anything to undo.
func (l layer) unescape() (layer, bool) {
	if !bytes.ContainsAny(l.text, "%&\\\x00") {
		return l, false
	}
	plain, changed, at := sized(len(l.text)), false, escapeAt
	if bytes.IndexByte(l.text, 0) >= 0 {
		at = zeroAt // they stand within the others
	}
	for i := 0; i < len(l.text); {
		text, size := at(l.text[i:])
		if size == 0 {
			plain.put(l, i, i+1, l.text[i])
			i++
			continue
		}
		plain.put(l, i, i+size, text...)
		i, changed = i+size, true
	}
	return plain, changed
}

// zeroAt is escapeAt for the zeros of UTF-16.
func zeroAt(s []byte) (text []byte, size int) {
	if s[0] == 0 {
		return nil, 1
	}
	return nil, 0
}

// escapeAt returns what an escape at the beginning of a text stands for, and its size, which is 0 if there is none.
func escapeAt(s []byte) (text []byte, size int) {
	switch s[0] {
	case '%':
		return percent(s)
	case '&':
		return entity(s)
	case '\\':
		return backslash(s)
	default:
		return nil, 0
	}
}

// percent takes %20, and %u0020 as old scripts have it.
func percent(s []byte) ([]byte, int) {
	if n, ok := hexadecimal(s, 1, 2); ok {
		return []byte{byte(n)}, 3
	}
	if len(s) > 1 && (s[1] == 'u' || s[1] == 'U') {
		return utf16At(s, 2)
	}
	return nil, 0
}

// maxEntity is the longest entity that is looked for. The longest name of HTML has 33 characters.
const maxEntity = 48

// entity takes &amp; &#38; &#x26; and, as parsers do, those that lack the semicolon.
func entity(s []byte) ([]byte, int) {
	end := 1
	for end < len(s) && end < maxEntity && (isAlphanumeric(s[end]) || s[end] == '#' && end == 1) {
		end++
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	token := string(s[:end])
	text := html.UnescapeString(token)
	if text == token { // in capitals, if it is a name at all
		token = strings.ToLower(token)
		text = html.UnescapeString(token)
	}
	if text == token {
		return nil, 0
	}
	// What follows an entity without a semicolon stays.
	rest := 0
	for rest < len(text)-1 && rest < len(token)-1 && text[len(text)-1-rest] == token[len(token)-1-rest] {
		rest++
	}
	size := len(token) - rest
	if size < len(s) && token[size-1] != ';' && (s[size] == '%' || s[size] == '\\') {
		if next, n := escapeAt(s[size:]); string(next) == ";" { // the semicolon was escaped again
			size += n
		}
	}
	return []byte(text[:len(text)-rest]), size
}

// single are the escapes of one letter.
var single = strings.NewReplacer("n", "\n", "t", "\t", "r", "\r", "b", "\b", "f", "\f", "v", "\v", "a", "\a", "e", "\x1b", "\n", "")

// backslash takes the escapes of JSON, JavaScript, C, Go and Python.
func backslash(s []byte) ([]byte, int) {
	if len(s) < 2 {
		return nil, 0
	}
	switch c := s[1]; {
	case c == 'u' || c == 'U' || c == 'x' || c == 'X':
		if text, size := number(s); size > 0 {
			return text, size
		}
	case '0' <= c && c <= '7':
		n, size := 0, 1
		for size < min(4, len(s)) && '0' <= s[size] && s[size] <= '7' && n*8+int(s[size]-'0') < 256 {
			n = n*8 + int(s[size]-'0')
			size++
		}
		return []byte{byte(n)}, size
	case c >= utf8.RuneSelf:
		return nil, 1
	}
	return []byte(single.Replace(string(s[1:2]))), 2
}

// number takes \u0020, \u{20}, \U00000020, \x20 and \x{20}.
func number(s []byte) ([]byte, int) {
	if len(s) > 2 && s[2] == '{' {
		end := bytes.IndexByte(s[:min(len(s), 12)], '}')
		if n, ok := hexadecimal(s, 3, end-3); ok {
			return utf8.AppendRune(nil, rune(n)), end + 1
		}
		return nil, 0
	}
	switch s[1] {
	case 'x', 'X':
		n, ok := hexadecimal(s, 2, 2)
		if ok {
			return []byte{byte(n)}, 4
		}
	case 'U':
		n, ok := hexadecimal(s, 2, 8)
		if ok {
			return utf8.AppendRune(nil, rune(n)), 10
		}
		return utf16At(s, 2)
	case 'u':
		return utf16At(s, 2)
	}
	return nil, 0
}

// utf16At takes four digits behind an escape of the given length, and a second such escape if both are one character.
func utf16At(s []byte, begin int) ([]byte, int) {
	high, ok := hexadecimal(s, begin, 4)
	if !ok {
		return nil, 0
	}
	size := begin + 4
	r := rune(high)
	if utf16.IsSurrogate(r) && bytes.HasPrefix(s[size:], s[:begin]) {
		if low, ok := hexadecimal(s, size+begin, 4); ok {
			if both := utf16.DecodeRune(r, rune(low)); both != utf8.RuneError {
				r, size = both, size+begin+4
			}
		}
	}
	return utf8.AppendRune(nil, r), size
}

// hexadecimal reads so many digits.
func hexadecimal(s []byte, begin, digits int) (n uint32, ok bool) {
	if digits < 1 || digits > 8 || begin+digits > len(s) {
		return 0, false
	}
	for _, c := range s[begin : begin+digits] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		n = n<<4 | uint32(d)
	}
	return n, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
