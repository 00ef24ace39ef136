// Package bare is an open WebSocket that says nothing by itself.
//
// It serves those who want to know what a server does with a frame: a close frame without a code, or a message of
// 16 MiB. No frame is answered, none is kept, and a message of any length takes a small buffer.
package bare

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// NoCode is the code of a close frame without one (RFC 6455 7.4.1).
const NoCode = frame.CloseNoStatus

// Conn is an open WebSocket. One goroutine may read while another one writes.
type Conn struct {
	held   *probe.Held
	parser frame.Parser
	size   int64  // of the message under way
	chunk  []byte // to read into
	rest   []byte // of it that is not parsed
	broken error  // of every further Next
	unbind func() bool

	writing sync.Mutex
}

// Open opens a WebSocket as a run does, its exchange included. The Conn is nil if the Result is not ok. The error is the
// cause of a cancelled context, and means that there is no Result. The end of the context ends every wait. What comes
// while the run is still at work is the run's: it answers Pings, and passes over messages.
func Open(ctx context.Context, p *probe.Probe) (*Conn, probe.Result, error) {
	res, held, _, err := p.Open(ctx, probe.RunOptions{})
	if held == nil || err != nil {
		return nil, res, err
	}
	c := &Conn{held: held, parser: held.Left.Parser, chunk: make([]byte, 32<<10)}
	if held.Left.ClosedAs != nil {
		c.broken = held.Left.ClosedAs
	}
	c.unbind = context.AfterFunc(ctx, held.Raw.Abort)
	return c, res, nil
}

// Close ends the TCP connection, without a word.
func (c *Conn) Close() {
	c.unbind()
	_ = c.held.Raw.Close()
}

// Until bounds every wait from now on.
func (c *Conn) Until(t time.Time) { c.held.Raw.SetEnd(t) }

// Kind says what a server sent.
type Kind byte

// The kinds.
const (
	Message Kind = frame.Text // or a binary one
	Closed  Kind = frame.Close
	Ping    Kind = frame.Ping
	Pong    Kind = frame.Pong
)

// Event is a message or a control frame of the server.
type Event struct {
	Kind    Kind
	At      time.Time // when its end arrived
	Size    int64     // of a message, as it was sent
	Payload string    // of a Ping or Pong
	Code    int       // of a close frame; NoCode for none
	Reason  string    // of a close frame, fit to be shown
}

// Next waits for the next message or control frame. The error of a plain end is io.EOF; see [TimedOut].
func (c *Conn) Next() (Event, error) {
	if code, reason, closed := c.parser.Closed(); closed && c.broken == nil {
		c.broken = errClosed // what follows a close frame does not count
		return c.closed(code, reason), nil
	}
	for c.broken == nil {
		for len(c.rest) > 0 {
			event, ok, err := c.parse()
			if err != nil {
				c.broken = err
				return Event{}, err
			}
			if ok {
				return event, nil
			}
		}
		n, err := c.held.Left.Conn.Read(c.chunk)
		if c.rest = c.chunk[:n]; err != nil && n == 0 {
			return Event{}, err
		}
	}
	if c.broken == errClosed {
		return Event{}, c.drain()
	}
	return Event{}, c.broken
}

// errClosed marks a stream that has ended by a close frame.
var errClosed = errors.New("the server has closed")

// drain waits for the end of the connection.
func (c *Conn) drain() error {
	for {
		if _, err := c.held.Left.Conn.Read(c.chunk); err != nil {
			return err
		}
	}
}

// parse takes the next piece of a frame, and reports whether it completed something.
func (c *Conn) parse() (Event, bool, error) {
	piece, rest, breach := c.parser.Next(c.rest)
	c.rest = rest
	switch {
	case breach != nil:
		return Event{}, false, breach
	case piece.Opcode < frame.Close:
		return c.data(piece)
	case !piece.Ended:
		return Event{}, false, nil
	case piece.Opcode == frame.Close:
		code, reason, _ := c.parser.Closed()
		c.broken = errClosed
		return c.closed(code, reason), true, nil
	}
	return Event{Kind: Kind(piece.Opcode), At: c.held.Raw.ArrivedAt, Payload: string(piece.Control)}, true, nil
}

// data counts a piece of a message.
func (c *Conn) data(piece frame.Piece) (Event, bool, error) {
	c.size += int64(len(piece.Payload))
	if !piece.Ended || !piece.Final {
		return Event{}, false, nil
	}
	event := Event{Kind: Message, At: c.held.Raw.ArrivedAt, Size: c.size}
	c.size = 0
	return event, true, nil
}

func (c *Conn) closed(code int, reason string) Event {
	reason, _ = c.held.Texts.Shown(reason, "")
	return Event{Kind: Closed, At: c.held.Raw.ArrivedAt, Code: code, Reason: reason}
}

// TimedOut reports whether an error means that the time of [Conn.Until] is up, or that the context has ended.
func TimedOut(err error) bool { return tcp.IsTimeout(err) }

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
	return c.write(frame.AppendControl(nil, opcode, payload))
}

func (c *Conn) write(p []byte) error {
	_, err := c.held.Left.Conn.Write(p)
	return err
}

// SayPadded sends a message in one frame: the text, and behind it as many blanks as size takes. The text is no longer
// than that.
func (c *Conn) SayPadded(text []byte, isBinary bool, size int) error {
	opcode := byte(frame.Text)
	if isBinary {
		opcode = frame.Binary
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	out, mask := frame.AppendHead(nil, opcode, size)
	blanks := bytes.Repeat([]byte(" "), maxPiece)
	for sent := 0; ; {
		piece := text[min(sent, len(text)):]
		if len(piece) == 0 {
			piece = blanks[:min(len(blanks), size-sent)]
		}
		out = frame.AppendMasked(out, piece, mask, sent)
		if err := c.write(out); err != nil {
			return err
		}
		if sent += len(piece); sent == size {
			return nil
		}
		out = out[:0]
	}
}

// maxPiece is how many bytes of a message are masked at a time.
const maxPiece = 16 << 10
