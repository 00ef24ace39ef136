package probe

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// maxEarly bounds what is taken from the connection before the send, frames of all kinds. A server that has said more
// than that before it was asked is flooding.
const maxEarly = 256 << 10

// errClosed ends the library's reads at a close frame, of which it is not told.
var errClosed = errors.New("close frame received")

// errPong ends the library's reads once the awaited Pong was seen.
var errPong = errors.New("pong received")

// errLate is what comes of reading what has been received, and of writing, when the time is up.
type errLate struct{ tcp.ErrNothing }

func (errLate) Error() string { return "the time is up" }

// wire is the stream of frames, above TLS: what the WebSocket library reads from and writes to. Every byte from the
// server passes the frame scanner first, and what the library gets are sound data frames. Control frames are the wire's
// own affair, see control.go.
type wire struct {
	conn    net.Conn // the raw connection, or TLS on it
	raw     *tcp.Conn
	scan    frameScanner
	inflate *inflater    // nil if nothing is compressed
	ready   bytes.Buffer // data frames, not yet read by the library
	fault   error        // what every further read returns
	cut     error        // why a write failed, perhaps in the middle of a frame: no other frame can follow
	chunk   []byte       // to receive into
	watcher *watcher     // nil for most runs
	// endAtPong ends the library's reads at the Pong, of a run that waits for nothing else.
	endAtPong bool
}

func newWire(conn net.Conn, raw *tcp.Conn, limit int64, compression *deflate) *wire {
	w := &wire{conn: conn, raw: raw, scan: frameScanner{limit: limit}}
	if compression != nil {
		w.scan.deflate = true
		w.inflate = &inflater{scan: &w.scan, limit: limit, takeover: compression.takeover}
	}
	return w
}

// Read hands data frames to the library. What ends the stream in the middle of what was received ends it exactly there,
// so that a reply in front of it still counts.
func (w *wire) Read(p []byte) (int, error) {
	if w.inflate != nil && w.raw.Late() {
		return 0, errLate{} // a little that was received in time can be inflated for a long time
	}
	w.answerPings()
	for w.ready.Len() == 0 {
		switch {
		case w.fault != nil:
			return 0, w.fault
		case w.scan.closed:
			return 0, errClosed
		case w.endAtPong && w.scan.pong:
			return 0, errPong
		}
		_, err := w.receive()
		w.answerPings()
		if err != nil && w.ready.Len() == 0 {
			return 0, err
		}
	}
	return w.ready.Read(p)
}

// receive reads from the connection and scans, and returns how many bytes came. Errors of the stream are kept, timeouts
// are not: after one the close frame is still to be sent.
func (w *wire) receive() (int, error) {
	n, err := w.conn.Read(w.chunk)
	if b := w.scan.scan(w.chunk[:n], &w.ready); b != nil {
		w.fault = b
		return n, b
	}
	if err != nil && !tcp.IsTimeout(err) {
		if errors.Is(err, io.EOF) {
			// The library takes io.EOF between two fragments for the end of the message.
			err = io.ErrUnexpectedEOF
		}
		w.fault = err
	}
	return n, err
}

// Write writes frames, or a part of one.
func (w *wire) Write(p []byte) (int, error) {
	if w.cut != nil {
		return 0, w.cut
	}
	var n int
	n, w.cut = w.conn.Write(p)
	return n, w.cut
}

// Close does nothing: the connection belongs to the run, which closes it within its own budget.
func (w *wire) Close() error { return nil }

// drain takes what has already been received, so that it cannot be mistaken for the reply.
func (w *wire) drain() {
	w.raw.Polling = true
	w.listen()
	w.raw.Polling = false
}

// early counts the messages that began before now, and so cannot answer what is sent now.
func (w *wire) early() int {
	if w.scan.inMessage {
		return w.scan.messages + 1
	}
	return w.scan.messages
}

// listen receives for the library, until the end of the stream, the bound of the connection or maxEarly.
func (w *wire) listen() {
	for taken := w.ready.Len(); !w.ended() && taken < maxEarly; {
		n, err := w.receive()
		if err != nil {
			return
		}
		taken += n
	}
}

// await reads and discards until a close frame, the end of the stream or the deadline, and returns why
// it ended: nil for a close frame.
func (w *wire) await() error {
	for !w.scan.closed {
		if w.fault != nil {
			return w.fault
		}
		_, err := w.receive()
		w.ready.Reset()
		w.scan.compressed = w.scan.compressed[:0] // nobody will ask
		if err != nil && !w.scan.closed {
			return err
		}
	}
	return nil
}

// outlast reads and discards, and answers Pings, until the stream ends or the bound of the connection passes, and returns
// which of the two it was: the second is a timeout.
func (w *wire) outlast() error {
	for {
		w.answerPings()
		switch {
		case w.fault != nil:
			return w.fault
		case w.scan.closed:
			return errClosed
		}
		_, err := w.receive()
		w.ready.Reset()
		w.scan.compressed = w.scan.compressed[:0] // nobody will ask
		if err != nil && !w.ended() {
			return err
		}
	}
}

// awaitEOF reads and discards, whatever it is, until the server closes the connection or the deadline.
// The server closes first (RFC 6455 7.1.1); a client that closes with bytes unread would reset the
// connection and could take its own close frame with it.
func (w *wire) awaitEOF() {
	for {
		if _, err := w.conn.Read(w.chunk); err != nil {
			return
		}
	}
}

// ended reports whether nothing more can come from the server.
func (w *wire) ended() bool { return w.fault != nil || w.scan.closed }

// accept takes over what came in the same segment as the response head.
func (w *wire) accept(br *bufio.Reader) {
	rest, _ := br.Peek(br.Buffered())
	if b := w.scan.scan(rest, &w.ready); b != nil {
		w.fault = b
	}
}
