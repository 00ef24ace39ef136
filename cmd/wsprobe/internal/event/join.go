package event

import (
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// Part is an event in a message.
type Part struct {
	Text   []byte
	Slot   int // see Form
	Replay int // how often it was sent before
}

// list marks the name of a form whose messages are always lists.
const list = "[]"

// maxReplay is the greatest number that takes one byte in binary forms.
const maxReplay = 127

// Binary reports whether the messages of a form are binary ones.
func Binary(name string) bool {
	codec, _ := parse(name)
	return codec == shape.Msgpack || codec == shape.Msgpack+list || codec == shape.OTLPProtobuf
}

// parse takes the name of a form apart: the codec, and what stands before the events of each message.
func parse(name string) (codec, head string) {
	name, head, _ = strings.Cut(name, " ")
	codec, _, _ = strings.Cut(name, "#")
	return codec, head
}

// Join appends a message of events in one form. The name is that of an [Encoder], maybe of an earlier process.
func Join(dst []byte, name string, parts []Part) []byte {
	codec, head := parse(name)
	switch codec {
	case shape.OTLPProtobuf:
		return joinProtobuf(dst, head, parts)
	case shape.OTLPJSON:
		return append(between(append(dst, head...), parts, ","), tailJSON...)
	case shape.Msgpack, shape.Msgpack + list:
		return joinMsgpack(dst, codec, parts)
	case shape.JSON, shape.JSON + list:
		if len(parts) == 1 && codec == shape.JSON {
			return parts[0].append(dst, false)
		}
		return append(between(append(dst, '['), parts, ","), ']')
	case shape.Text:
		return between(dst, parts, "\n")
	default: // each part ends its line
		return between(append(dst, head...), parts, "")
	}
}

// between appends texts with something between them.
func between(dst []byte, parts []Part, separator string) []byte {
	for i := range parts {
		if i > 0 {
			dst = append(dst, separator...)
		}
		dst = parts[i].append(dst, false)
	}
	return dst
}

// append appends the text with its number of sends.
func (p *Part) append(dst []byte, binary bool) []byte {
	if p.Slot < 0 {
		return append(dst, p.Text...)
	}
	dst = append(dst, p.Text[:p.Slot]...)
	if binary {
		dst = append(dst, byte(min(p.Replay, maxReplay)))
	} else {
		dst = strconv.AppendInt(dst, int64(p.Replay), 10)
	}
	return append(dst, p.Text[p.Slot:]...)
}
