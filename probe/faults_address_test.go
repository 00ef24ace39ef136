package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
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
	row := func(name string, err reasons.ErrorType, detail string, resolve func(context.Context, string) ([]netip.Addr,
		error)) endpoint {
		return endpoint{name: name, script: wstest.Reply(pong), on: onlyTCP, change: named(resolve),
			reason: reasons.OpenFailed, err: err, detail: detail, unreached: true}
	}
	good := func(name string, resolve func(context.Context, string) ([]netip.Addr, error)) endpoint {
		return endpoint{name: name, script: wstest.Reply(pong), on: onlyTCP, change: named(resolve)}
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
		row("dns_nxdomain", reasons.DNSNotFound, "no such host",
			resolver(0, &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true})),
		row("dns_servfail", reasons.DNSFailure, "server misbehaving",
			resolver(0, &net.DNSError{Err: "server misbehaving", Name: "x", IsTemporary: true})),
		row("dns_own_timeout", reasons.DNSFailure, "i/o timeout",
			resolver(0, &net.DNSError{Err: "i/o timeout", Name: "x", IsTimeout: true})),
		row("dns_empty", reasons.DNSFailure, "no address", resolver(0, nil)),
		row("dns_other", reasons.DNSFailure, "odd", resolver(0, errors.New("odd"))),
	} {
		e.test(t)
	}
}

// TestLocalhost uses the real resolver.
func TestLocalhost(t *testing.T) {
	t.Parallel()
	e := endpoint{name: "dns_localhost", on: onlyTCP, script: wstest.Reply(pong),
		change: func(s *probe.Spec, _ *wstest.Server) {
			s.URL = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
		}}
	e.test(t)
	e.name, e.change, e.unreached = "dns_invalid", func(s *probe.Spec, _ *wstest.Server) {
		s.URL = "ws://nowhere.invalid/"
	}, true
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
		return endpoint{name: name, script: wstest.Reply(pong), on: onlyTCP, change: change, reason: reasons.OpenFailed,
			err: err, detail: detail, unreached: true, ends: time.Second}
	}
	hole := row("tcp_syn_blackhole", reasons.ConnectTimeout, "waiting for the TCP connection",
		func(s *probe.Spec, _ *wstest.Server) {
			s.Dial = blackhole("127.0.0.1")
		})
	hole.reason, hole.timeout = reasons.HandshakeTimeout, brief
	for _, e := range []endpoint{
		row("tcp_refused", reasons.ConnectionRefused, "connection refused", func(_ *probe.Spec, s *wstest.Server) {
			s.Close()
		}),
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
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: "ws://" + l.Addr().String() + "/"}, Timeout: brief})
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
