package redact

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decoders undo encodings in which no byte looks like itself, or of which only the context says that they are there. Each
// returns the texts that a text may have been made of.
var decoders = []func(layer) []layer{base64Layers, hexLayers, decimalLayers, quotedLayers, doubledLayers}

// apart stands between two parts of a layer that do not belong together. No secret of a header has it.
const apart = 1

// minBase64 is how many characters of base64 in a row are looked at. Six bytes are the fewest that count within words.
const minBase64 = 8

// base64Layers decodes base64 (RFC 4648 4 and 5), with and without padding and broken into lines. It starts at each of
// four characters, for what stands before may be of the same alphabet.
func base64Layers(l layer) []layer {
	var layers [4]layer
	digits := make([]int, 0, len(l.text)) // where they are
	settle := func() {
		if len(digits) >= minBase64 {
			for start := range layers {
				layers[start].base64(l, digits[start:])
			}
		}
		digits = digits[:0]
	}
	for i, c := range l.text {
		if base64Digit(c) >= 0 {
			digits = append(digits, i)
		} else if c != '\r' && c != '\n' {
			settle()
		}
	}
	settle()
	if len(layers[0].text) == 0 {
		return nil
	}
	return layers[:]
}

// base64 appends what the digits of another layer stand for.
func (l *layer) base64(of layer, digits []int) {
	bits, n := uint32(0), 0
	for k, i := range digits {
		bits = bits<<6 | uint32(base64Digit(of.text[i]))
		if n += 6; n >= 8 {
			n -= 8
			l.put(of, digits[k-1], i+1, byte(bits>>n))
		}
	}
	l.put(of, digits[0], digits[0]+1, apart)
}

func base64Digit(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return -1
}

// minBytes is how many bytes in a row, written as numbers, are looked at.
const minBytes = 4

// hexLayers decodes hexadecimal digits, in a row or byte by byte, as dumps and fingerprints have them.
func hexLayers(l layer) []layer {
	var even, odd layer
	for i := 0; i < len(l.text); {
		if _, ok := hexDigit(l.text[i]); !ok {
			i++
			continue
		}
		end := even.hex(l, i)
		odd.hex(l, i+1)
		i = max(end, i+1)
	}
	return full(even, odd)
}

// hex appends the bytes that begin at a place of another layer, if they are enough, and returns where they end.
func (l *layer) hex(of layer, begin int) int {
	bytes, end, n := sized(16), begin, 0
	for i := begin; ; {
		value, ok := hexadecimal(of.text, i, 2)
		if !ok {
			break
		}
		bytes.put(of, i, i+2, byte(value))
		n, end = n+1, i+2
		i = end + separator(of.text[end:])
	}
	if n >= minBytes {
		l.append(bytes)
		l.put(of, begin, begin+1, apart)
	}
	return end
}

// separator is the length of what may stand between two bytes of a dump.
func separator(s []byte) int {
	n := 0
	if n < len(s) && (s[n] == ':' || s[n] == '-' || s[n] == ',') {
		n++
	}
	if n < len(s) && (s[n] == ' ' || s[n] == '+' || s[n] == '\n') {
		n++
	}
	if n+1 < len(s) && s[n] == '0' && s[n+1]|0x20 == 'x' {
		n += 2
	}
	return n
}

// decimalLayers decodes lists of numbers, as which some runtimes print bytes.
func decimalLayers(l layer) []layer {
	var all layer
	part := sized(0)
	settle := func(at int) {
		if len(part.text) >= minBytes {
			all.append(part)
			all.put(l, at, at+1, apart)
		}
		part = sized(0)
	}
	for i := 0; i < len(l.text); {
		n, end := 0, i
		for end < len(l.text) && '0' <= l.text[end] && l.text[end] <= '9' && n < 256 {
			n = n*10 + int(l.text[end]-'0')
			end++
		}
		switch {
		case end > i && n < 256:
			part.put(l, i, end, byte(n))
			i = end
		case l.text[i] == ',' || l.text[i] == ' ' || l.text[i] == '+' || l.text[i] == '\n':
			i++
		default:
			settle(i)
			i = max(end, i+1)
		}
	}
	if len(l.text) > 0 {
		settle(len(l.text) - 1)
	}
	return full(all)
}

// quotedLayers decodes quoted-printable (RFC 2045 6.7).
func quotedLayers(l layer) []layer {
	if bytes.IndexByte(l.text, '=') < 0 {
		return nil
	}
	plain, changed := sized(len(l.text)), false
	for i := 0; i < len(l.text); {
		s := l.text[i:]
		n, ok := hexadecimal(s, 1, 2)
		switch {
		case s[0] == '=' && ok:
			plain.put(l, i, i+3, byte(n))
			i, changed = i+3, true
		case bytes.HasPrefix(s, []byte("=\r\n")):
			i, changed = i+3, true
		case bytes.HasPrefix(s, []byte("=\n")):
			i, changed = i+2, true
		default:
			plain.put(l, i, i+1, s[0])
			i++
		}
	}
	if !changed {
		return nil
	}
	return []layer{plain}
}

// doubledLayers decodes UTF-8 whose bytes somebody took for characters of Latin-1, or of its neighbour on Windows.
func doubledLayers(l layer) []layer {
	plain, changed := sized(len(l.text)), false
	for i := 0; i < len(l.text); {
		r, size := utf8.DecodeRune(l.text[i:])
		c, ok := byte(r), r <= 0xff
		if !ok {
			c, ok = charmap.Windows1252.EncodeRune(r)
		}
		if size > 1 && ok {
			plain.put(l, i, i+size, c)
			changed = true
		} else {
			plain.put(l, i, i+size, l.text[i:i+size]...)
		}
		i += size
	}
	if !changed {
		return nil
	}
	return []layer{plain}
}

func (l *layer) append(other layer) {
	l.text = append(l.text, other.text...)
	l.from = append(l.from, other.from...)
	l.to = append(l.to, other.to...)
}

// full returns the layers that have something in them.
func full(layers ...layer) []layer {
	var found []layer
	for _, l := range layers {
		if len(l.text) > 0 {
			found = append(found, l)
		}
	}
	return found
}
