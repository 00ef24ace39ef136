package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// forbidding is a Permit that refuses these addresses.
func forbidding(addrs ...string) func(netip.AddrPort) error {
	return func(addr netip.AddrPort) error {
		for _, a := range addrs {
			if addr.Addr().String() == a {
				return errors.New(a + " is off limits")
			}
		}
		return nil
	}
}

// watchful dials for real, and fails the test for an address that must not be connected to.
func watchful(t *testing.T, never string) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		if addr.Addr().String() == never {
			t.Errorf("dialed %v", addr)
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr.String())
	}
}

// TestPermit: an address that is not permitted is never dialed, and another one of the same name is.
func TestPermit(t *testing.T) {
	t.Parallel()
	refused := func(name string, change func(*probe.Spec, *wstest.Server)) endpoint {
		return endpoint{name: name, script: wstest.Reply(pong), on: onlyTCP, change: change, unreached: true,
			reason: reasons.OpenFailed, err: reasons.AddressNotPermitted, detail: "127.0.0.1 is off limits"}
	}
	resolved := func(addrs, never string) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, srv *wstest.Server) {
			named(resolver(0, nil, strings.Fields(addrs)...))(s, srv)
			s.Permit, s.Dial = forbidding("127.0.0.1", "127.0.0.9"), watchful(t, never)
		}
	}
	one := endpoint{name: "one_address_is_left", script: wstest.Reply(pong), on: onlyTCP}
	one.change = func(s *probe.Spec, srv *wstest.Server) {
		named(resolver(0, nil, "127.0.0.9", "127.0.0.1"))(s, srv)
		s.Permit, s.Dial = forbidding("127.0.0.9"), watchful(t, "127.0.0.9")
	}
	for _, e := range []endpoint{
		one,
		refused("address_in_the_url", func(s *probe.Spec, _ *wstest.Server) {
			s.Permit, s.Dial = forbidding("127.0.0.1"), watchful(t, "127.0.0.1")
		}),
		refused("connect_to", func(s *probe.Spec, srv *wstest.Server) {
			s.URL, s.ConnectTo = strings.Replace(s.URL, "127.0.0.1", "192.0.2.1", 1), srv.Addr().String()
			s.Permit, s.Dial = forbidding("127.0.0.1"), watchful(t, "127.0.0.1")
		}),
		refused("every_address_of_a_name", resolved("127.0.0.1 127.0.0.9", "127.0.0.1")),
		refused("mapped_address_of_a_name", resolved("::ffff:127.0.0.1", "127.0.0.1")),
	} {
		e.test(t)
	}
}

// TestPermitWithProxy: the address of a proxy is permitted whatever Permit says. That of the endpoint is not, and a name
// is the proxy's to look up.
func TestPermitWithProxy(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	through := func(host string) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, proxy *wstest.Server) {
			through("http", nil, b.plain)(s, proxy)
			s.URL = strings.Replace(s.URL, "127.0.0.1", host, 1)
			s.Permit = forbidding("127.0.0.1")
		}
	}
	address := endpoint{name: "address_behind_a_proxy", script: wstest.Connect, on: onlyTCP, change: through("127.0.0.1"), unreached: true,
		reason: reasons.OpenFailed, err: reasons.AddressNotPermitted, detail: "127.0.0.1 is off limits"}
	address.test(t)
	opensThrough("name_behind_a_proxy", wstest.Connect, through("localhost")).test(t)
}

// TestPermitOnSecondConnection: a further connection of an exchange asks, too.
func TestPermitOnSecondConnection(t *testing.T) {
	t.Parallel()
	main, other := wstest.Start(wstest.Reply(pong)), wstest.Start(wstest.Reply(pong))
	t.Cleanup(main.Close)
	t.Cleanup(other.Close)
	refused := func(addr netip.AddrPort) error {
		if addr.String() == other.Addr().String() {
			return errors.New("off limits")
		}
		return nil
	}
	send, expect := ping, want
	r := runOnce(t, probe.Spec{
		Opening:        probe.Opening{URL: main.URL, Permit: refused},
		Interpretation: probe.RoundTripLatency, Timeout: patient,
		Exchange:    []probe.Step{{On: "sub"}, {Send: &send, Expect: &expect}},
		Connections: map[string]probe.Connection{"sub": {URL: other.URL}},
	})
	if r.Reason == reasons.OK || !strings.Contains(r.Detail, "off limits") {
		t.Errorf("got %s %s %q", r.Reason, r.ErrorType, r.Detail)
	}
	if n := other.Connections(); n != 0 {
		t.Errorf("the endpoint of the second connection saw %d connections", n)
	}
}
