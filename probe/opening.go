package probe

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// Opening says how to open a socket: it is the half of a [Spec] from the URL to TLS. Only URL is required; the zero
// value of every other field is its default.
type Opening struct {
	// URL is the endpoint, ws:// or wss://, without user information or fragment (RFC 6455 3).
	URL string
	// ConnectTo is the host:port to connect to in place of that of the URL. The Host field and the TLS server name
	// still follow the URL; a proxy is asked for ConnectTo. Empty connects to the host of the URL.
	ConnectTo string
	// IPVersion restricts the addresses to connect to, those of the proxy if there is one. Default: IPAny.
	IPVersion IPVersion
	// Proxy is the proxy to tunnel through, or nil: http:// or https:// for CONNECT (RFC 6455 4.1), socks5:// for
	// SOCKS5 (RFC 1928), with the default ports 80, 443 and 1080. The proxy looks up the endpoint's name, so socks5h://
	// is the same. Its user information becomes Basic (RFC 7617) or RFC 1929 authentication. The certificate of an
	// https:// proxy must name its host and lead to the RootCAs of TLS, or to those of the system if they are nil. No
	// other field of TLS is for the proxy.
	Proxy *url.URL
	// TLS is the configuration for wss://, or nil for that of the system. The server name defaults to the host of the
	// URL. ALPN offers http/1.1, or nothing if NextProtos is empty and not nil: no other protocol has the upgrade of
	// RFC 6455. A certificate that is the only one is shown to every server that asks for one. No session is resumed,
	// because a resumed session would be another, cheaper, handshake.
	TLS *tls.Config
	// AnyServerName accepts a certificate with any name, if it leads to a trusted authority.
	AnyServerName bool
	// Headers are added to the upgrade request, with the spelling of their names. A Host replaces the default one.
	// Fields of the handshake itself are refused.
	Headers map[string]string
	// Authorize returns the value of the Authorization field. Each run calls it, so that credentials can change while
	// the probe lives. Its error ends the run before it connects, and stands in the result, so it must not hold a
	// secret. Nil adds no such field.
	Authorize func(ctx context.Context) (string, error)
	// AuthorizeWaits: Authorize, or that of a Connection, asks others, such as a token server. It is then the
	// beginning of the phase prepare, and its context ends with the deadline of the run. Without AuthorizeWaits it is
	// called before the run starts, and must return at once.
	AuthorizeWaits bool
	// Unauthorized is told the value of an Authorization field that the endpoint answered 401 to, so that the next run can
	// have another. Nil is told nothing.
	Unauthorized func(value string)
	// Prepare is a request that comes before the socket, or nil.
	Prepare *Prepare
	// UserAgent is the User-Agent of the request, unless Headers has one. Default: "wsprobe".
	UserAgent string
	// Protocols are the subprotocols to offer, in order of preference: at most MaxProtocols tokens (RFC 7230 3.2.6) of
	// at most MaxProtocolLen bytes each and MaxProtocolBytes together. One of more than 32 bytes counts as a secret,
	// because browsers can send a token to an endpoint in no other place.
	Protocols []string
	// ExpectProtocol is the one of Protocols that the server must pick; empty accepts any of them, and none.
	ExpectProtocol string
	// Compression says whether to offer permessage-deflate (RFC 7692). A server may decline; Result.Extensions is then
	// empty. A limit of messages is for the inflated ones. Default: CompressionOff.
	Compression Compression
	// Secrets are texts that no Result may show. The values of headers, the query of the URL and the credentials are
	// secret anyway. Texts of less than 3 bytes are shown.
	Secrets []string
	// Resolve looks a host name up. Default: Go's own resolver; localhost and the names under it are this machine, and
	// no name server is asked for them (RFC 6761 6.3).
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial opens a TCP connection to an address. Default: the dialer of package net.
	Dial func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	// Permit says whether an address may be connected to. It is asked for each address of the endpoint, before anything
	// is sent there. One that it returns an error for is left out; if none is left, the run ends with that error, which
	// stands in the result. With a Proxy it is asked for an address in the URL or in ConnectTo only, because the proxy
	// looks up names; nobody asks for the addresses of the proxy. Nil permits all.
	Permit func(addr netip.AddrPort) error
}

// withDefaults returns the Opening with its defaults filled in.
func (o Opening) withDefaults() Opening {
	if o.IPVersion == "" {
		o.IPVersion = IPAny
	}
	if o.Compression == "" {
		o.Compression = CompressionOff
	}
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent
	}
	o.Prepare = o.Prepare.withDefaults()
	return o
}

// options are those of package opening for a valid Opening with its defaults. The answer to expect and the longest
// message are not part of them.
func (o Opening) options() opening.Options {
	return opening.Options{
		ConnectTo: o.ConnectTo, Network: o.IPVersion.network(), Proxy: o.Proxy, TLS: o.TLS, AnyServerName: o.AnyServerName,
		Headers: o.Headers, UserAgent: o.UserAgent, Protocols: o.Protocols, ExpectProtocol: o.ExpectProtocol,
		Compression: o.Compression == CompressionOn, Resolve: o.Resolve, Dial: o.Dial, Permit: o.Permit,
	}
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
