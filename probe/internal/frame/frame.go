// Package frame judges the frames of a server as a client must (RFC 6455, RFC 7692).
//
// [Parser] is the protocol as a value without I/O: bytes go in, pieces of frames and breaches come out. [AppendControl]
// and [AppendMessage] make the frames of a client. [Scanner] keeps what a run asks about. [Stream] puts messages on a
// connection.
package frame

import (
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// Opcodes of RFC 6455 5.2.
const (
	Continuation = 0x0
	Text         = 0x1
	Binary       = 0x2
	Close        = 0x8
	Ping         = 0x9
	Pong         = 0xa
)

// rsv1 marks the first frame of a compressed message (RFC 7692 6).
const rsv1 = 0x40

// Close codes of RFC 6455 7.4.1 that the probe sends or reports.
const (
	CloseNormal      = 1000
	CloseProtocol    = 1002
	CloseNoStatus    = 1005
	CloseAbnormal    = 1006
	CloseInvalidData = 1007
	CloseTooBig      = 1009
)

// MaxControlPayload is the longest payload of a control frame, in bytes (RFC 6455 5.5).
const MaxControlPayload = 125

// Breach is an act of an endpoint against RFC 6455 or against the limits of the run. About is a sentence, see package
// say.
type Breach struct {
	Type  reasons.ErrorType
	Code  int // the close code that answers it, 0 before the socket is open
	About string

	Switch reasons.Switch // the fault of a 101
	Own    bool           // the probe's own message is at fault
}

func (b *Breach) Error() string { return b.About }

// Trace has functions that a stream calls with its traffic. They delay the stream, and must not be nil.
type Trace struct {
	// Payload is called with each piece of the payload of the frame that is arriving.
	Payload func(opcode byte, piece []byte)
	// Received is called at the end of each frame that was received.
	Received func(Received)
	// Sent is called after a control frame was sent, with the time at which its writing began.
	Sent func(began time.Time, opcode byte, payload []byte)
}

// Received is a frame that was received.
type Received struct {
	Opcode byte
	Final  bool // the last, or only, frame of its message
	// Compressed: the message is compressed. Marked: the frame is the first one of such a message.
	Marked, Compressed bool
	Control            []byte // the payload of a control frame, to be cloned
}
