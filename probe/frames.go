package probe

import (
	"bytes"
	"encoding/binary"

	"github.com/wsprobe/wsprobe/reasons"
)

// Opcodes of RFC 6455 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// rsv1 marks the first frame of a compressed message (RFC 7692 6).
const rsv1 = 0x40

// Close codes of RFC 6455 7.4.1 that the probe sends or reports.
const (
	closeNormal      = 1000
	closeProtocol    = 1002
	closeNoStatus    = 1005
	closeAbnormal    = 1006
	closeInvalidData = 1007
	closeTooBig      = 1009
)

const maxControlPayload = 125

// breach is what an endpoint did against RFC 6455 or the limits of the run.
type breach struct {
	what  reasons.ErrorType
	code  int // the close code that answers it
	about string

	wrong reasons.Switch // what is wrong with a 101
	own   bool           // it is the probe's own message that is at fault
}

func (b *breach) Error() string { return b.about }

func protocolBreach(format string, args ...any) *breach {
	return &breach{what: reasons.ProtocolError, code: closeProtocol, about: sayf("protocol error: "+format, args...)}
}

// frameScanner follows the frames that a server sends, byte by byte. The WebSocket library forgives a server much that
// RFC 6455 does not (masked frames, lengths that are not minimal, a stream that ends between two fragments), and cannot
// say when a message was complete. The scanner stands below it, is the judge of both, and passes on what the library
// is to read.
type frameScanner struct {
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
	compressed []bool // of messages that have begun, those whose reader has not asked yet

	control    [maxControlPayload]byte // payload of the control frame that is being read
	controlLen int

	pings []byte // payloads that nobody answered yet, each behind its length

	messages    int  // whole data messages seen
	pong        bool // the Pong that answers wantPong was seen
	otherPong   bool // one was seen that does not
	wantPong    string
	closed      bool // a close frame was seen; nothing counts after it
	closeCode   int
	closeReason string

	watcher  *watcher // nil for most runs
	inflated bool     // the message under way is compressed
}

// scan takes the next bytes of the stream, and writes to data what the library shall see: the data frames, a header at
// once, without the mark of a compressed message, which it would not let pass and of which nextCompressed tells. What
// control frames say is kept here. A breach ends the stream, and so does a close frame: what is in front of it counts.
func (s *frameScanner) scan(p []byte, data *bytes.Buffer) *breach {
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
			if s.opcode < opClose {
				_ = data.WriteByte(s.unmarked())
				_, _ = data.Write(s.header[1:size])
			}
		} else {
			n := s.take(p)
			if s.opcode < opClose {
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

// unmarked is the first byte of a frame without the mark of a compressed message.
func (s *frameScanner) unmarked() byte {
	if s.marked() {
		return s.header[0] &^ rsv1
	}
	return s.header[0]
}

// marked reports whether the frame that begins is the first one of a compressed message (RFC 7692 6).
func (s *frameScanner) marked() bool {
	first := s.header[0]
	opcode := first & 0x0f
	return s.deflate && first&0x70 == rsv1 && (opcode == opText || opcode == opBinary)
}

// nextCompressed reports whether the next message, counted from the first, is compressed.
func (s *frameScanner) nextCompressed() bool {
	compressed := s.compressed[0]
	s.compressed = s.compressed[1:]
	return compressed
}

// headerSize is how long the header is, as far as its first bytes tell. A mask would make it longer, but
// begin refuses one before its key is read.
func (s *frameScanner) headerSize() int {
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
func (s *frameScanner) begin() *breach {
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
	if s.opcode >= opClose {
		return s.beginControl()
	}
	return s.beginData()
}

func (s *frameScanner) beginControl() *breach {
	s.controlLen = 0
	switch {
	case s.opcode > opPong:
		return protocolBreach("unknown control opcode %d", s.opcode)
	case !s.final:
		return protocolBreach("fragmented control frame")
	case s.remaining > maxControlPayload:
		return protocolBreach("control frame of %d bytes", s.remaining)
	}
	return nil
}

func (s *frameScanner) beginData() *breach {
	switch {
	case s.opcode > opBinary:
		return protocolBreach("unknown data opcode %d", s.opcode)
	case s.opcode == opContinuation && !s.inMessage:
		return protocolBreach("continuation frame without a message to continue")
	case s.opcode != opContinuation && s.inMessage:
		return protocolBreach("new message inside a fragmented one")
	case s.opcode != opContinuation:
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

// mostDeflated is how long a message can be on the wire that is no longer than the limit once it is inflated. What
// does not compress becomes longer by an eighth at the worst, and by some bytes wherever the sender flushes.
func mostDeflated(limit int64) int64 { return 2*limit + 4096 }

func tooBig(limit int64) *breach {
	return &breach{what: reasons.MessageTooBig, code: closeTooBig, about: sayf("message of more than %d bytes", limit)}
}

// take consumes payload and returns how much.
func (s *frameScanner) take(p []byte) int {
	n := len(p)
	if uint64(n) > s.remaining {
		n = int(s.remaining)
	}
	if s.opcode >= opClose {
		s.controlLen += copy(s.control[s.controlLen:], p[:n])
	}
	s.remaining -= uint64(n)
	s.watcher.payload(s.opcode, p[:n])
	return n
}

// end closes the account of a frame whose payload is complete.
func (s *frameScanner) end() *breach {
	s.inPayload = false
	s.watcher.got(s)
	switch s.opcode {
	case opPing:
		s.notePing(s.control[:s.controlLen])
	case opPong:
		if s.wantPong != "" && s.wantPong == string(s.control[:s.controlLen]) {
			s.pong = true
		} else {
			s.otherPong = true
		}
	case opClose:
		return s.endClose(s.control[:s.controlLen])
	default:
		if s.final {
			s.inMessage = false
			s.messages++
		}
	}
	return nil
}
