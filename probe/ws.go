package probe

import (
	"errors"
	"io"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// socket is an open WebSocket, on which an exchange has its messages. It waits on no clock of its own, because every
// wait ends by the deadline of the raw connection.
type socket struct{ stream *frame.Stream }

// write sends one message.
func (s *socket) write(message []byte, binary bool) error {
	opcode := byte(frame.Text)
	if binary {
		opcode = frame.Binary
	}
	return s.stream.Send(opcode, message)
}

// receive reads the next data message into m, chunk by chunk.
func (s *socket) receive(m *match.Message, buf []byte) error {
	opcode, err := s.stream.Next()
	if err != nil {
		return err
	}
	r := s.stream.Payload()
	m.Begin(opcode == frame.Text)
	for {
		n, err := r.Read(buf)
		if !m.Write(buf[:n]) {
			return invalidText()
		}
		if errors.Is(err, io.EOF) {
			if !m.End() {
				return invalidText()
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// invalidText is the breach of a text message that is not UTF-8 (RFC 6455 8.1).
func invalidText() *frame.Breach {
	return &frame.Breach{Type: reasons.ProtocolError, Code: frame.CloseInvalidData,
		About: say.Own("protocol error: text message that is not UTF-8")}
}
