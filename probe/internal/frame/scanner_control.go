package frame

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// maxPings bounds the Pings without an answer, in bytes.
const maxPings = 64 << 10

// notePing remembers a Ping. If there are too many, only the last ones need an answer (RFC 6455 5.5.3).
func (s *Scanner) notePing(payload []byte) {
	if len(s.pings) > maxPings {
		s.pings = s.pings[:0]
	}
	s.pings = append(append(s.pings, byte(len(payload))), payload...)
}

// endClose reads the payload of a close frame (RFC 6455 5.5.1 and 7.4).
func (s *Parser) endClose(p []byte) *Breach {
	if len(p) == 0 {
		s.closed, s.closeCode = true, CloseNoStatus
		return nil
	}
	if len(p) == 1 {
		return protocolBreach("close frame with one byte of payload")
	}
	code, reason := int(binary.BigEndian.Uint16(p)), p[2:]
	switch {
	case !validCloseCode(code):
		return protocolBreach("close frame with the code %d", code)
	case !utf8.Valid(reason):
		return &Breach{Type: reasons.ProtocolError, Code: CloseInvalidData,
			About: say.Sentence("protocol error: close frame %d with a reason that is not UTF-8", code)}
	}
	s.closed, s.closeCode, s.closeReason = true, uint16(code), string(reason)
	return nil
}

// validCloseCode reports whether a code may stand in a close frame (RFC 6455 7.4.2 and the IANA registry).
func validCloseCode(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code == 1004, code == CloseNoStatus, code == CloseAbnormal:
		return false
	default:
		return code >= CloseNormal && code <= 1014
	}
}
