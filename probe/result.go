package probe

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/reasons"
)

// Limits of the texts of an endpoint that a [Result] keeps, in bytes.
const (
	MaxBodyDetail  = 1024
	MaxReplyDetail = 256
)

// Result is the outcome of one run. Its texts are redacted: none has a header value, a query string, credentials, or a
// secret of the Spec.
type Result struct {
	// Started is the start of the run. Ended is when its outcome was fixed, before the close handshake. Both are on the
	// wall clock of the end, so that their difference is the length of the run, also if that clock was stepped
	// meanwhile.
	Started, Ended time.Time

	// Reason is OK, or why the run failed. ErrorType is then the thing that broke, and else empty.
	Reason    reasons.Code
	ErrorType reasons.ErrorType

	// Opened: the 101 was verified. Handshake is measured only if Opened, from the end of PhasePrepare or else from the
	// start.
	Opened    bool
	Handshake time.Duration
	// Replied: the reply or the Pong arrived, and every step of an exchange ended. RoundTrip is measured only if
	// Replied.
	Replied   bool
	RoundTrip time.Duration

	// TimestampSource is the clock that read the end of the latencies; empty if none was measured.
	TimestampSource TimestampSource

	// Lag is how late this process saw the events that decided the run. It is the longest of three: how long the bytes
	// that ended a latency had been there, if the kernel told; how long after the deadline the run noticed it; and how
	// much too long it listened for a greeting.
	Lag time.Duration
	// StartDelay is how late the run started. The scheduler of runs sets it; Run leaves it 0.
	StartDelay time.Duration

	// Trace is the trace of the run, from its options.
	Trace Trace

	// Phases are the spans of the parts of the run.
	Phases Phases
	// Steps are the spans of Spec.Exchange, in its order and as long; nil if there is none.
	Steps []Span

	// Connection is the one of Spec.Connections on which a run failed. It is empty for the main one, and for a run that
	// is OK.
	Connection string
	// Detail is the error that ended a failed run, for people.
	Detail string
	// Peer is the address at the other end of the TCP connection: that of the proxy if there is one. Empty without a
	// connection.
	Peer string
	// CertificateExpiry is when the endpoint's certificate ceases to be good, zero if the TLS handshake did not get as
	// far as a certificate. A verified chain ends with the first of its certificates to do so; of several chains, the
	// one that lasts longest counts. If none was verified, the certificates shown count as one chain.
	CertificateExpiry time.Time
	// TLSVersion and TLSCipher are the agreement of the TLS handshake with the endpoint, by their numbers in package
	// crypto/tls. ALPN is the protocol that the endpoint picked, if any. They are 0 and empty without a handshake, and
	// if it failed.
	TLSVersion, TLSCipher uint16
	ALPN                  string
	// HTTPStatus is the status of the response to the upgrade, or to the CONNECT that a proxy refused. It is 0 without
	// a response. If Connection could not be opened, it is the status there. Body is the beginning of a refusal's body, at most MaxBodyDetail bytes.
	HTTPStatus int
	Body       string
	// Subprotocol is the subprotocol that the server picked, or empty.
	Subprotocol string
	// Extensions is the permessage-deflate of an open socket, with the server's parameters, or empty.
	Extensions string
	// CloseCode tells how the connection ended (RFC 6455 7.4.1). It is the code of the server's close frame, 1005 for a
	// close frame without a code, or 1006 for an end without a close frame. After a breach it is the code that the
	// probe sent. It is 0 if the probe closed first. A run that is OK has one, too, if the server closed before the
	// probe, or answered the probe's close frame with another code.
	CloseCode   int
	CloseReason string
	// CloseByProbe: the code is the one that the probe sent to a server that broke the protocol.
	CloseByProbe bool
	// Unmatched counts the messages that did not match. LastReply is the beginning of the last of them, at most
	// MaxReplyDetail bytes.
	Unmatched int
	LastReply string

	// Clues are further evidence for [Result.Hint].
	Clues reasons.Clues
}

// Hint is advice for a reader of this Result, in the given words; nil words are the fields of a file. It is empty for a
// run that was ok, unless the server closed the connection.
func (r Result) Hint(words reasons.Words) string {
	c := r.Clues
	if c.Status = 0; !r.Opened || r.Connection != "" && c.Stage <= reasons.StageUpgrade {
		c.Status = r.HTTPStatus
	}
	c.Close = r.CloseCode
	return reasons.Hint(reasons.Failure{Code: r.Reason, Type: r.ErrorType, Clues: c}, words)
}

// CloseSentBy returns whose close frame CloseCode comes from: "server", or "probe" after a breach. It is empty if there was
// no close frame.
func (r Result) CloseSentBy() string {
	switch {
	case r.CloseCode == 0 || r.CloseCode == frame.CloseAbnormal: // no close frame bears it (RFC 6455 7.4.1)
		return ""
	case r.CloseByProbe:
		return "probe"
	default:
		return "server"
	}
}

// OverloadBound is how late an agent may be before a run counts as disturbed by the agent itself.
const OverloadBound = 100 * time.Millisecond

// Overloaded reports whether the run started, or was served, more than OverloadBound late. Its values may then show
// this machine and not the endpoint.
func (r Result) Overloaded() bool { return max(r.StartDelay, r.Lag) > OverloadBound }

// Phase is a part of a run.
type Phase int

// The phases in the order of a run. PhasePrepare gets what the opening needs, if that takes more than a file. It and
// PhaseClose are not part of any value.
const (
	PhasePrepare Phase = iota
	PhaseDNS
	PhaseConnect
	PhaseTLS
	PhaseUpgrade
	PhaseRoundTrip
	PhaseClose
	phaseCount
)

var phaseNames = [phaseCount]string{"prepare", "dns", "connect", "tls", "upgrade", "round_trip", "close"}

// String returns the name of the phase as telemetry spells it.
func (p Phase) String() string { return phaseNames[p] }

// Span is the time of a phase, as offsets from the start of the run.
type Span struct {
	Start, End time.Duration
	State      SpanState
}

// Duration is the length of the span.
func (s Span) Duration() time.Duration { return s.End - s.Start }

// SpanState says whether a phase took place.
type SpanState uint8

const (
	// SpanAbsent is a phase that did not take place.
	SpanAbsent SpanState = iota
	// SpanBroken is a phase in which the run failed: it has a length, but did not end.
	SpanBroken
	// SpanEnded is a phase that succeeded.
	SpanEnded
)

// Phases are the spans of a run, indexed by [Phase].
type Phases [phaseCount]Span
