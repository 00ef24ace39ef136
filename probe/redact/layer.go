package redact

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// layer is a text, decoded from another one, the source. Each byte knows from which part of the source it comes.
type layer struct {
	text     []byte
	from, to []int32
}

// plainLayer is a text as it is.
func plainLayer(s string) layer {
	l := layer{text: []byte(s), from: make([]int32, len(s)), to: make([]int32, len(s))}
	for i := range l.text {
		l.from[i], l.to[i] = int32(i), int32(i)+1
	}
	return l
}

// sized is an empty layer with room for so many bytes.
func sized(n int) layer {
	return layer{text: make([]byte, 0, n), from: make([]int32, 0, n), to: make([]int32, 0, n)}
}

// put appends bytes that all come from the bytes i to j of another layer.
func (l *layer) put(of layer, i, j int, text ...byte) {
	for _, c := range text {
		l.text = append(l.text, c)
		l.from = append(l.from, of.from[i])
		l.to = append(l.to, of.to[j-1])
	}
}

// span is the part of the source from which the bytes i to j come.
func (l layer) span(i, j int) span { return span{int(l.from[i]), int(l.to[j-1])} }

// fold returns a text in the form in which it is compared: without letter case, in whatever script, and without the
// differences that forms, line ends and character sets make. A byte that is not UTF-8 is taken for Latin-1, and what
// UTF-16 adds to ASCII is nothing.
func (l layer) fold() layer {
	folded := sized(len(l.text))
	for i := 0; i < len(l.text); {
		c := l.text[i]
		if c < utf8.RuneSelf {
			if c = foldASCII(c); c != 0 {
				folded.put(l, i, i+1, c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(l.text[i:])
		if r == utf8.RuneError && size == 1 {
			r = rune(c)
		}
		folded.put(l, i, i+size, foldRune(r)...)
		i += size
	}
	return folded
}

// foldASCII returns what a character of ASCII is compared as, or 0 for nothing.
func foldASCII(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '\r':
		return 0
	case c == '+' || c == '\n' || c == '\t': // a form has + for a blank
		return ' '
	default:
		return c
	}
}

// foldRune is foldASCII for all other characters.
func foldRune(r rune) []byte {
	const dotAbove = '\u0307' // lower case of the dotted capital I has it
	switch {
	case r == dotAbove:
		return nil
	case r == '\u0131': // dotless i
		return []byte{'i'}
	case r == '\u0130':
		return []byte{'i'}
	case r == '\u00a0':
		return []byte{' '}
	case !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) && !unicode.IsSymbol(r):
		return utf8.AppendRune(nil, r)
	}
	fold := cases.Fold()
	return fold.Bytes(utf8.AppendRune(nil, r))
}
