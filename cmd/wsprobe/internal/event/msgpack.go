package event

import (
	"log/slog"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// msgpack appends an event as a map.
func (e *Encoder) msgpack(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	slot := -1
	dst = msgp.AppendMapHeader(dst, uint32(len(e.columns)))
	for i := range e.columns {
		c := &e.columns[i]
		dst = appendUTF8(dst, c.name)
		switch {
		case c.kind == replay:
			slot = len(dst)
		case c.within == nil:
			dst = e.appendMsgpack(dst, c.value(ev))
		case c.absent(ev):
			dst = msgp.AppendNil(dst)
		default:
			within := c.pairs(ev, room)
			dst = msgp.AppendMapHeader(dst, uint32(len(within)))
			for _, p := range within {
				dst = e.appendMsgpack(appendUTF8(dst, p.name), p.value)
			}
		}
	}
	return dst, slot
}

// appendUTF8 appends a text, of which the specification says that it is UTF-8.
func appendUTF8(dst []byte, s string) []byte {
	return msgp.AppendString(dst, strings.ToValidUTF8(s, "\uFFFD"))
}

func (e *Encoder) appendMsgpack(dst []byte, v slog.Value) []byte {
	switch v = e.stamp.plain(v); v.Kind() {
	case slog.KindString:
		return appendUTF8(dst, v.String())
	case slog.KindInt64:
		return msgp.AppendInt64(dst, v.Int64())
	case slog.KindFloat64:
		return msgp.AppendFloat64(dst, v.Float64())
	case slog.KindBool:
		return msgp.AppendBool(dst, v.Bool())
	}
	numbers, is := v.Any().([]*float64)
	if !is {
		return msgp.AppendNil(dst)
	}
	dst = msgp.AppendArrayHeader(dst, uint32(len(numbers)))
	for _, n := range numbers {
		if n == nil {
			dst = msgp.AppendNil(dst)
		} else {
			dst = msgp.AppendFloat64(dst, *n)
		}
	}
	return dst
}

// joinMsgpack makes a message of maps: the one map, or an array.
func joinMsgpack(dst []byte, codec string, parts []Part) []byte {
	if len(parts) != 1 || codec != shape.Msgpack {
		dst = msgp.AppendArrayHeader(dst, uint32(len(parts)))
	}
	for i := range parts {
		dst = parts[i].append(dst, true)
	}
	return dst
}
