// Package frame judges the frames of a server as a client must (RFC 6455, RFC 7692).
//
// [Scanner] is the protocol as a value without I/O: bytes go in, data frames and breaches come out. [AppendControl] is
// its counterpart for what a client sends. [Stream] puts both on a connection, below the WebSocket library, which joins
// and masks data frames: the library is told of no control frame.
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

// MaxControlPayload is how many bytes of payload a control frame can have (RFC 6455 5.5).
const MaxControlPayload = 125

// Breach is what an endpoint did against RFC 6455 or the limits of the run. About is a sentence, see package say.
type Breach struct {
	Type  reasons.ErrorType
	Code  int // the close code that answers it, 0 before the socket is open
	About string

	Switch reasons.Switch // what is wrong with a 101
	Own    bool           // it is the probe's own message that is at fault
}

func (b *Breach) Error() string { return b.About }

// Trace is told what goes over a stream. Its functions delay the stream, and must not be nil.
type Trace struct {
	// Payload is called with each piece of the frame that is being received.
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
	// Marked says that the frame is the first one of a compressed message, Compressed that it is any one of it.
	Marked, Compressed bool
	Control            []byte // the payload of a control frame, to be cloned
}
