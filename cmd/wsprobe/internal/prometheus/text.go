package prometheus

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"
)

// wholeBelow is the first whole number that both formats write with an exponent.
const wholeBelow = 1_000_000

// appendFloat appends a number as expfmt writes it. OpenMetrics has a point or an exponent in each.
func appendFloat(to []byte, x float64, open bool) []byte {
	switch {
	case math.IsInf(x, 1):
		return append(to, "+Inf"...)
	case math.IsNaN(x) || math.IsInf(x, -1):
		return strconv.AppendFloat(to, x, 'g', -1, 64)
	}
	start := len(to)
	if whole := int64(x); float64(whole) == x && whole > -wholeBelow && whole < wholeBelow {
		to = strconv.AppendInt(to, whole, 10)
	} else {
		to = strconv.AppendFloat(to, x, 'g', -1, 64)
	}
	if open && !bytes.ContainsAny(to[start:], "e.") {
		to = append(to, ".0"...)
	}
	return to
}

func appendHex(to, id []byte) []byte { return hex.AppendEncode(to, id) }

// appendEscaped appends a text with a backslash before what has a meaning. In help, as Prometheus has it, quotes have
// none.
func appendEscaped(to []byte, text string, quotes bool) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			to = append(to, `\\`...)
		case c == '\n':
			to = append(to, `\n`...)
		case c == '"' && quotes:
			to = append(to, `\"`...)
		default:
			to = append(to, c)
		}
	}
	return to
}

// uppers are the labels of buckets, of the bounds that were asked for last.
type uppers struct {
	bounds *float64
	length int
	le     []string
}

// of returns the ends of the samples of buckets: the label, and all up to the value. The same bounds are mostly the same
// memory.
func (u *uppers) of(bounds []float64, open bool) []string {
	if len(bounds) > 0 && u.bounds == &bounds[0] && u.length == len(bounds) {
		return u.le
	}
	u.le = u.le[:0]
	for _, bound := range append(bounds[:len(bounds):len(bounds)], math.Inf(1)) {
		u.le = append(u.le, `le="`+string(appendFloat(nil, bound, open))+`"} `)
	}
	if u.bounds, u.length = nil, len(bounds); len(bounds) > 0 {
		u.bounds = &bounds[0]
	}
	return u.le
}
