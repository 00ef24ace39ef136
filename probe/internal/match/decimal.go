package match

import (
	"strconv"
	"strings"
)

// decimal is a number of JSON (RFC 8259 6) in its canonical form: digits without zeros at either end, of which the
// first stands for the power exponent of ten. It is exact at any size, because a float64 would confuse long
// identifiers.
type decimal struct {
	negative bool
	digits   string // empty for 0, which is -0 as well
	exponent int64
}

// maxExponentDigits bounds the exponents that are parsed. A number beyond the bound equals only the same text.
const maxExponentDigits = 17

// parseDecimal parses a valid number of JSON. Its time is linear in the text, whatever the exponent.
func parseDecimal(text string) (decimal, bool) {
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	leading := len(whole) + len(fraction) - len(digits)
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{}, true
	}
	power, ok := parseExponent(exponent)
	return decimal{negative, digits, power + int64(len(whole)-leading-1)}, ok
}

// parseExponent returns the exponent and whether it is within the bound. Only a hostile server writes a longer one.
func parseExponent(text string) (int64, bool) {
	text, negative := strings.CutPrefix(strings.TrimPrefix(text, "+"), "-")
	text = strings.TrimLeft(text, "0")
	if text == "" {
		return 0, true
	}
	if len(text) > maxExponentDigits {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// sameNumber reports whether two numbers of JSON are equal, however they are written.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	return okX && okY && x == y
}
