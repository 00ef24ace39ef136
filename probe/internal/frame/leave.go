package frame

import "net"

// Left is a connection whose stream was left: what the next reader of its frames needs.
type Left struct {
	Conn     net.Conn // the raw connection, or TLS on it
	Agreed   *Deflate // the compression, or nil
	Window   []byte   // of the compression so far
	Early    []byte   // data frames that nobody has read
	Parser   Parser   // as it is behind Early
	ClosedAs *Breach  // a breach behind Early, or nil
}

// leftover keeps count of the messages that nobody has read.
type leftover struct {
	deflate *Deflate
	ends    []int64 // offsets of the ends of messages in the data that was passed on
	passed  int64   // bytes
	read    int64   // bytes
}

// note takes a piece that was passed on.
func (l *leftover) note(piece Piece) {
	if piece.Opcode >= Close {
		return
	}
	if l.passed += int64(len(piece.Header) + len(piece.Payload)); piece.Ended && piece.Final {
		l.ends = append(l.ends, l.passed)
	}
}

// took notes that so many bytes were read, of one frame.
func (l *leftover) took(n int) {
	if l.read += int64(n); len(l.ends) > 0 && l.read == l.ends[0] {
		l.ends = l.ends[1:]
	}
}

// Leave hands the connection over between two messages. The Stream was made with Stay, and must not be used any more.
func (w *Stream) Leave() Left {
	w.AnswerPings()
	l := Left{Conn: w.conn, Agreed: w.scan.left.deflate, Early: w.ready.Bytes(), Parser: w.scan.Parser}
	if w.inflate != nil && w.inflate.takeover {
		l.Window = w.inflate.window[max(0, len(w.inflate.window)-deflateWindow):]
	}
	if b, ok := w.fault.(*Breach); ok {
		l.ClosedAs = b
	}
	begin := int64(0)
	for i, compressed := range w.scan.compressed { // their marks were taken away
		if compressed {
			l.Early[begin] |= rsv1
		}
		if i < len(w.scan.left.ends) {
			begin = w.scan.left.ends[i] - w.scan.left.read
		}
	}
	return l
}
