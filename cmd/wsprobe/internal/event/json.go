package event

import (
	"log/slog"
	"math"
	"strconv"
	"unicode/utf8"
)

// json appends an event as an object.
func (e *Encoder) json(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	slot, begin := -1, len(dst)
	for i := range e.columns {
		c := &e.columns[i]
		dst = append(dst, c.key...)
		if c.kind == replay {
			slot = len(dst)
			continue
		}
		dst = e.jsonOf(dst, c, ev, room)
	}
	if len(e.columns) == 0 {
		return append(dst, "{}"...), slot
	}
	dst[begin] = '{' // in place of the first comma
	return append(dst, '}'), slot
}

// jsonLine appends an event as an object on a line.
func (e *Encoder) jsonLine(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	dst, slot := e.json(dst, ev, room)
	return append(dst, '\n'), slot
}

// jsonOf appends the value of a column.
func (e *Encoder) jsonOf(dst []byte, c *column, ev *Event, room *scratch) []byte {
	switch {
	case c.within == nil:
		return e.stamp.appendJSON(dst, c.value(ev))
	case c.absent(ev):
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for i, p := range c.pairs(ev, room) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, p.name), ':')
		dst = e.stamp.appendJSON(dst, p.value)
	}
	return append(dst, '}')
}

// appendJSON appends a value as encoding/json has it.
func (s stamp) appendJSON(dst []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendQuoted(dst, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case slog.KindFloat64:
		return appendFloat(dst, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case slog.KindTime:
		if s.number != nil {
			return s.appendJSON(dst, s.number(v.Time()))
		}
		return append(s.append(append(dst, '"'), v.Time()), '"')
	}
	numbers, is := v.Any().([]*float64)
	if !is {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, n := range numbers {
		if i > 0 {
			dst = append(dst, ',')
		}
		if n == nil {
			dst = append(dst, "null"...)
		} else {
			dst = appendFloat(dst, *n)
		}
	}
	return append(dst, ']')
}

// appendFloat appends a number as ECMAScript has it. A value that is none becomes null, because JSON has no name for it.
func appendFloat(dst []byte, f float64) []byte {
	if millionths := math.Round(f * 1e6); millionths >= 0 && millionths < 1e15 && millionths/1e6 == f && !math.Signbit(f) {
		return appendMillionths(dst, uint64(millionths))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// appendMillionths appends a number without the zeros behind it. With at most 15 digits it is the shortest one that is
// read as its float64. Most numbers are times in ms, which have at most six digits behind the point.
func appendMillionths(dst []byte, n uint64) []byte {
	dst = strconv.AppendUint(dst, n/1e6, 10)
	return appendFraction(dst, uint32(n%1e6)*1e3)
}

// appendFraction appends billionths behind a point, without the zeros behind them. Of none it appends nothing.
func appendFraction(dst []byte, billionths uint32) []byte {
	if billionths == 0 {
		return dst
	}
	text := [10]byte{'.'}
	last := 0
	for i := 9; i > 0; i-- {
		digit := billionths % 10
		billionths /= 10
		if text[i] = '0' + byte(digit); last == 0 && digit > 0 {
			last = i
		}
	}
	return append(dst, text[:last+1]...)
}

// simple reports whether a text is known to need no escapes. It looks at eight bytes at a time.
func simple(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		const each, high = 0x0101010101010101, 0x8080808080808080
		quote, slash := x^each*'"', x^each*'\\'
		// A subtraction sets the high bit of the first byte that is less, and maybe of others behind it.
		if (x|(x-each*' ')|(quote-each)&^quote|(slash-each)&^slash)&high != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends a text as JSON. What is not UTF-8 is replaced. The two line separators that are no line ends to
// JSON are escaped, because they are to JavaScript.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if simple(s) {
		return append(append(dst, s...), '"')
	}
	begin, broken := 0, -1 // the ends of what is written, and of the last bytes that are not UTF-8
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			if r, size = utf8.DecodeRuneInString(s[i:]); (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
		}
		dst = append(dst, s[begin:i]...)
		i += size
		begin = i
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case utf8.RuneError:
			if broken != i-size { // once for all that follow each other, as strings.ToValidUTF8 does
				dst = append(dst, "\uFFFD"...)
			}
			broken = i
		default:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
	}
	return append(append(dst, s[begin:]...), '"')
}
