package wstest

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"
)

// Opcodes of RFC 6455 5.2.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xa
)

// LengthForm is how the length of a frame is written.
type LengthForm int

// The forms of RFC 6455 5.2, which demands the shortest.
const (
	Shortest LengthForm = iota
	Length16
	Length64
)

// Frame is one frame, valid or not. The zero value of every field but Opcode and Payload is valid.
type Frame struct {
	Opcode  byte
	Payload string
	// More says that the message goes on in another frame: the FIN bit is not set.
	More bool
	// RSV are the three reserved bits, 4 for RSV1.
	RSV byte
	// Masked masks the payload, as only a client may.
	Masked bool
	Length LengthForm
	// Announce is added to the length that the header tells, without that many bytes following.
	Announce uint64
}

// mask is that of every masked frame.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Bytes returns the frame as it goes over the wire.
func (f Frame) Bytes() string {
	first := f.Opcode | f.RSV<<4
	if !f.More {
		first |= 0x80
	}
	second := byte(0)
	if f.Masked {
		second = 0x80
	}
	b := make([]byte, 0, len(f.Payload)+14)
	switch n := uint64(len(f.Payload)) + f.Announce; {
	case f.Length == Length64 || n > 0xffff:
		b = append(b, first, second|127)
		b = binary.BigEndian.AppendUint64(b, n)
	case f.Length == Length16 || n > 125:
		b = append(b, first, second|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, first, second|byte(n))
	}
	if !f.Masked {
		return string(append(b, f.Payload...))
	}
	b = append(b, mask[:]...)
	for i := range len(f.Payload) {
		b = append(b, f.Payload[i]^mask[i%4])
	}
	return string(b)
}

// Text is a frame with a whole text message.
func Text(message string) Frame { return Frame{Opcode: OpText, Payload: message} }

// Binary is a frame with a whole binary message.
func Binary(message string) Frame { return Frame{Opcode: OpBinary, Payload: message} }

// Ping is a ping frame.
func Ping(payload string) Frame { return Frame{Opcode: OpPing, Payload: payload} }

// Pong is a pong frame.
func Pong(payload string) Frame { return Frame{Opcode: OpPong, Payload: payload} }

// Close is a close frame, without a payload if the code is 1005, which means that (RFC 6455 7.1.5).
func Close(code int, reason string) Frame {
	if code == 1005 {
		return Frame{Opcode: OpClose}
	}
	return Frame{Opcode: OpClose, Payload: string([]byte{byte(code >> 8), byte(code)}) + reason}
}

// Fragments are the frames of one message in pieces.
func Fragments(opcode byte, pieces ...string) []Frame {
	frames := make([]Frame, len(pieces))
	for i, piece := range pieces {
		frames[i] = Frame{Payload: piece, More: i < len(pieces)-1}
	}
	frames[0].Opcode = opcode
	return frames
}

// Send writes frames, all in one segment if they fit.
func (c *Conn) Send(frames ...Frame) {
	var all string
	for _, f := range frames {
		all += f.Bytes()
	}
	c.Raw(all)
}

// maxFrame is the longest frame, and message, read from a client unless a script takes less.
const maxFrame = 16 << 20

// Read reads one frame from the client, unmasks it and remembers what it was. It answers nothing.
func (c *Conn) Read() Frame {
	var head [8]byte
	c.fill(head[:2])
	f := Frame{Opcode: head[0] & 0x0f, RSV: head[0] >> 4 & 7, More: head[0]&0x80 == 0, Masked: head[1]&0x80 != 0}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		c.fill(head[:2])
		n, f.Length = uint64(binary.BigEndian.Uint16(head[:])), Length16
	case 127:
		c.fill(head[:8])
		n, f.Length = binary.BigEndian.Uint64(head[:]), Length64
	}
	if n > c.longest {
		c.tooLong()
	}
	var key [4]byte
	if f.Masked {
		c.fill(key[:])
	}
	payload := make([]byte, n)
	c.fill(payload)
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	f.Payload = string(payload)
	c.remember(f)
	return f
}

func (c *Conn) fill(p []byte) {
	if _, err := io.ReadFull(c.reader, p); err != nil {
		panic(gone{})
	}
}

// remember puts a frame of the client into the visit.
func (c *Conn) remember(f Frame) {
	switch f.Opcode {
	case OpClose:
		c.visit.CloseCode = 1005
		if len(f.Payload) >= 2 {
			c.visit.CloseCode = int(f.Payload[0])<<8 | int(f.Payload[1])
			c.visit.CloseReason = f.Payload[2:]
		}
	case OpPong:
		c.visit.Pongs++
	case OpContinuation, OpText, OpBinary:
		if uint64(len(c.partial)+len(f.Payload)) > c.longest {
			c.tooLong()
		}
		if f.Opcode != OpContinuation {
			c.visit.Compressed = f.RSV&4 != 0
		}
		c.partial = append(c.partial, f.Payload...)
		if !f.More {
			c.visit.Messages++
			c.visit.LastMessage = string(c.partial)
			c.partial = c.partial[:0]
		}
	}
}

// Message reads until a whole message has come, and returns it. It answers pings and, with the same code, a
// close frame, which ends the script.
func (c *Conn) Message() string {
	for before := c.visit.Messages; c.visit.Messages == before; {
		c.control(c.Read())
	}
	return c.visit.LastMessage
}

// control answers a Ping, and a Close with the same code, which ends the script.
func (c *Conn) control(f Frame) {
	switch f.Opcode {
	case OpPing:
		c.Send(Pong(f.Payload))
	case OpClose:
		c.Send(Close(c.visit.CloseCode, ""))
		panic(gone{})
	}
}

// tooLong closes with 1009 because a frame or a message is longer than the script takes. What still comes is read for
// a second: unread bytes would turn the end into a reset, which takes the close frame with it.
func (c *Conn) tooLong() {
	c.Send(Close(1009, "message too big"))
	c.FIN()
	_ = c.raw.SetReadDeadline(time.Now().Add(time.Second))
	c.Hold()
	panic(gone{})
}

// frameTime is how long a frame may take from its first byte to its last.
const frameTime = 10 * time.Second

// ReadBy is [Conn.Read] that returns false if no frame has begun by a time. The zero time is never. A frame that has
// begun must be whole within 10 s, or the script ends.
func (c *Conn) ReadBy(limit time.Time) (f Frame, came bool) {
	if !limit.IsZero() && !time.Now().Before(limit) {
		return Frame{}, false // whatever has come: a client that never pauses would hold up the script
	}
	defer func() { _ = c.raw.SetReadDeadline(time.Time{}) }()
	_ = c.raw.SetReadDeadline(limit)
	if _, err := c.reader.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
		return Frame{}, false
	} else if err != nil {
		panic(gone{})
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(frameTime))
	return c.Read(), true
}

// Serve does what an ordinary server does when nothing is left to say: it reads, answers pings, and closes
// when the client does.
func (c *Conn) Serve() {
	for {
		c.Message()
	}
}

// Watch reads frames and answers none, until the client closes the connection.
func (c *Conn) Watch() {
	for {
		c.Read()
	}
}
