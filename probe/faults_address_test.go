package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// resolver is a Resolve that answers after a while.
func resolver(after time.Duration, err error, addrs ...string) func(context.Context, string) ([]netip.Addr, error) {
	return func(ctx context.Context, host string) ([]netip.Addr, error) {
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true, UnwrapErr: ctx.Err()}
		}
		var out []netip.Addr
		for _, a := range addrs {
			out = append(out, netip.MustParseAddr(a))
		}
		return out, err
	}
}

// named puts a host name into the URL, and says how it resolves.
func named(resolve func(context.Context, string) ([]netip.Addr, error)) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, _ *wstest.Server) {
		s.URL = strings.Replace(s.URL, "127.0.0.1", "endpoint.example", 1)
		s.Resolve = resolve
	}
}

// blackhole dials for real but for one address, to which SYNs are lost.
func blackhole(lost string) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		if addr.Addr().String() == lost {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr.String())
	}
}

func TestDNS(t *testing.T) {
	t.Parallel()
	row := func(name string, err reasons.ErrorType, detail string, resolve func(context.Context, string) ([]netip.Addr, error)) endpoint {
		return endpoint{name: name, script: wstest.Reply(pong), change: named(resolve), reason: reasons.OpenFailed, err: err, detail: detail, conns: -1}
	}
	good := func(name string, resolve func(context.Context, string) ([]netip.Addr, error)) endpoint {
		return endpoint{name: name, script: wstest.Reply(pong), change: named(resolve)}
	}
	late := row("dns_silent", reasons.DNSTimeout, "waiting for the resolver", resolver(time.Minute, nil))
	late.reason, late.timeout = reasons.HandshakeTimeout, brief
	lost := good("dns_happy_eyeballs_v6_blackhole", nil)
	lost.change = func(s *probe.Spec, srv *wstest.Server) {
		named(resolver(0, nil, "::1", "127.0.0.1"))(s, srv)
		s.Dial = blackhole("::1")
	}
	lost4 := lost
	lost4.name, lost4.change = "dns_first_of_two_blackhole", func(s *probe.Spec, srv *wstest.Server) {
		named(resolver(0, nil, "127.0.0.2", "127.0.0.1"))(s, srv)
		s.Dial = blackhole("127.0.0.2")
	}
	for _, e := range []endpoint{
		good("dns_good", resolver(0, nil, "127.0.0.1")),
		good("dns_slow_ok", resolver(100*time.Millisecond, nil, "127.0.0.1")),
		good("dns_mapped_address_ok", resolver(0, nil, "::ffff:127.0.0.1")),
		good("dns_first_of_two_refused", resolver(0, nil, "127.0.0.2", "127.0.0.1")),
		good("dns_first_family_refused", resolver(0, nil, "::1", "127.0.0.1")),
		lost, lost4, late,
		row("dns_nxdomain", reasons.DNSNotFound, "no such host", resolver(0, &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true})),
		row("dns_servfail", reasons.DNSFailure, "server misbehaving", resolver(0, &net.DNSError{Err: "server misbehaving", Name: "x", IsTemporary: true})),
		row("dns_own_timeout", reasons.DNSFailure, "i/o timeout", resolver(0, &net.DNSError{Err: "i/o timeout", Name: "x", IsTimeout: true})),
		row("dns_empty", reasons.DNSFailure, "no address", resolver(0, nil)),
		row("dns_other", reasons.DNSFailure, "odd", resolver(0, errors.New("odd"))),
	} {
		e.test(t)
	}
}

// TestLocalhost uses the real resolver.
func TestLocalhost(t *testing.T) {
	t.Parallel()
	e := endpoint{name: "dns_localhost", script: wstest.Reply(pong), change: func(s *probe.Spec, _ *wstest.Server) {
		s.URL = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	}}
	e.test(t)
	e.name, e.change, e.conns = "dns_invalid", func(s *probe.Spec, _ *wstest.Server) { s.URL = "ws://nowhere.invalid/" }, -1
	e.reason, e.err = reasons.OpenFailed, reasons.DNSNotFound
	if _, err := net.DefaultResolver.LookupHost(t.Context(), "nowhere.invalid"); err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound { // else there is no resolver here to say so
			e.test(t)
		}
	}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	dial := func(err error) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, _ *wstest.Server) {
			s.Dial = func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, err }
		}
	}
	row := func(name string, err reasons.ErrorType, detail string, change func(*probe.Spec, *wstest.Server)) endpoint {
		return endpoint{name: name, script: wstest.Reply(pong), change: change, reason: reasons.OpenFailed, err: err, detail: detail, conns: -1, ends: time.Second}
	}
	hole := row("tcp_syn_blackhole", reasons.ConnectTimeout, "waiting for the TCP connection", func(s *probe.Spec, _ *wstest.Server) { s.Dial = blackhole("127.0.0.1") })
	hole.reason, hole.timeout = reasons.HandshakeTimeout, brief
	for _, e := range []endpoint{
		row("tcp_refused", reasons.ConnectionRefused, "connection refused", func(_ *probe.Spec, s *wstest.Server) { s.Close() }),
		row("tcp_odd", reasons.ConnectionFailed, "odd", dial(errors.New("odd"))),
		hole,
	} {
		e.test(t)
	}
}

// TestNeverAccepted connects to a program that listens and never accepts.
func TestNeverAccepted(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	p, err := probe.New(probe.Spec{URL: "ws://" + l.Addr().String() + "/", Timeout: brief})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context())
	if err != nil || r.Reason != reasons.HandshakeTimeout || r.ErrorType != reasons.UpgradeTimeout {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on the loopback interface")
	}
	_ = l.Close()
	endpoint{name: "ipv6_only_ok", script: wstest.Reply(pong), serve: func(script wstest.Script) *wstest.Server {
		l, err := net.Listen("tcp", "[::1]:0")
		if err != nil {
			panic(err)
		}
		return wstest.Serve(l, nil, script)
	}}.test(t)
}

// tunnels is a proxy that connects to any server by CONNECT, as a script of its own.
func tunnels(c *wstest.Conn) {
	r := c.Request()
	if r.Method != "CONNECT" {
		c.Refuse(405, "CONNECT only\n")
	}
	c.Raw("HTTP/1.1 200 Connection established\r\n\r\n")
	c.Tunnel(r.Host)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	behind := wstest.Start(wstest.Reply(pong))
	secure := wstest.StartTLS(wstest.Reply(pong), nil)
	t.Cleanup(behind.Close)
	t.Cleanup(secure.Close)
	through := func(target *wstest.Server) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, proxy *wstest.Server) {
			s.Proxy = &url.URL{Scheme: "http", Host: proxy.Addr().String(), User: url.UserPassword("user", "secret")}
			s.URL = target.URL
			if target.CA != nil {
				s.TLS = target.ClientTLS()
			}
		}
	}
	row := func(name string, err reasons.ErrorType, status int, script wstest.Script) endpoint {
		e := refused(name, err, "", script)
		e.change, e.status = through(secure), status
		return e
	}
	stalled := row("proxy_wss_stall", reasons.ConnectTimeout, 0, wstest.StallHandshake)
	stalled.reason, stalled.timeout, stalled.detail = reasons.HandshakeTimeout, brief, "proxy"
	gone := row("proxy_refused", reasons.Proxy, 0, wstest.Silent)
	gone.conns, gone.detail, gone.change = -1, "proxy", func(s *probe.Spec, p *wstest.Server) { through(secure)(s, p); p.Close() }
	unknown := row("proxy_name_unknown", reasons.Proxy, 0, wstest.Silent)
	unknown.conns, unknown.change = -1, func(s *probe.Spec, p *wstest.Server) {
		s.Proxy = &url.URL{Scheme: "http", Host: "proxy.example:3128"}
		s.Resolve = resolver(0, &net.DNSError{Err: "no such host", IsNotFound: true})
	}
	authorized := func(c *wstest.Conn) {
		if c.Request().Header.Get("Proxy-Authorization") != "Basic dXNlcjpzZWNyZXQ=" {
			c.Refuse(407, "who?\n")
		}
		tunnels(c)
	}
	for _, e := range []endpoint{
		{name: "proxy_ws_connect_ok", script: tunnels, change: through(behind), saw: []int{0}},
		{name: "proxy_wss_connect_ok", script: authorized, change: through(secure), saw: []int{0}},
		row("proxy_wss_407", reasons.Proxy, 407, wstest.Refuse(407, "who?\n", "Proxy-Authenticate: Basic")),
		row("proxy_403", reasons.Proxy, 403, wstest.Refuse(403, "not there\n")),
		row("proxy_502", reasons.Proxy, 502, wstest.Refuse(502, "no route\n")),
		row("proxy_101", reasons.Proxy, 101, func(c *wstest.Conn) { c.Accept(); c.Hold() }),
		row("proxy_closes", reasons.Proxy, 0, says("")),
		row("proxy_resets", reasons.Proxy, 0, func(c *wstest.Conn) { c.Request(); c.Reset() }),
		row("proxy_not_http", reasons.Proxy, 0, saysAndHolds("SSH-2.0-OpenSSH\r\n")),
		row("proxy_tunnel_to_nowhere", reasons.TLSHandshake, 0, says("HTTP/1.1 200 OK\r\n\r\n")),
		stalled, gone, unknown,
	} {
		e.test(t)
	}
}
