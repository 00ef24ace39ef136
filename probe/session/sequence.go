package session

import (
	"math"
	"strconv"
	"time"
)

// sequence follows the numbers of a connection's wanted messages. TCP keeps an order, so what it finds happened behind
// the endpoint.
type sequence struct {
	first   int64  // the number that it began with
	last    int64  // the highest number since
	seen    uint64 // bit i: last-i came
	counted bool   // there was a number
}

// span is how far back numbers are remembered. A number that is even lower begins a new sequence.
const span = 64

// maxLost is the longest gap that is one. A jump over more begins a new sequence.
const maxLost = 1 << 32

// next takes the number of a message. Late says that it was counted as lost before.
func (s *sequence) next(n int64) (lost int64, repeated, disordered, late bool) {
	ahead := n - s.last
	switch {
	case !s.counted || ahead > maxLost || n > s.last && ahead < 0: // the difference of two numbers can overflow
		s.begin(n)
	case ahead > 0:
		s.last = n
		s.seen = s.seen<<uint64(ahead) | 1
		return ahead - 1, false, false, false
	case ahead > -span && n <= s.last:
		bit := uint64(1) << uint64(-ahead)
		if s.seen&bit != 0 {
			return 0, true, false, false
		}
		s.seen |= bit
		return 0, false, true, n > s.first
	default:
		s.begin(n)
		return 0, false, true, false
	}
	return 0, false, false, false
}

func (s *sequence) begin(n int64) { s.first, s.last, s.seen, s.counted = n, n, 1, true }

// Bounds of a Unix time in a unit. Seconds reach to the year 5138, and milliseconds begin in 1973.
const (
	maxUnix      = 1e11
	maxUnixMilli = 1e14
	maxUnixMicro = 1e17
)

// parseTime reads a text of RFC 3339, or the time since 1970 in s, ms, µs or ns.
func parseTime(text string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		switch {
		case n < maxUnix:
			return time.Unix(n, 0), true
		case n < maxUnixMilli:
			return time.UnixMilli(n), true
		case n < maxUnixMicro:
			return time.UnixMicro(n), true
		default:
			return time.Unix(0, n), true
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0) {
		return time.Time{}, false
	}
	unit := time.Second
	switch {
	case f >= maxUnixMicro:
		unit = 1
	case f >= maxUnixMilli:
		unit = time.Microsecond
	case f >= maxUnix:
		unit = time.Millisecond
	}
	if f*float64(unit) >= 1<<63 {
		return time.Time{}, false
	}
	whole, part := math.Modf(f)
	return time.Unix(0, int64(whole)*int64(unit)+int64(part*float64(unit))), true
}
