package probe

import (
	"time"
)

// Limits and defaults of a [Spec].
const (
	DefaultTimeout  = 10 * time.Second
	MinTimeout      = 100 * time.Millisecond
	MaxTimeout      = 30 * time.Second
	MaxSendBytes    = 64 << 10
	MaxExpectBytes  = 64 << 10
	MaxProtocols    = 16
	MaxProtocolLen  = 8 << 10
	DefaultMaxReply = 1 << 20
	MaxMaxReply     = 64 << 20
	// MaxProtocolBytes is the length of all subprotocols together. Servers commonly accept a head of 8 to 64 KiB.
	MaxProtocolBytes = 16 << 10
	MaxStayOpen      = 25 * time.Second
	// MaxJSONPathBytes is the length of a path of ExpectJSON in bytes.
	MaxJSONPathBytes = 1 << 10
)

// PingMode is how a run provokes an answer.
type PingMode string

// The ping modes.
const (
	// PingNone sends no message of its own: without an Exchange the run is over when the socket is open.
	PingNone PingMode = "none"
	// PingMessage sends Spec.Send as a message and waits for a message that matches Spec.Expect.
	PingMessage PingMode = "message"
	// PingFrame sends a Ping frame and waits for its Pong (RFC 6455 5.5.2).
	PingFrame PingMode = "frame"
	// PingBoth is PingMessage with a Ping frame behind every message that waits for an answer. The run does not wait
	// for the Pong, which tells a silent application from a silent endpoint.
	PingBoth PingMode = "both"
)

// PingModes returns every ping mode.
func PingModes() []PingMode { return []PingMode{PingNone, PingMessage, PingFrame, PingBoth} }

// messages reports whether the mode sends messages.
func (m PingMode) messages() bool { return m == PingMessage || m == PingBoth }

// talks reports whether a run of the Spec has messages to send or to wait for.
func (s Spec) talks() bool {
	return s.PingMode.messages() || s.PingMode == PingNone && s.Exchange != nil
}

// Spec says what to probe and how. Only the URL of its Opening is required; the zero value of every other field is its
// default. [New] copies the Spec, so that a later change of it has no effect.
type Spec struct {
	// Opening is the way to the open socket. Its fields are fields of the Spec, too: s.URL is s.Opening.URL.
	Opening
	// Interpretation picks the headline value. Default: HandshakeLatency.
	Interpretation Interpretation
	// Timeout bounds a run from its start to the matching reply, MinTimeout to MaxTimeout.
	// Default: DefaultTimeout.
	Timeout time.Duration
	// PingMode is how the run provokes an answer. RoundTripLatency needs a mode other than PingNone, and the others
	// need PingNone. Default: PingMessage for RoundTripLatency, else PingNone.
	PingMode PingMode
	// MessageFormat is how Send and Expect are written. Default: FormatText.
	MessageFormat MessageFormat
	// Send is the message of PingMessage and PingBoth, at most MaxSendBytes; required there, unless there is an
	// Exchange, and allowed only there.
	Send string
	// Expect is a text that the reply must contain, compared byte by byte; empty accepts any reply. At most
	// MaxExpectBytes.
	Expect string
	// ExpectPattern is a regular expression (RE2) that must match somewhere in the reply, in place of Expect. It
	// matches a text message as UTF-8, and a binary one byte by byte: \xff is the byte 0xff, a dot is any byte, and
	// text outside ASCII is the bytes of its UTF-8. An expression about characters, such as \p{L}, \x{20ac} or [äö],
	// matches both as UTF-8. At most MaxExpectBytes.
	ExpectPattern string
	// ExpectJSON has the values of a JSON reply by their paths, in place of Expect; see [Step].
	ExpectJSON map[string]any
	// Exchange is a conversation in place of Send and one reply, at most MaxSteps steps. Every Interpretation can have
	// one, then with PingNone, too: the run is ok once all steps have ended.
	Exchange []Step
	// Connections say how connections that steps name differ from that of the Spec, by their names: at most
	// MaxConnections together with the main one. Each is closed with the run. A run that ends on one of them has the
	// reasons and error types that it would have on the main one. Phases are those of the main one only.
	Connections map[string]Connection
	// MaxReply is the longest message to accept, in bytes after inflating, at most MaxMaxReply. Default:
	// DefaultMaxReply.
	MaxReply int64
	// ExpectStatus is the HTTP status of the refusal by an endpoint that must stay shut, from 200 to 599: the run is ok
	// only if this status comes. Not with RoundTripLatency. Default: 0, which expects the socket to open.
	ExpectStatus int
	// StayOpen is how long the socket must stay open for the run to be ok, from the 101 or from the end of the last
	// step. It is at most MaxStayOpen and less than Timeout, which bounds it, too. Messages that come meanwhile do not
	// matter. Default: 0, which ends the run at once.
	StayOpen time.Duration
}
