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
	// MaxProtocolBytes is how long the subprotocols may be together. Servers commonly accept a head of 8 to 64 KiB.
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
	// PingBoth is PingMessage with a Ping frame behind every message that waits for an answer. Its Pong is not waited
	// for; it tells a silent application from a silent endpoint.
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
	// PingMode is how an answer is provoked. Default: PingMessage for RoundTripLatency, else PingNone;
	// the two go together, any other combination is refused.
	PingMode PingMode
	// MessageFormat is how Send and Expect are written. Default: FormatText.
	MessageFormat MessageFormat
	// Send is the message of PingMessage and PingBoth, at most MaxSendBytes; required there, unless there is an
	// Exchange, and allowed only there.
	Send string
	// Expect is what the reply must contain, compared byte by byte; empty accepts any reply.
	// At most MaxExpectBytes.
	Expect string
	// ExpectPattern is a regular expression (RE2) that the reply must match somewhere, in place of Expect. A text
	// message is looked at as UTF-8, a binary one byte by byte: \xff is the byte 0xff, a dot is any byte, and text
	// outside ASCII is the bytes of its UTF-8. An expression about characters, such as \p{L}, \x{20ac} or [äö], looks
	// at both as UTF-8. At most MaxExpectBytes.
	ExpectPattern string
	// ExpectJSON is what must stand where in a JSON reply, in place of Expect; see [Step].
	ExpectJSON map[string]any
	// Exchange is what is said in place of Send and one reply, at most MaxSteps steps. It is allowed with every
	// Interpretation, and then with PingNone, too: the run is ok once all steps are done.
	Exchange []Step
	// MaxReply is the longest message accepted, in bytes, at most MaxMaxReply. Default: DefaultMaxReply.
	MaxReply int64
	// ExpectStatus is the HTTP status of the refusal that is the right answer, from 200 to 599, for an endpoint
	// that must stay shut: the run is ok if and only if it comes. 0 expects the socket to open. Not with
	// RoundTripLatency.
	ExpectStatus int
	// StayOpen is how long the socket must stay open, from the 101 or from the end of the last step, for the run to be
	// ok: at most MaxStayOpen, and less than Timeout, whose deadline holds for it. Messages that come meanwhile do not
	// matter. Default: 0, which ends the run at once.
	StayOpen time.Duration
}
