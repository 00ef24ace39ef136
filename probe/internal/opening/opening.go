// Package opening leads from a URL to an open WebSocket: name resolution, TCP, proxy, TLS, upgrade.
//
// An [Opener] is made of [Options] once and opens any number of sockets. Each of them is an [Attempt], a value that the
// caller owns: it says how far the opening came, phase by phase, also if it failed. The package keeps no connection and
// starts no goroutine that outlives an Attempt.
//
// An open Attempt has a [frame.Stream], on which there are messages.
package opening

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Options say what to open, and how. They are taken to be valid. URL is required; the zero value of every other field
// is its default.
type Options struct {
	URL       *url.URL // ws:// or wss://
	ConnectTo string   // the host:port to connect to in place of that of the URL, or empty
	Network   string   // of the addresses to connect to, as package net names them: "ip4", "ip6", or "ip" for both
	Proxy     *url.URL // http://, https:// or socks5://, nil for none

	TLS           *tls.Config // for wss://, nil for that of the system
	AnyServerName bool        // whatever name is in a certificate, its chain alone counts

	Headers     map[string]string // of the request, besides those of the handshake
	UserAgent   string            // empty sends none
	Protocols   []string          // the subprotocols to offer
	Compression bool              // whether to offer permessage-deflate

	ExpectProtocol string // the subprotocol that must be picked, empty for any and none
	ExpectStatus   int    // of a refusal that is the right answer, 0 for none
	MaxMessage     int64  // the longest message to accept, in bytes

	// Resolve looks a host up. Nil is [Resolve] with the dialer of package net.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial opens a TCP connection. Nil is the dialer of package net.
	Dial func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	// Permit returns an error for an address of the endpoint that must not be connected to. Nil permits all.
	Permit func(addr netip.AddrPort) error
}

// Opener opens sockets to one endpoint. Everything that is the same for each of them is prepared. It does not change,
// so several goroutines may use it.
type Opener struct {
	dialed  target       // where the socket is, behind the proxy if there is one
	proxy   *proxyServer // nil for none
	tls     *tls.Config  // nil for ws://
	head    string       // of the request, up to the value of its key
	network string
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	dial    func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	plain   bool                            // dial is that of package net
	permit  func(addr netip.AddrPort) error // nil permits all

	offered        []string // subprotocols
	expectProtocol string
	expectStatus   int
	maxMessage     int64
	compression    bool // whether it is offered
	traces         bool // whether the request has room for a traceparent: one in the Headers has precedence
}

// New prepares an Opener.
func New(o Options) (*Opener, error) {
	endpoint, err := parseTarget(o.URL)
	if err != nil {
		return nil, fmt.Errorf("parsing URL: %w", err)
	}
	opener := &Opener{
		dialed: endpoint, network: o.Network, resolve: o.Resolve, dial: o.Dial, permit: o.Permit,
		head: requestHead(o, endpoint), traces: traceable(o.Headers), compression: o.Compression, offered: o.Protocols,
		expectProtocol: o.ExpectProtocol, expectStatus: o.ExpectStatus, maxMessage: o.MaxMessage,
	}
	if o.ConnectTo != "" {
		if opener.dialed, err = parseTarget(&url.URL{Scheme: "ws", Host: o.ConnectTo}); err != nil {
			return nil, fmt.Errorf("parsing ConnectTo: %w", err)
		}
	}
	if o.Proxy != nil {
		if opener.proxy, err = newProxyServer(o.Proxy, o.TLS); err != nil {
			return nil, fmt.Errorf("parsing Proxy: %w", err)
		}
	}
	if secure(o.URL) {
		opener.tls = tlsConfig(o.TLS, o.AnyServerName, endpoint.named)
	}
	if o.Resolve == nil {
		opener.resolve = defaultResolver(o.Network)
	}
	if o.Dial == nil {
		opener.dial, opener.plain = defaultDial, true
	}
	return opener, nil
}

// Secure reports whether the sockets are wss://.
func (o *Opener) Secure() bool { return o.tls != nil }

// Allows reports whether a network, "ip", "ip4" or "ip6", has an address.
func Allows(network string, addr netip.Addr) bool {
	switch network {
	case "ip4":
		return addr.Unmap().Is4()
	case "ip6":
		return !addr.Unmap().Is4()
	default:
		return true
	}
}

// secure reports whether a URL is one of TLS.
func secure(u *url.URL) bool {
	scheme := strings.ToLower(u.Scheme)
	return scheme == "wss" || scheme == "https"
}
