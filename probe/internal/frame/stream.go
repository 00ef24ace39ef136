package frame

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// maxEarly bounds the frames of all kinds that are read before the first message is sent, in bytes. A server that sends
// more without being asked is flooding.
const maxEarly = 256 << 10

// ErrClosed ends the reads of messages at a close frame.
var ErrClosed = errors.New("close frame received")

// ErrPong ends the reads of messages once the awaited Pong was seen.
var ErrPong = errors.New("pong received")

// ErrLate is the error of a write, and of a read of bytes that came in time, when the time is up.
type ErrLate struct{ tcp.ErrNothing }

func (ErrLate) Error() string { return "the time is up" }

// Stream is a WebSocket above TLS. Every byte of the server passes the Scanner first, so that messages are made of sound
// data frames only, see messages.go. The Stream itself answers control frames, see control.go.
type Stream struct {
	conn    net.Conn // the raw connection, or TLS on it
	raw     *tcp.Conn
	scan    Scanner
	inflate *Inflater    // nil if nothing is compressed
	ready   bytes.Buffer // data frames that nobody has read
	fault   error        // the error of every further read
	cut     error        // why a write failed, perhaps in the middle of a frame: no other frame can follow
	chunk   []byte       // to receive into
	// endAtPong ends the reads of messages at the Pong, for a run that waits only for that.
	endAtPong bool

	rest       uint64 // of the payload of the frame that is being read, in bytes
	unfinished bool   // further frames of its message follow
}

// Options of a Stream. Limit is the longest message in bytes. Compression is nil if there is none. Chunk is the buffer
// to receive into. Trace is nil for most runs.
type Options struct {
	Limit       int64
	Compression *Deflate
	Chunk       []byte
	Trace       *Trace
	// Stay prepares for [Stream.Leave].
	Stay bool
}

// NewStream puts frames on conn, which is raw itself or TLS on it.
func NewStream(conn net.Conn, raw *tcp.Conn, o Options) *Stream {
	w := &Stream{conn: conn, raw: raw, scan: NewScanner(o.Limit, o.Compression), chunk: o.Chunk}
	w.scan.trace = o.Trace
	if o.Stay {
		w.scan.left = &leftover{deflate: o.Compression}
	}
	if o.Compression != nil {
		w.inflate = &Inflater{scan: &w.scan, limit: o.Limit, takeover: o.Compression.takeover}
	}
	return w
}

// Scanner returns the scanner of the stream, for questions only.
func (w *Stream) Scanner() *Scanner { return &w.scan }

// Inflater inflates the messages of the stream, or is nil if nothing is compressed.
func (w *Stream) Inflater() *Inflater { return w.inflate }

// Fault is why the stream ended without a close frame: a *Breach, or the error of the connection. It is nil before.
func (w *Stream) Fault() error { return w.fault }

// EndAtPong makes the reads of messages end with ErrPong once the awaited Pong was seen, or no more.
func (w *Stream) EndAtPong(end bool) { w.endAtPong = end }

// CloseWrite ends TLS, if there is any, in the direction of the server. Call it after both close frames.
func (w *Stream) CloseWrite() {
	if secured, ok := w.conn.(*tls.Conn); ok {
		_ = secured.CloseWrite()
	}
}

// fill waits until data frames are ready. A breach or a close frame ends them exactly there, so that a reply in front of
// it still counts.
func (w *Stream) fill() error {
	if w.inflate != nil && w.raw.Late() {
		return ErrLate{} // a few bytes can take long to inflate
	}
	w.AnswerPings()
	for w.ready.Len() == 0 {
		switch {
		case w.fault != nil:
			return w.fault
		case w.scan.closed:
			return ErrClosed
		case w.endAtPong && w.scan.pong:
			return ErrPong
		}
		_, err := w.receive()
		w.AnswerPings()
		if err != nil && w.ready.Len() == 0 {
			return err
		}
	}
	return nil
}

// receive reads from the connection and scans. It returns how many bytes came. It keeps errors of the stream, but no
// timeouts: the close frame is still to be sent after one.
func (w *Stream) receive() (int, error) {
	n, err := w.conn.Read(w.chunk)
	if b := w.scan.Scan(w.chunk[:n], &w.ready); b != nil {
		w.fault = b
		return n, b
	}
	if err != nil && !tcp.IsTimeout(err) {
		if errors.Is(err, io.EOF) {
			err = w.endOfStream()
		}
		w.fault = err
	}
	return n, err
}

// endOfStream is the error of an io.EOF, which is not the end of a message. The system reports a reset once: if a write
// got the report, the reads after it find a plain end.
func (w *Stream) endOfStream() error {
	if errors.Is(w.cut, syscall.ECONNRESET) {
		return w.cut
	}
	return io.ErrUnexpectedEOF
}

// Write writes frames, or a part of one.
func (w *Stream) Write(p []byte) (int, error) {
	if w.cut != nil {
		return 0, w.cut
	}
	var n int
	n, w.cut = w.conn.Write(p)
	return n, w.cut
}

// Settle receives until a time, and leaves what came to be read. Drain has to follow.
func (w *Stream) Settle(until time.Time) {
	w.raw.SetEnd(until)
	w.raw.Polled = true
	w.Listen()
	w.raw.Polled = false
}

// Drain reads the bytes that have already arrived, so that they cannot pass for the reply.
func (w *Stream) Drain() {
	w.raw.Polling = true
	w.Listen()
	w.raw.Polling = false
}

// Early counts the messages that have begun already, and so cannot answer the next message of the probe.
func (w *Stream) Early() int {
	if w.scan.inMessage {
		return w.scan.messages + 1
	}
	return w.scan.messages
}

// Listen receives, and leaves what came to be read, until the end of the stream, the bound of the connection or maxEarly.
func (w *Stream) Listen() {
	for taken := w.ready.Len(); !w.Ended() && taken < maxEarly; {
		n, err := w.receive()
		if err != nil {
			return
		}
		taken += n
	}
}

// Await reads and discards until a close frame, the end of the stream or the deadline. The error is nil for a close
// frame.
func (w *Stream) Await() error {
	for !w.scan.closed {
		if w.fault != nil {
			return w.fault
		}
		_, err := w.receive()
		w.ready.Reset()
		w.scan.compressed = w.scan.compressed[:0] // no reader will ask
		if err != nil && !w.scan.closed {
			return err
		}
	}
	return nil
}

// Outlast reads and discards, and answers Pings, until the stream ends or the deadline passes. The error is a timeout
// if the deadline passed.
func (w *Stream) Outlast() error {
	for {
		w.AnswerPings()
		switch {
		case w.fault != nil:
			return w.fault
		case w.scan.closed:
			return ErrClosed
		}
		_, err := w.receive()
		w.ready.Reset()
		w.scan.compressed = w.scan.compressed[:0] // no reader will ask
		if err != nil && !w.Ended() {
			return err
		}
	}
}

// AwaitEOF reads and discards all bytes until the server closes the connection or the deadline. The server closes first
// (RFC 6455 7.1.1): a client that closes with unread bytes resets the connection, and its own close frame can be lost.
func (w *Stream) AwaitEOF() {
	for {
		if _, err := w.conn.Read(w.chunk); err != nil {
			return
		}
	}
}

// Ended reports whether the stream has ended: by a close frame, a breach or the end of the connection.
func (w *Stream) Ended() bool { return w.fault != nil || w.scan.closed }

// Accept takes over the bytes that came in the same segment as the response head.
func (w *Stream) Accept(br *bufio.Reader) {
	rest, _ := br.Peek(br.Buffered())
	if b := w.scan.Scan(rest, &w.ready); b != nil {
		w.fault = b
	}
}
