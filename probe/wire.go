package probe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
)

// maxEarly bounds what is taken from the connection before the send. A server that has said more than
// that before it was asked is flooding.
const maxEarly = 256 << 10

// errClosing ends the library's reads once the probe closes: what still comes is the wire's business.
var errClosing = errors.New("closing")

// errPong ends the library's reads once the awaited Pong was seen.
var errPong = errors.New("pong received")

// errLate ends the library's reads of what has been received, when the time is up.
type errLate struct{ errNothing }

func (errLate) Error() string { return "the time is up" }

// wire is the stream of frames, above TLS: what the WebSocket library reads from and writes to. Every byte
// from the server passes the frame scanner first.
type wire struct {
	conn    net.Conn // the raw connection, or TLS on it
	raw     *rawConn
	scan    frameScanner
	inflate *inflater // nil if nothing is compressed
	ready   []byte    // received and scanned, not yet read by the library
	held    []byte    // the beginning of a control frame that is not whole yet
	fault   error     // what every further read returns
	chunk   []byte    // to receive into what is not for the library to read at once
	closing bool
	// endAtPong ends the library's reads at the Pong, of a run that waits for nothing else.
	endAtPong bool
}

func newWire(conn net.Conn, raw *rawConn, limit int64, compression *deflate) *wire {
	w := &wire{conn: conn, raw: raw, scan: frameScanner{limit: limit}}
	if compression != nil {
		w.scan.deflate = true
		w.inflate = &inflater{scan: &w.scan, limit: limit, takeover: compression.takeover}
	}
	return w
}

// Read hands sound bytes to the library. A breach in the middle of what was received ends the stream
// exactly there, so that a reply in front of it still counts.
func (w *wire) Read(p []byte) (int, error) {
	if w.inflate != nil && w.raw.late() {
		return 0, errLate{} // a little that was received in time can be inflated for a long time
	}
	w.answerPings()
	for len(w.ready) == 0 {
		switch {
		case w.fault != nil:
			return 0, w.fault
		case w.closing:
			return 0, errClosing
		case w.endAtPong && w.scan.pong:
			return 0, errPong
		}
		n, err := w.receive(p)
		w.answerPings()
		if n > 0 && len(w.held) == 0 && w.scan.openControl() == 0 {
			return n, nil
		}
		w.hand(p[:n])
		if err != nil && len(w.ready) == 0 {
			return 0, err
		}
	}
	n := copy(p, w.ready)
	w.ready = w.ready[n:]
	return n, nil
}

// hand makes bytes ready for the library, but for a control frame that is not whole: the library gives up a
// connection on which one takes longer than 5 s.
func (w *wire) hand(chunk []byte) {
	w.held = append(w.held, chunk...)
	whole := len(w.held)
	if w.fault == nil {
		whole -= min(whole, w.scan.openControl())
	}
	w.ready = append(w.ready, w.held[:whole]...)
	w.held = append(w.held[:0], w.held[whole:]...)
}

// receive reads from the connection and scans. Errors of the stream are kept, timeouts are not: after one
// the close frame is still to be sent.
func (w *wire) receive(p []byte) (int, error) {
	n, err := w.conn.Read(p)
	if n > 0 {
		sound, b := w.scan.scan(p[:n])
		if b != nil {
			w.fault = b
			return sound, b
		}
	}
	if err != nil && !isTimeout(err) {
		if errors.Is(err, io.EOF) {
			// The library takes io.EOF between two fragments for the end of the message.
			err = io.ErrUnexpectedEOF
		}
		w.fault = err
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) { return w.conn.Write(p) }

// Close does nothing: the connection belongs to the run, which closes it within its own budget.
func (w *wire) Close() error { return nil }

// drain takes what has already been received, so that it cannot be mistaken for the reply.
func (w *wire) drain() {
	w.raw.polling = true
	w.listen()
	w.raw.polling = false
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
	for w.fault == nil && !w.scan.closed && len(w.ready) < maxEarly {
		n, err := w.receive(w.chunk)
		w.hand(w.chunk[:n])
		if err != nil {
			return
		}
	}
}

// await reads and discards until a close frame, the end of the stream or the deadline, and returns why
// it ended: nil for a close frame.
func (w *wire) await() error {
	for !w.scan.closed {
		if w.fault != nil {
			return w.fault
		}
		_, err := w.receive(w.chunk)
		w.scan.compressed = w.scan.compressed[:0] // nobody will ask
		if err != nil && !w.scan.closed {
			return err
		}
	}
	return nil
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

// isTimeout reports whether an error is that of a deadline of the raw connection. The library's own clocks
// and the kernel's giving up on a dead peer call themselves timeouts, too.
func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout() &&
		!errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, syscall.ETIMEDOUT)
}

// ended reports whether nothing more can come from the server.
func (w *wire) ended() bool { return w.fault != nil || w.scan.closed }

// accept takes over what came in the same segment as the response head.
func (w *wire) accept(br *bufio.Reader) {
	rest, _ := br.Peek(br.Buffered())
	sound, b := w.scan.scan(rest)
	if b != nil {
		w.fault = b
	}
	w.hand(rest[:sound])
}
