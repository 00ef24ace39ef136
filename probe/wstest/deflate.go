package wstest

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
)

// Deflate is the line that agrees to compression.
const Deflate = "Sec-WebSocket-Extensions: permessage-deflate"

// Deflater compresses messages, each with the help of those before it (RFC 7692 7.2.1).
type Deflater struct {
	out    bytes.Buffer
	writer *flate.Writer
}

// NewDeflater returns a Deflater that has compressed nothing yet.
func NewDeflater() *Deflater {
	d := &Deflater{}
	d.writer, _ = flate.NewWriter(&d.out, flate.DefaultCompression) // fails only for a level that does not exist
	return d
}

// Message returns the payload of a compressed message.
func (d *Deflater) Message(text string) string {
	return strings.TrimSuffix(d.Flushed(text), "\x00\x00\xff\xff")
}

// Flushed is Message with the tail that is to be left out.
func (d *Deflater) Flushed(text string) string {
	d.out.Reset()
	_, _ = io.WriteString(d.writer, text) // into memory
	_ = d.writer.Flush()
	return d.out.String()
}

// Final is the payload of a message that ends with a block that says so (RFC 7692 7.2.3.4), and no Message can
// follow.
func (d *Deflater) Final(text string) string {
	d.out.Reset()
	_, _ = io.WriteString(d.writer, text)
	_ = d.writer.Close()
	return d.out.String() + "\x00"
}

// Inflate returns what was compressed into the payload of a message by itself, or what is wrong with it.
func Inflate(payload string) (string, error) {
	const tail, last = "\x00\x00\xff\xff", "\x01\x00\x00\xff\xff"
	in := strings.NewReader(payload + tail + last)
	text, err := io.ReadAll(flate.NewReader(in))
	if err == nil && in.Len() > 0 {
		err = fmt.Errorf("%d bytes too many", in.Len())
	}
	return string(text), err
}

// Compressed is the frame of a whole message with a payload from a Deflater.
func Compressed(payload string) Frame { return Frame{Opcode: OpText, RSV: 4, Payload: payload} }

// Bomb is the payload of a message that inflates to so many MiB of blanks, a thousand times its size.
func Bomb(mib int) string {
	const step = 64 << 10
	d := NewDeflater()
	blanks := strings.Repeat(" ", step)
	first, more := d.Flushed(blanks), d.Flushed(blanks)
	return first + strings.Repeat(more, mib<<20/step-1) + d.Message("")
}

// DeflateEcho returns every message, compressed if the client offers it.
func DeflateEcho(c *Conn) {
	c.deflate(func(text string) string { return text })
}

// DeflateReply answers every message with a text, compressed if the client offers it.
func DeflateReply(text string) Script {
	return func(c *Conn) { c.deflate(func(string) string { return text }) }
}

func (c *Conn) deflate(answer func(text string) string) {
	if !c.offersDeflate() {
		c.Accept()
		for {
			c.Send(Text(answer(c.Message())))
		}
	}
	c.Accept(Deflate)
	for d := NewDeflater(); ; {
		text := c.Message()
		if c.visit.Compressed {
			var err error
			if text, err = Inflate(text); err != nil {
				c.Send(Close(1007, err.Error()))
				c.untilClosed()
				return
			}
		}
		c.Send(Compressed(d.Message(answer(text))))
	}
}

// offersDeflate reports whether the client offers compression.
func (c *Conn) offersDeflate() bool {
	return strings.Contains(c.Request().Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
}

// DeflateBomb answers the first message with one that inflates to so many MiB. It refuses clients that do not offer
// compression.
func DeflateBomb(mib int) Script {
	bomb := Compressed(Bomb(mib))
	return func(c *Conn) {
		if !c.offersDeflate() {
			c.Refuse(400, "offer permessage-deflate\n")
		}
		c.Accept(Deflate)
		c.Message()
		c.Send(bomb)
		c.Serve()
	}
}
