// Package bare is an open WebSocket that says nothing by itself.
//
// It shows what a server does with any frame, such as a close frame without a code, or a message of 16 MiB. It also
// serves those who deliver messages and need to know what proves their arrival. No frame is answered, and a message of
// any length takes a small buffer.
package bare

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// NoCode is the code of a close frame without one (RFC 6455 7.4.1).
const NoCode = frame.CloseNoStatus

// Conn is an open WebSocket. One goroutine may read while others write.
type Conn struct {
	held   *probe.Held
	parser frame.Parser
	size   int64  // of the message under way
	chunk  []byte // to read into
	rest   []byte // of it that is not parsed
	broken error  // of every further Next
	early  bool   // rest is what came too early for the run
	texts  *texts // nil if none are kept
	unbind func() bool

	writing  sync.Mutex
	out      []byte          // frames that are not yet written
	deflater *frame.Deflater // nil if nothing is compressed
	cut      error           // why a write failed, perhaps in the middle of a frame: no other frame can follow
	bound    atomic.Int64    // of each write, in ns, or 0
}

// Open opens a WebSocket as a run does, its exchange included. The Conn is nil if the Result is not ok. The error is the
// cause of a cancelled context, and means that there is no Result. The end of the context ends every wait. What comes
// while the run is still at work is the run's: it answers Pings, and passes over messages.
func Open(ctx context.Context, p *probe.Probe) (*Conn, probe.Result, probe.Refusal, error) {
	res, held, refusal, err := p.Open(ctx, probe.RunOptions{})
	if held == nil || err != nil {
		return nil, res, refusal, err
	}
	c := &Conn{held: held, parser: held.Left.Parser, chunk: make([]byte, chunk)}
	if held.Left.ClosedAs != nil {
		c.broken = held.Left.ClosedAs
	}
	if held.Left.Agreed != nil {
		c.deflater = held.Left.Agreed.NewDeflater()
	}
	c.unbind = context.AfterFunc(ctx, held.Raw.Abort)
	return c, res, refusal, nil
}

// chunk is how many bytes are read at a time.
const chunk = 16 << 10

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
	Text    []byte    // of a message, see [Conn.KeepTexts]; valid until the next call of Next
	Payload string    // of a Ping or Pong
	Code    int       // of a close frame; NoCode for none
	Reason  string    // of a close frame, fit to be shown
}

// Next waits for the next message or control frame. The error of a plain end is io.EOF; see [TimedOut] and [BreachCode].
func (c *Conn) Next() (Event, error) {
	for {
		for len(c.rest) > 0 && c.broken == nil {
			event, ok, err := c.parse()
			if err != nil {
				c.broken = err
				return Event{}, err
			}
			if ok {
				return event, nil
			}
		}
		c.pastEarly()
		if code, reason, closed := c.parser.Closed(); closed && c.broken == nil {
			c.broken = errClosed // what follows a close frame does not count
			return c.closed(code, reason), nil
		}
		if c.broken == errClosed {
			return Event{}, c.drain()
		}
		if c.broken != nil {
			return Event{}, c.broken
		}
		n, err := c.held.Left.Conn.Read(c.chunk)
		if c.rest = c.chunk[:n]; err != nil && n == 0 {
			return Event{}, err
		}
	}
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

// data takes a piece of a message.
func (c *Conn) data(piece frame.Piece) (Event, bool, error) {
	c.size += int64(len(piece.Payload))
	ended := piece.Ended && piece.Final
	var text []byte
	if c.texts != nil {
		var err error
		if text, err = c.texts.take(piece.Payload, ended, c.parser.Compressed()); err != nil {
			return Event{}, false, err
		}
	}
	if !ended {
		return Event{}, false, nil
	}
	event := Event{Kind: Message, At: c.held.Raw.ArrivedAt, Size: c.size, Text: text}
	c.size = 0
	return event, true, nil
}

func (c *Conn) closed(code int, reason string) Event {
	reason, _ = c.held.Texts.Shown(reason, "")
	return Event{Kind: Closed, At: c.held.Raw.ArrivedAt, Code: code, Reason: reason}
}

// TimedOut reports whether an error means that the time of [Conn.Until] is up, or that the context has ended.
func TimedOut(err error) bool { return tcp.IsTimeout(err) }

// BreachCode returns the close code that answers a breach of the protocol (RFC 6455 7.1.7), or 0 for another error.
func BreachCode(err error) int {
	if b, ok := errors.AsType[*frame.Breach](err); ok {
		return b.Code
	}
	return 0
}

// Shown makes the text of an error of Next fit to be shown: it hides the secrets of the probe.
func (c *Conn) Shown(err error) string {
	said := err.Error()
	if _, ok := errors.AsType[*frame.Breach](err); !ok {
		said = say.Sentence("%s", err)
	}
	_, said = c.held.Texts.Shown("", said)
	return said
}
