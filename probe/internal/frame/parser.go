package frame

import (
	"encoding/binary"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

func protocolBreach(format string, args ...any) *Breach {
	return &Breach{Type: reasons.ProtocolError, Code: CloseProtocol, About: say.Sentence("protocol error: "+format, args...)}
}

// Parser takes the frames of a server apart and judges them, piece by piece. It copies no data and owns no memory beside
// itself, so that a connection that waits costs the size of a Parser.
type Parser struct {
	limit     int64  // bytes of one message
	message   int64  // bytes of the message under way
	most      int64  // bytes that it may have
	remaining uint64 // bytes of payload still to come

	closeReason string
	closeCode   uint16

	deflate   bool // messages may be compressed
	inPayload bool
	final     bool
	opcode    byte
	inMessage bool // a fragmented message is under way
	inflated  bool // the message under way is compressed
	closed    bool // a close frame was seen; nothing counts after it

	headerLen uint8
	header    [10]byte // of the frame that is being read
	control   []byte   // payload of a control frame that comes in pieces
}

// Piece is the result of [Parser.Next]: the header of a frame or a part of its payload. The zero value is a part of a
// header.
type Piece struct {
	Opcode  byte
	Header  []byte // the whole header of the frame, valid until the next call, or nil
	Payload []byte // the next bytes of the payload: a part of the argument of Next
	// Ended: the frame is complete. Final: it is the last, or only, one of its message.
	Ended, Final bool
	// Control is the whole payload of a control frame that has ended. It may be a part of the argument of Next.
	Control []byte
}

// NewParser makes a parser for messages of at most limit bytes. They may be compressed if compression is agreed upon.
func NewParser(limit int64, agreed *Deflate) Parser {
	return Parser{limit: limit, deflate: agreed != nil}
}

// Next takes the next bytes of the stream, at least one and at most those of one frame, and returns the rest. Nothing is
// taken after a close frame or a breach.
func (s *Parser) Next(p []byte) (piece Piece, rest []byte, b *Breach) {
	if s.inPayload {
		n := s.take(p)
		piece.Payload, p = p[:n], p[n:]
	} else {
		var whole bool
		if p, whole = s.readHeader(p); !whole {
			return piece, p, nil
		}
		size := s.headerLen
		if b := s.begin(); b != nil {
			return piece, p, b
		}
		piece.Header = s.header[:size]
	}
	piece.Opcode, piece.Final = s.opcode, s.final
	control := piece.Payload
	if s.opcode >= Close && (s.remaining > 0 || s.control != nil) { // few control frames come in pieces
		s.control = append(s.control, control...)
		control = s.control
	}
	if s.remaining == 0 {
		if piece.Ended, s.control = true, nil; s.opcode >= Close {
			piece.Control = control
		}
		b = s.end(control)
	}
	return piece, p, b
}

// readHeader takes bytes of a header, and reports whether it is whole.
func (s *Parser) readHeader(p []byte) (rest []byte, whole bool) {
	for i, c := range p {
		s.header[s.headerLen] = c
		if s.headerLen++; int(s.headerLen) == s.headerSize() {
			return p[i+1:], true
		}
	}
	return nil, false
}

// Limit is the longest message, in bytes.
func (s *Parser) Limit() int64 { return s.limit }

// Closed returns the code and the reason of the close frame, if one was seen. Nothing counts after it.
func (s *Parser) Closed() (code int, reason string, ok bool) {
	return int(s.closeCode), s.closeReason, s.closed
}

// InMessage reports whether a message has begun that has not ended.
func (s *Parser) InMessage() bool { return s.inMessage }

// InClose reports whether a close frame has begun that has not ended.
func (s *Parser) InClose() bool {
	return s.inPayload && s.opcode == Close || s.headerLen > 0 && s.header[0]&0x0f == Close
}

// Compressed reports whether the message under way, or else the last one, is compressed.
func (s *Parser) Compressed() bool { return s.inflated }

// unmarked is the first byte of a frame without the mark of a compressed message.
func (s *Parser) unmarked() byte {
	if s.marked() {
		return s.header[0] &^ rsv1
	}
	return s.header[0]
}

// marked reports whether the frame that begins is the first one of a compressed message (RFC 7692 6).
func (s *Parser) marked() bool {
	first := s.header[0]
	opcode := first & 0x0f
	return s.deflate && first&0x70 == rsv1 && (opcode == Text || opcode == Binary)
}

// headerSize is the length of the header, as far as its first bytes tell. A mask would make it longer, but begin
// refuses a mask before its key is read.
func (s *Parser) headerSize() int {
	if s.headerLen < 2 {
		return 2
	}
	switch s.header[1] & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	default:
		return 2
	}
}

// begin checks a whole header and prepares for its payload (RFC 6455 5.2 to 5.5).
func (s *Parser) begin() *Breach {
	first, second := s.header[0], s.header[1]
	s.final, s.opcode = first&0x80 != 0, first&0x0f
	s.remaining = uint64(second & 0x7f)
	size := int(s.headerLen)
	s.headerLen, s.inPayload = 0, true
	switch {
	case first&0x70 != 0 && !s.marked():
		return protocolBreach("frame with reserved bits %03b that no extension defines", first>>4&7)
	case second&0x80 != 0:
		return protocolBreach("masked frame from the server")
	case size == 4:
		s.remaining = uint64(binary.BigEndian.Uint16(s.header[2:]))
		if s.remaining < 126 {
			return protocolBreach("frame length %d is not in its shortest form", s.remaining)
		}
	case size == 10:
		s.remaining = binary.BigEndian.Uint64(s.header[2:])
		if s.remaining <= 0xffff || s.remaining>>63 != 0 {
			return protocolBreach("frame length %d is not in its shortest form or out of range", s.remaining)
		}
	}
	if s.opcode >= Close {
		return s.beginControl()
	}
	return s.beginData()
}

func (s *Parser) beginControl() *Breach {
	switch {
	case s.opcode > Pong:
		return protocolBreach("unknown control opcode %d", s.opcode)
	case !s.final:
		return protocolBreach("fragmented control frame")
	case s.remaining > MaxControlPayload:
		return protocolBreach("control frame of %d bytes", s.remaining)
	}
	return nil
}

func (s *Parser) beginData() *Breach {
	switch {
	case s.opcode > Binary:
		return protocolBreach("unknown data opcode %d", s.opcode)
	case s.opcode == Continuation && !s.inMessage:
		return protocolBreach("continuation frame without a message to continue")
	case s.opcode != Continuation && s.inMessage:
		return protocolBreach("new message inside a fragmented one")
	case s.opcode != Continuation:
		s.message, s.most, s.inflated = 0, s.limit, s.marked()
		if s.marked() {
			s.most = mostDeflated(s.limit)
		}
	}
	if s.remaining > uint64(s.most-s.message) {
		return tooBig(s.limit)
	}
	s.message += int64(s.remaining)
	s.inMessage = true
	return nil
}

// mostDeflated is the longest compressed form of a message within the limit. Bytes that do not compress grow by an
// eighth at worst, and by some bytes at every flush of the sender.
func mostDeflated(limit int64) int64 { return 2*limit + 4096 }

func tooBig(limit int64) *Breach {
	return &Breach{Type: reasons.MessageTooBig, Code: CloseTooBig, About: say.Sentence("message of more than %d bytes", limit)}
}

// take consumes payload, and returns the number of its bytes.
func (s *Parser) take(p []byte) int {
	n := len(p)
	if uint64(n) > s.remaining {
		n = int(s.remaining)
	}
	s.remaining -= uint64(n)
	return n
}

// end concludes a frame whose payload is complete. Control is that of a control frame.
func (s *Parser) end(control []byte) *Breach {
	s.inPayload = false
	if s.opcode == Close {
		return s.endClose(control)
	}
	if s.opcode < Close && s.final {
		s.inMessage = false
	}
	return nil
}
