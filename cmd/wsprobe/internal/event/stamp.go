package event

import (
	"log/slog"
	"math"
	"time"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// stamp is how times are written: as a number, or as a text in a layout.
type stamp struct {
	number func(time.Time) slog.Value
	layout string
}

const javaSQL = "2006-01-02 15:04:05.000000"

func newStamp(format string) stamp {
	whole := func(of func(time.Time) int64) stamp {
		return stamp{number: func(t time.Time) slog.Value { return slog.Int64Value(of(t)) }}
	}
	switch format {
	case shape.Unix:
		return whole(time.Time.Unix)
	case shape.UnixMS:
		return whole(time.Time.UnixMilli)
	case shape.UnixUS:
		return whole(time.Time.UnixMicro)
	case shape.UnixNS:
		return whole(nanos)
	case shape.UnixFloat:
		return stamp{number: func(t time.Time) slog.Value { return slog.Float64Value(float64(t.UnixMicro()) / 1e6) }}
	case shape.JavaSQL:
		return stamp{layout: javaSQL}
	default:
		return stamp{layout: time.RFC3339Nano}
	}
}

// nanos returns the time in nanoseconds since 1970, at the edge of 64 bits for one beyond. A certificate without an
// end, for one, ends in the year 9999.
func nanos(t time.Time) int64 {
	switch {
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	}
	return t.UnixNano()
}

// append appends a time that is a text.
func (s stamp) append(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if s.layout != time.RFC3339Nano || year < 0 || year > 9999 {
		return t.AppendFormat(dst, s.layout)
	}
	hour, minute, second := t.Clock() // every event has several times, and most of its cost was their format
	dst = appendTwo(appendTwo(dst, year/100, 0), year%100, '-')
	dst = appendTwo(appendTwo(dst, int(month), '-'), day, 'T')
	dst = appendTwo(appendTwo(dst, hour, ':'), minute, ':')
	return append(appendFraction(appendTwo(dst, second, 0), uint32(t.Nanosecond())), 'Z')
}

// appendTwo appends two digits, and what follows them unless it is 0.
func appendTwo(dst []byte, n int, behind byte) []byte {
	dst = append(dst, '0'+byte(n/10), '0'+byte(n%10))
	if behind != 0 {
		dst = append(dst, behind)
	}
	return dst
}

// plain returns a value that is no time.
func (s stamp) plain(v slog.Value) slog.Value {
	if v.Kind() != slog.KindTime {
		return v
	}
	if s.number != nil {
		return s.number(v.Time())
	}
	return slog.StringValue(string(s.append(nil, v.Time())))
}
