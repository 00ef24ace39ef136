package frame

import "bytes"

// Scanner follows the frames of a server, byte by byte. It judges them, and passes data frames on.
type Scanner struct {
	Parser

	compressed []bool // of the messages that have begun, but for those whose reader has asked
	pings      []byte // payloads without an answer yet, each behind its length

	messages  int  // whole data messages seen
	pong      bool // the Pong that answers wantPong was seen
	otherPong bool // another Pong was seen
	wantPong  string

	trace *Trace // nil for most runs
	left  *leftover
}

// Scan takes the next bytes of the stream, and writes data frames to data: each header at once, without the mark of a
// compressed message. The scanner keeps the control frames. A breach and a close frame
// end the stream; frames in front of them count.
func (s *Scanner) Scan(p []byte, data *bytes.Buffer) *Breach {
	for len(p) > 0 && !s.closed {
		piece, rest, b := s.Next(p)
		p = rest
		if piece.Opcode < Close && piece.Header != nil {
			s.beginData(piece.Opcode)
			_ = data.WriteByte(s.unmarked())
			_, _ = data.Write(piece.Header[1:])
		} else if piece.Opcode < Close {
			_, _ = data.Write(piece.Payload)
		}
		if s.left != nil {
			s.left.note(piece)
		}
		if s.trace != nil && len(piece.Payload) > 0 {
			s.trace.Payload(piece.Opcode, piece.Payload)
		}
		if piece.Ended {
			s.note(piece)
		}
		if b != nil {
			return b
		}
	}
	return nil
}

// beginData remembers whether a message that begins is compressed.
func (s *Scanner) beginData(opcode byte) {
	if s.deflate && opcode != Continuation {
		s.compressed = append(s.compressed, s.marked())
	}
}

// note counts a frame that is complete.
func (s *Scanner) note(piece Piece) {
	if s.trace != nil {
		s.trace.Received(Received{Opcode: piece.Opcode, Final: piece.Final, Marked: s.marked(), Compressed: s.inflated, Control: piece.Control})
	}
	switch piece.Opcode {
	case Ping:
		s.notePing(piece.Control)
	case Pong:
		if s.wantPong != "" && s.wantPong == string(piece.Control) {
			s.pong = true
		} else {
			s.otherPong = true
		}
	case Close:
	default:
		if piece.Final {
			s.messages++
		}
	}
}

// NewScanner makes a scanner for messages of at most limit bytes. They may be compressed if compression is not nil.
func NewScanner(limit int64, agreed *Deflate) Scanner {
	return Scanner{Parser: NewParser(limit, agreed)}
}

// Messages is how many whole data messages were seen.
func (s *Scanner) Messages() int { return s.messages }

// Pong reports whether the Pong that answers the last Ping was seen, and whether another one was.
func (s *Scanner) Pong() (answer, other bool) { return s.pong, s.otherPong }

// expectPong sets the payload of the awaited Pong.
func (s *Scanner) expectPong(payload string) { s.wantPong, s.pong, s.otherPong = payload, false, false }

// nextCompressed reports whether the next message, counted from the first, is compressed.
func (s *Scanner) nextCompressed() bool {
	compressed := s.compressed[0]
	s.compressed = s.compressed[1:]
	return compressed
}
