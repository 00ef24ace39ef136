package probe_test

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestHost: the Host field has every form of host as RFC 9112 3.2 wants it, and the connection goes to its address.
func TestHost(t *testing.T) {
	for _, test := range []struct{ url, host, dialed string }{
		{"ws://192.0.2.1/", "192.0.2.1", "192.0.2.1:80"},
		{"ws://192.0.2.1:8080/", "192.0.2.1:8080", "192.0.2.1:8080"},
		{"ws://192.0.2.1:80/", "192.0.2.1", "192.0.2.1:80"},
		{"ws://[2001:db8::1]/", "[2001:db8::1]", "[2001:db8::1]:80"},
		{"ws://[2001:db8::1]:8080/", "[2001:db8::1]:8080", "[2001:db8::1]:8080"},
		{"ws://[2001:DB8:0:0:0:0:0:1]:8080/", "[2001:db8::1]:8080", "[2001:db8::1]:8080"},
		{"ws://[::1]/", "[::1]", "[::1]:80"},
		{"ws://[::]:99/", "[::]:99", "[::]:99"},
		{"ws://[::ffff:127.0.0.1]:9900/", "[::ffff:127.0.0.1]:9900", "127.0.0.1:9900"},
		{"ws://[::ffff:127.0.0.1]/", "[::ffff:127.0.0.1]", "127.0.0.1:80"},
		{"ws://[::ffff:7f00:1]:9900/", "[::ffff:127.0.0.1]:9900", "127.0.0.1:9900"},
		{"ws://[0:0:0:0:0:FFFF:7F00:1]/", "[::ffff:127.0.0.1]", "127.0.0.1:80"},
		{"ws://[::127.0.0.1]/", "[::7f00:1]", "[::7f00:1]:80"},
		{"ws://[64:ff9b::192.0.2.33]/", "[64:ff9b::c000:221]", "[64:ff9b::c000:221]:80"},
		{"ws://[fe80::1%25eth0]/", "[fe80::1]", "[fe80::1%eth0]:80"},
		{"ws://[fe80::1%25eth0]:8080/", "[fe80::1]:8080", "[fe80::1%eth0]:8080"},
		{"ws://[fe80::1%25en%2d0]/", "[fe80::1]", "[fe80::1%en-0]:80"},
		{"WS://Example.COM:080/", "Example.COM", "198.51.100.7:80"},
		{"ws://example.com./", "example.com.", "198.51.100.7:80"},
		{"ws://b\u00fccher.example:81/", "xn--bcher-kva.example:81", "198.51.100.7:81"},
	} {
		t.Run(test.url, func(t *testing.T) {
			s := wstest.Memory(wstest.Reply(pong))
			defer s.Close()
			var dialed string
			r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: test.url,
				Resolve: func(context.Context, string) ([]netip.Addr, error) {
					return []netip.Addr{netip.MustParseAddr("198.51.100.7")}, nil
				},
				Dial: func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
					dialed = addr.String()
					return s.Dial(ctx, addr)
				}}})
			if r.Reason != reasons.OK || dialed != test.dialed {
				t.Errorf("got %v (%s), dialed %s, want %s", r.Reason, r.Detail, dialed, test.dialed)
			}
			s.Wait()
			if head := s.Last().Head; !strings.Contains(head, "\r\nHost: "+test.host+"\r\n") {
				t.Errorf("want Host %q in %q", test.host, head)
			}
		})
	}
}

// TestAddressIsNamedWithoutZone: a zone means something to this machine only, so neither a certificate nor a proxy is
// asked for it.
func TestAddressIsNamedWithoutZone(t *testing.T) {
	t.Run("certificate", func(t *testing.T) {
		s := wstest.MemoryTLS(wstest.Reply(pong), nil)
		defer s.Close()
		r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: "wss://[::1%25lo]/", TLS: s.ClientTLS(), Dial: s.Dial}})
		if r.Reason != reasons.OK && !strings.Contains(r.Detail, "not valid for ::1:") {
			t.Errorf("%s: %s", r.ErrorType, r.Detail)
		}
	})
	for _, scheme := range []string{"http", "socks5"} {
		t.Run(scheme, func(t *testing.T) {
			asked := make(chan string, 1)
			s := wstest.Memory(func(c *wstest.Conn) {
				if scheme == "http" {
					asked <- c.Request().Host
					return
				}
				c.SOCKSMethod(false)
				asked <- c.SOCKSRequest()
			})
			defer s.Close()
			runOnce(t, probe.Spec{Opening: probe.Opening{URL: "ws://[fe80::1%25eth0]:99/", Dial: s.Dial,
				Proxy: &url.URL{Scheme: scheme, Host: "192.0.2.1:1"}}})
			if got := <-asked; got != "[fe80::1]:99" {
				t.Errorf("the proxy was asked for %q", got)
			}
		})
	}
}

// TestNamesUnderLocalhost: names under localhost are this machine, without a query (RFC 6761 6.3), as the place of the
// endpoint, as that to connect to and as the proxy. Every place takes the IP version that is allowed.
func TestNamesUnderLocalhost(t *testing.T) {
	both := []string{"[::1]:99", "127.0.0.1:99"}
	for _, test := range []struct {
		name    string
		opening probe.Opening
		version probe.IPVersion
		dialed  []string
	}{
		{"itself", probe.Opening{URL: "ws://localhost:99/"}, probe.IPAny, both},
		{"with a dot", probe.Opening{URL: "ws://localhost.:99/"}, probe.IPAny, both},
		{"in capitals", probe.Opening{URL: "ws://LOCALHOST:99/"}, probe.IPAny, both},
		{"a name under it", probe.Opening{URL: "ws://app.localhost:99/"}, probe.IPAny, both},
		{"a deep one with a dot", probe.Opening{URL: "ws://a.b_c.LocalHost.:99/"}, probe.IPAny, both},
		{"an internationalized one", probe.Opening{URL: "ws://b\u00fccher.localhost:99/"}, probe.IPAny, both},
		{"version 4", probe.Opening{URL: "ws://app.localhost:99/"}, probe.IPv4, both[1:]},
		{"version 6", probe.Opening{URL: "ws://app.localhost:99/"}, probe.IPv6, both[:1]},
		{"connect_to", probe.Opening{URL: "ws://endpoint.example/", ConnectTo: "App.localhost:99"}, probe.IPAny, both},
		{"connect_to, version 4", probe.Opening{URL: "ws://endpoint.example/", ConnectTo: "app.localhost.:99"},
			probe.IPv4, both[1:]},
		{"proxy_url", probe.Opening{URL: "ws://endpoint.example/",
			Proxy: &url.URL{Scheme: "http", Host: "proxy.localhost:99"}}, probe.IPAny, both},
		{"proxy_url, version 6", probe.Opening{URL: "ws://endpoint.example/",
			Proxy: &url.URL{Scheme: "socks5", Host: "proxy.localhost:99"}}, probe.IPv6, both[:1]},
	} {
		t.Run(test.name, func(t *testing.T) {
			var dialed []string
			test.opening.IPVersion = test.version
			test.opening.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
				return opening.Resolve(ctx, networks[test.version], host,
					func(context.Context, string, string) (net.Conn, error) {
						t.Errorf("a name server was asked for %q", host)
						return nil, net.ErrClosed
					})
			}
			test.opening.Dial = func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
				dialed = append(dialed, addr.String())
				return nil, net.ErrClosed
			}
			if r := runOnce(t, probe.Spec{Opening: test.opening}); !slices.Equal(dialed, test.dialed) {
				t.Errorf("dialed %v, want %v: %s", dialed, test.dialed, r.Detail)
			}
		})
	}
}

// TestNotLocalhost: a name that only looks like one under localhost is looked up.
func TestNotLocalhost(t *testing.T) {
	for _, host := range []string{"localhost.example", "notlocalhost", "localhost.localdomain", "my-localhost"} {
		var asked atomic.Bool
		_, err := opening.Resolve(t.Context(), "ip", host, func(context.Context, string, string) (net.Conn, error) {
			asked.Store(true)
			return nil, net.ErrClosed
		})
		if !asked.Load() && err != nil {
			t.Errorf("no name server was asked for %s: %v", host, err)
		}
	}
}
