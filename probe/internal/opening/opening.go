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

// Way is what all ways have in common that differ in their URL alone: maybe those of a hundred thousand endpoints. It
// does not change.
type Way struct {
	connectTo *target      // nil for the host of the URL
	proxy     *proxyServer // nil for none
	network   string
	resolve   func(ctx context.Context, host string) ([]netip.Addr, error)
	dial      func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	plain     bool                            // dial is that of package net
	permit    func(addr netip.AddrPort) error // nil permits all
	given     *tls.Config
	anyName   bool // in certificates

	host           string   // the Host field, empty for that of the URL
	fields         string   // of the request, from behind Host up to the value of its key
	offered        []string // subprotocols
	expectProtocol string
	expectStatus   int
	maxMessage     int64
	compression    bool // whether it is offered
	traces         bool // whether the request has room for a traceparent: one in the Headers has precedence
}

// Opener opens sockets to one endpoint. Everything that is the same for each of them is prepared. It does not change,
// so several goroutines may use it.
type Opener struct {
	*Way
	dialed target      // where the socket is, behind the proxy if there is one
	tls    *tls.Config // nil for ws://
	uri    string      // of the request
	named  string      // the Host field
}

// New prepares an Opener.
func New(o Options) (*Opener, error) {
	w, err := NewWay(o)
	if err != nil {
		return nil, err
	}
	opener, err := w.To(o.URL)
	return &opener, err
}

// NewWay prepares all but the URL, which may be nil.
func NewWay(o Options) (*Way, error) {
	w := &Way{
		network: o.Network, resolve: o.Resolve, dial: o.Dial, permit: o.Permit, given: o.TLS, anyName: o.AnyServerName,
		traces: traceable(o.Headers), compression: o.Compression, offered: o.Protocols,
		expectProtocol: o.ExpectProtocol, expectStatus: o.ExpectStatus, maxMessage: o.MaxMessage,
	}
	w.host, w.fields = requestFields(o)
	if o.ConnectTo != "" {
		place, err := parseTarget(&url.URL{Scheme: "ws", Host: o.ConnectTo})
		if err != nil {
			return nil, fmt.Errorf("parsing ConnectTo: %w", err)
		}
		w.connectTo = &place
	}
	if o.Proxy != nil {
		var err error
		if w.proxy, err = newProxyServer(o.Proxy, o.TLS); err != nil {
			return nil, fmt.Errorf("parsing Proxy: %w", err)
		}
	}
	if o.Resolve == nil {
		w.resolve = defaultResolver(o.Network)
	}
	if o.Dial == nil {
		w.dial, w.plain = defaultDial, true
	}
	return w, nil
}

// To prepares an Opener for a URL, ws:// or wss://.
func (w *Way) To(u *url.URL) (Opener, error) {
	endpoint, err := parseTarget(u)
	if err != nil {
		return Opener{}, fmt.Errorf("parsing URL: %w", err)
	}
	o := Opener{Way: w, dialed: endpoint, uri: u.RequestURI(), named: w.host}
	if o.named == "" {
		o.named = shared(endpoint.hostField(u.Scheme), u.Host)
	}
	if w.connectTo != nil {
		o.dialed = *w.connectTo
	}
	if secure(u) {
		o.tls = tlsConfig(w.given, w.anyName, endpoint.named)
	}
	return o, nil
}

// shared returns a text in the memory of another, if they are the same.
func shared(text, memory string) string {
	if text == memory {
		return memory
	}
	return text
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
