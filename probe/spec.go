package probe

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
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

// IPVersion is a version of the Internet Protocol.
type IPVersion string

// The IP versions.
const (
	IPAny IPVersion = "any"
	IPv4  IPVersion = "4"
	IPv6  IPVersion = "6"
)

// IPVersions returns every IP version.
func IPVersions() []IPVersion { return []IPVersion{IPAny, IPv4, IPv6} }

// network names the addresses of the version as package net does.
func (v IPVersion) network() string {
	if v == IPAny {
		return "ip"
	}
	return "ip" + string(v)
}

// Spec says what to probe and how. Only URL is required; the zero value of every other field is its
// default. [New] copies the Spec, so that a later change of it has no effect.
type Spec struct {
	// URL is the endpoint, ws:// or wss://, without user information or fragment (RFC 6455 3).
	URL string
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
	// Send is the message of PingMessage and PingBoth, at most MaxSendBytes; required there, unless there is an Exchange,
	// and allowed only there.
	Send string
	// Expect is what the reply must contain, compared byte by byte; empty accepts any reply.
	// At most MaxExpectBytes.
	Expect string
	// ExpectPattern is a regular expression (RE2) that the reply must match somewhere, in place of Expect. A text message is
	// looked at as UTF-8, a binary one byte by byte: \xff is the byte 0xff, a dot is any byte, and text outside ASCII is the
	// bytes of its UTF-8. An expression about characters, such as \p{L}, \x{20ac} or [äö], looks at both as UTF-8. At most
	// MaxExpectBytes.
	ExpectPattern string
	// ExpectJSON is what must stand where in a JSON reply, in place of Expect; see [Step].
	ExpectJSON map[string]any
	// Exchange is what is said in place of Send and one reply, at most MaxSteps steps. It is allowed with every
	// Interpretation, and then with PingNone, too: the run is ok once all steps are done.
	Exchange []Step
	// Protocols are the subprotocols offered, in order of preference: at most MaxProtocols tokens
	// (RFC 7230 3.2.6) of at most MaxProtocolLen bytes each and MaxProtocolBytes together. Browsers can send a token to an
	// endpoint in no other place, so a subprotocol of more than 32 bytes is taken for a secret.
	Protocols []string
	// ExpectProtocol is the one of Protocols that the server must pick; empty accepts any of them, and none.
	ExpectProtocol string
	// Headers are added to the upgrade request, their names written as they stand here. A Host replaces
	// the default one. What the handshake itself sets is refused.
	Headers map[string]string
	// Secrets are texts that no Result may show, besides those that a Spec has anyway: the values of headers, the query
	// of the URL, the credentials. Ones of less than 3 bytes are shown.
	Secrets []string
	// Authorize returns the value of the Authorization field, anew for each run, so that credentials can change while
	// the probe lives. Its error ends the run before anything is connected, and stands in its result: it must not
	// hold a secret. It must not wait: no deadline bounds it. Nil adds no such field.
	Authorize func() (string, error)
	// UserAgent is the User-Agent of the request, unless Headers has one. Default: "wsprobe".
	UserAgent string
	// MaxReply is the longest message accepted, in bytes, at most MaxMaxReply. Default: DefaultMaxReply.
	MaxReply int64
	// Compression says whether to offer permessage-deflate (RFC 7692). A server may decline, Result.Extensions tells.
	// MaxReply holds for what a compressed message is inflated to. Default: CompressionOff.
	Compression Compression
	// ExpectStatus is the HTTP status of the refusal that is the right answer, from 200 to 599, for an endpoint
	// that must stay shut: the run is ok if and only if it comes. 0 expects the socket to open. Not with
	// RoundTripLatency.
	ExpectStatus int
	// StayOpen is how long the socket must stay open, from the 101 or from the end of the last step, for the run to be ok:
	// at most MaxStayOpen, and less than Timeout, whose deadline holds for it. Messages that come meanwhile do not matter.
	// Default: 0, which ends the run at once.
	StayOpen time.Duration
	// ConnectTo is the host:port to connect to in place of that of the URL, which still says what the Host
	// field and the TLS server name are; a proxy is asked for this one. Empty connects to the URL's.
	ConnectTo string
	// IPVersion restricts the addresses that are connected to, the proxy's if there is one. Default: IPAny.
	IPVersion IPVersion
	// Proxy is the proxy to tunnel through, or nil: http:// or https:// for CONNECT (RFC 6455 4.1), socks5:// for
	// SOCKS5 (RFC 1928), with the default ports 80, 443 and 1080. The proxy looks up the endpoint's name, so
	// socks5h:// is the same. Its user information becomes Basic (RFC 7617) or RFC 1929 authentication. The
	// certificate of an https:// proxy must name its host and lead to the RootCAs of TLS, those of the system
	// if nil; nothing else of TLS holds for it.
	Proxy *url.URL
	// TLS is the configuration for wss://, or nil for that of the system. The server name defaults to
	// the host of the URL. By ALPN http/1.1 is offered, or nothing if NextProtos is empty and not nil: no other
	// protocol has the upgrade of RFC 6455. Its only certificate is shown to every server that asks for one.
	// Sessions are never resumed: a resumed session would be another, cheaper, handshake.
	TLS *tls.Config
	// AnyServerName accepts a certificate that leads to a trusted authority, whatever name is in it.
	AnyServerName bool
	// Resolve looks a host name up. Default: Go's own resolver; localhost and the names under it are this machine, and no
	// name server is asked for them (RFC 6761 6.3).
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial opens a TCP connection to an address. Default: the dialer of package net.
	Dial func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
}
