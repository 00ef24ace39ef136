package probe

import (
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// Limits of the texts that a [Result] keeps of what an endpoint said.
const (
	MaxBodyDetail  = 1024
	MaxReplyDetail = 256
)

// Result is what one run found. Texts are redacted: no header value, no query string, no credentials
// and none of the Secrets of the Spec are in any of them.
type Result struct {
	// Started is the start of the run. Ended is when its outcome was fixed, before the close handshake. Both are on the
	// wall clock of the end: they are the length of the run apart, even if that clock was stepped meanwhile.
	Started, Ended time.Time

	// Reason is OK, or why the run failed; ErrorType is then what broke.
	Reason    reasons.Code
	ErrorType reasons.ErrorType

	// Opened says that the 101 was verified; Handshake is measured if and only if it is set.
	Opened    bool
	Handshake time.Duration
	// Replied says that the matching reply, or the Pong, came, and that every step of an exchange was done; RoundTrip is measured if and only if it is set.
	Replied   bool
	RoundTrip time.Duration

	// TimestampSource is the clock that read the end of the latencies; empty if none was measured.
	TimestampSource TimestampSource

	// Lag is how late this process was to see what decided the run: how long the bytes that ended a latency had been
	// there, if the kernel told, for how long the deadline had passed when the run noticed, and how much longer than meant
	// it listened for a greeting.
	Lag time.Duration
	// StartDelay is how late the run started. Whoever schedules runs sets it; Run leaves it 0.
	StartDelay time.Duration

	// Trace is the trace that the run was in, as its options said.
	Trace Trace

	// Phases say where the time went.
	Phases Phases
	// Steps are the spans of Spec.Exchange, in its order and as long; nil if there is none.
	Steps []Span

	// Detail is the error that ended a failed run, for people.
	Detail string
	// Peer is the address at the other end of the TCP connection, the proxy's if there is one.
	Peer string
	// CertificateExpiry is when the endpoint's certificate ceases to be good, zero if the TLS handshake did not get as
	// far as a certificate. A verified certificate ends with the first of its chain; of several chains, that
	// which lasts longest counts. Of one that was refused, or not verified, the first of those shown counts.
	CertificateExpiry time.Time
	// TLSVersion and TLSCipher are what the TLS handshake with the endpoint agreed upon, by their numbers in package
	// crypto/tls, and ALPN the protocol that the endpoint picked, if any. 0 and empty if there was no such handshake, or
	// it failed.
	TLSVersion, TLSCipher uint16
	ALPN                  string
	// HTTPStatus is the status of the response to the upgrade, or to the CONNECT that a proxy refused;
	// 0 if there was none. Body is the beginning of a refusal's body.
	HTTPStatus int
	Body       string
	// Subprotocol is the one that the server picked, or empty.
	Subprotocol string
	// Extensions is the permessage-deflate that was agreed upon, with the parameters that the server gave, or empty.
	Extensions string
	// CloseCode tells how the connection ended: the code of the close frame, 1005 for a close frame without one, 1006 for
	// an end without a close frame, and after a breach the code that the probe sent (RFC 6455 7.4.1). 0 if the probe was
	// the first to close. A run that is OK has one, too, if the server closed before the probe said goodbye, or said
	// something else than goodbye to that.
	CloseCode   int
	CloseReason string
	// CloseByProbe says that the code is the probe's own word to a server that broke the protocol.
	CloseByProbe bool
	// Unmatched counts the messages that came and were not the reply; LastReply is the beginning of the
	// last of them.
	Unmatched int
	LastReply string

	// Clues are what [Result.Hint] follows from, beside the rest.
	Clues reasons.Clues
}

// Hint is advice for a person who meets this result, in the words that the person knows; nil is for the fields of a
// file. It is empty for a run that was ok, unless the server closed the connection.
func (r Result) Hint(words reasons.Words) string {
	c := r.Clues
	if c.Status = 0; !r.Opened {
		c.Status = r.HTTPStatus
	}
	c.Close = r.CloseCode
	return reasons.Hint(reasons.Failure{Code: r.Reason, Type: r.ErrorType, Clues: c}, words)
}

// OverloadBound is how late an agent may be before a run counts as disturbed by the agent itself.
const OverloadBound = 100 * time.Millisecond

// Overloaded reports whether the run was started or served so late that this machine, and not the endpoint, may be
// what it shows.
func (r Result) Overloaded() bool { return max(r.StartDelay, r.Lag) > OverloadBound }

// Phase is a part of a run.
type Phase int

// The phases in the order of a run. PhaseClose is not part of any value.
const (
	PhaseDNS Phase = iota
	PhaseConnect
	PhaseTLS
	PhaseUpgrade
	PhaseRoundTrip
	PhaseClose
	phaseCount
)

var phaseNames = [phaseCount]string{"dns", "connect", "tls", "upgrade", "round_trip", "close"}

// String returns the name of the phase as telemetry spells it.
func (p Phase) String() string { return phaseNames[p] }

// Span is when a phase was under way, as offsets from the start of the run.
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
	// SpanEnded is a phase that did what it was for.
	SpanEnded
)

// Phases are the spans of a run, indexed by [Phase].
type Phases [phaseCount]Span
