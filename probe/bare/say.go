package bare

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
)

// BoundWrites bounds each message and control frame from now on by a time of its own. A write under way has this time
// from now. [Conn.Until] then bounds reads only. A write that fails, or that exceeds its time, is the last one.
func (c *Conn) BoundWrites(each time.Duration) {
	c.bound.Store(int64(each))
	c.held.Raw.SetWriteEnd(time.Now().Add(each))
}

// LimitUnsent bounds the bytes that the system takes before the server has them, as far as the system can. More of them
// make writes faster, and say less.
func (c *Conn) LimitUnsent(bytes int) {
	if conn, ok := c.held.Raw.Conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = conn.SetWriteBuffer(bytes)
	}
}

// SayClose sends a close frame; NoCode sends none in it.
func (c *Conn) SayClose(code int) error {
	payload := ""
	if code != NoCode {
		payload = string(binary.BigEndian.AppendUint16(nil, uint16(code)))
	}
	return c.control(frame.Close, payload)
}

// SayPing sends a Ping, with a payload of at most 125 bytes.
func (c *Conn) SayPing(payload string) error { return c.control(frame.Ping, payload) }

// SayPong sends a Pong, with a payload of at most 125 bytes.
func (c *Conn) SayPong(payload string) error { return c.control(frame.Pong, payload) }

func (c *Conn) control(opcode byte, payload string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.out = frame.AppendControl(c.out, opcode, payload)
	return c.flush()
}

// Queue adds a message, in one frame, to those that the next Flush or control frame sends. It compresses if that was
// agreed. Long messages are sent at once, because they would take memory.
func (c *Conn) Queue(isBinary bool, message []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	opcode := opcodeOf(isBinary)
	if c.deflater != nil {
		opcode, message = c.deflater.Message(opcode, message)
	}
	var mask frame.Mask
	c.out, mask = frame.AppendHead(c.out, opcode, len(message))
	limited := false // one message has one bound
	for sent := 0; sent < len(message); {
		piece := message[sent:min(len(message), sent+maxPiece)]
		c.out = frame.AppendMasked(c.out, piece, mask, sent)
		if sent += len(piece); len(c.out) < maxQueued {
			continue
		}
		if !limited {
			c.limit()
			limited = true
		}
		if err := c.write(); err != nil {
			return err
		}
	}
	return c.cut
}

// Flush sends what Queue has left.
func (c *Conn) Flush() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.flush()
}

// flush writes the frames that wait, and the rest of one of which a part was written.
func (c *Conn) flush() error {
	c.limit()
	return c.write()
}

func (c *Conn) write() error {
	if c.cut == nil && len(c.out) > 0 {
		_, c.cut = c.held.Left.Conn.Write(c.out)
	}
	c.out = c.out[:0]
	return c.cut
}

// limit bounds the next write. BoundWrites can be called meanwhile, and the last bound counts.
func (c *Conn) limit() {
	for bound := c.bound.Load(); bound > 0; {
		c.held.Raw.SetWriteEnd(time.Now().Add(time.Duration(bound)))
		last := bound
		if bound = c.bound.Load(); bound == last {
			return
		}
	}
}

// SayPadded sends a message in one frame: the text, and behind it as many blanks as size takes. The text is no longer
// than that.
func (c *Conn) SayPadded(text []byte, isBinary bool, size int) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	var mask frame.Mask
	c.out, mask = frame.AppendHead(c.out, opcodeOf(isBinary), size)
	blanks := bytes.Repeat([]byte(" "), maxPiece)
	for sent := 0; ; {
		piece := text[min(sent, len(text)):]
		if len(piece) == 0 {
			piece = blanks[:min(len(blanks), size-sent)]
		}
		c.out = frame.AppendMasked(c.out, piece, mask, sent)
		if err := c.flush(); err != nil {
			return err
		}
		if sent += len(piece); sent == size {
			return nil
		}
	}
}

func opcodeOf(isBinary bool) byte {
	if isBinary {
		return frame.Binary
	}
	return frame.Text
}

const (
	// maxPiece is how many bytes of a message are masked at a time.
	maxPiece = 16 << 10
	// maxQueued is how many bytes Queue leaves to Flush.
	maxQueued = 64 << 10
)
