package frame

import (
	"bytes"
	"encoding/binary"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

func protocolBreach(format string, args ...any) *Breach {
	return &Breach{Type: reasons.ProtocolError, Code: CloseProtocol, About: say.Sentence("protocol error: "+format, args...)}
}

// Scanner follows the frames of a server, byte by byte. It judges them, and passes data frames on.
//
// The WebSocket library cannot judge them. It accepts masked frames, lengths that are not minimal, and a stream that
// ends between two fragments, all of which RFC 6455 forbids. It does not tell either when a message was complete.
type Scanner struct {
	limit   int64 // bytes of one message
	deflate bool  // messages may be compressed

	header    [10]byte // of the frame that is being read
	headerLen int
	inPayload bool
	remaining uint64 // bytes of payload still to come
	final     bool
	opcode    byte

	inMessage  bool   // a fragmented message is under way
	message    int64  // bytes of it
	most       int64  // bytes that it may have
	compressed []bool // of the messages that have begun, but for those whose reader has asked

	control    [MaxControlPayload]byte // payload of the control frame that is being read
	controlLen int

	pings []byte // payloads without an answer yet, each behind its length

	messages    int  // whole data messages seen
	pong        bool // the Pong that answers wantPong was seen
	otherPong   bool // another Pong was seen
	wantPong    string
	closed      bool // a close frame was seen; nothing counts after it
	closeCode   int
	closeReason string

	trace    *Trace // nil for most runs
	inflated bool   // the message under way is compressed
}

// Scan takes the next bytes of the stream, and writes data frames to data: each header at once, without the mark of a
// compressed message, which the library would refuse. The scanner keeps the control frames. A breach and a close frame
// end the stream; frames in front of them count.
func (s *Scanner) Scan(p []byte, data *bytes.Buffer) *Breach {
	for len(p) > 0 && !s.closed {
		if !s.inPayload {
			s.header[s.headerLen] = p[0]
			s.headerLen++
			p = p[1:]
			size := s.headerLen
			if size < s.headerSize() {
				continue
			}
			if b := s.begin(); b != nil {
				return b
			}
			if s.opcode < Close {
				_ = data.WriteByte(s.unmarked())
				_, _ = data.Write(s.header[1:size])
			}
		} else {
			n := s.take(p)
			if s.opcode < Close {
				_, _ = data.Write(p[:n])
			}
			p = p[n:]
		}
		if s.inPayload && s.remaining == 0 {
			if b := s.end(); b != nil {
				return b
			}
		}
	}
	return nil
}

// NewScanner makes a scanner for messages of at most limit bytes. They may be compressed if compression is not nil.
func NewScanner(limit int64, agreed *Deflate) Scanner {
	return Scanner{limit: limit, deflate: agreed != nil}
}

// Closed returns the code and the reason of the close frame, if one was seen. Nothing counts after it.
func (s *Scanner) Closed() (code int, reason string, ok bool) {
	return s.closeCode, s.closeReason, s.closed
}

// Messages is how many whole data messages were seen.
func (s *Scanner) Messages() int { return s.messages }

// Pong reports whether the Pong that answers the last Ping was seen, and whether another one was.
func (s *Scanner) Pong() (answer, other bool) { return s.pong, s.otherPong }

// expectPong sets the payload of the awaited Pong.
func (s *Scanner) expectPong(payload string) { s.wantPong, s.pong, s.otherPong = payload, false, false }

// unmarked is the first byte of a frame without the mark of a compressed message.
func (s *Scanner) unmarked() byte {
	if s.marked() {
		return s.header[0] &^ rsv1
	}
	return s.header[0]
}

// marked reports whether the frame that begins is the first one of a compressed message (RFC 7692 6).
func (s *Scanner) marked() bool {
	first := s.header[0]
	opcode := first & 0x0f
	return s.deflate && first&0x70 == rsv1 && (opcode == Text || opcode == Binary)
}

// nextCompressed reports whether the next message, counted from the first, is compressed.
func (s *Scanner) nextCompressed() bool {
	compressed := s.compressed[0]
	s.compressed = s.compressed[1:]
	return compressed
}

// headerSize is the length of the header, as far as its first bytes tell. A mask would make it longer, but begin
// refuses a mask before its key is read.
func (s *Scanner) headerSize() int {
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
func (s *Scanner) begin() *Breach {
	first, second := s.header[0], s.header[1]
	s.final, s.opcode = first&0x80 != 0, first&0x0f
	s.remaining = uint64(second & 0x7f)
	size := s.headerLen
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

func (s *Scanner) beginControl() *Breach {
	s.controlLen = 0
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

func (s *Scanner) beginData() *Breach {
	switch {
	case s.opcode > Binary:
		return protocolBreach("unknown data opcode %d", s.opcode)
	case s.opcode == Continuation && !s.inMessage:
		return protocolBreach("continuation frame without a message to continue")
	case s.opcode != Continuation && s.inMessage:
		return protocolBreach("new message inside a fragmented one")
	case s.opcode != Continuation:
		s.message, s.most, s.inflated = 0, s.limit, s.marked()
		if s.deflate {
			s.compressed = append(s.compressed, s.marked())
		}
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
func (s *Scanner) take(p []byte) int {
	n := len(p)
	if uint64(n) > s.remaining {
		n = int(s.remaining)
	}
	if s.opcode >= Close {
		s.controlLen += copy(s.control[s.controlLen:], p[:n])
	}
	s.remaining -= uint64(n)
	if s.trace != nil {
		s.trace.Payload(s.opcode, p[:n])
	}
	return n
}

// end counts a frame whose payload is complete.
func (s *Scanner) end() *Breach {
	s.inPayload = false
	if s.trace != nil {
		s.trace.Received(Received{Opcode: s.opcode, Final: s.final, Marked: s.marked(), Compressed: s.inflated, Control: s.control[:s.controlLen]})
	}
	switch s.opcode {
	case Ping:
		s.notePing(s.control[:s.controlLen])
	case Pong:
		if s.wantPong != "" && s.wantPong == string(s.control[:s.controlLen]) {
			s.pong = true
		} else {
			s.otherPong = true
		}
	case Close:
		return s.endClose(s.control[:s.controlLen])
	default:
		if s.final {
			s.inMessage = false
			s.messages++
		}
	}
	return nil
}
