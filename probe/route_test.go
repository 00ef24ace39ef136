package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestExpectProtocol: a server may pick none of the subprotocols (RFC 6455 4.2.2), a probe may insist.
func TestExpectProtocol(t *testing.T) {
	picks := func(protocol string) wstest.Script {
		return func(c *wstest.Conn) {
			if protocol == "" {
				c.Accept()
			} else {
				c.Accept("Sec-WebSocket-Protocol: " + protocol)
			}
			c.Message()
			c.Send(wstest.Text(pong))
			c.Serve()
		}
	}
	insist := func(s *probe.Spec, _ *wstest.Server) {
		s.Protocols, s.ExpectProtocol = []string{"a", "b"}, "b"
	}
	endpoint{name: "the_one_expected", script: picks("b"), change: insist, protocol: "b"}.test(t)
	refused := []endpoint{
		{name: "another", script: picks("a"), detail: "instead of"},
		{name: "none", script: picks(""), detail: "instead of"},
	}
	for _, e := range refused {
		e.change, e.reason, e.err, e.status = insist, reasons.OpenFailed, reasons.BadSubprotocol, 101
		e.test(t)
	}
}

// TestTokenAsSubprotocol: browsers send tokens as subprotocols, and no result shows one that a server repeats.
func TestTokenAsSubprotocol(t *testing.T) {
	token := strings.Repeat("Ab9-_.", probe.MaxProtocolLen/6)
	for name, test := range map[string]struct {
		answer func(c *wstest.Conn)
		err    reasons.ErrorType
		shown  string
	}{
		"picked": {func(c *wstest.Conn) { c.Accept("Sec-WebSocket-Protocol: " + token); c.Serve() }, "", "[redacted]"},
		"other": {func(c *wstest.Conn) {
			c.Accept("Sec-WebSocket-Protocol: base64.token")
			c.Serve()
		}, "", "base64.token"},
		"changed": {func(c *wstest.Conn) {
			c.Accept("Sec-WebSocket-Protocol: x" + token)
			c.Serve()
		}, reasons.BadSubprotocol, ""},
		"refused": {func(c *wstest.Conn) { c.Refuse(403, "no such token: "+token[:200]) }, "http_403", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.Memory(func(c *wstest.Conn) { c.Request(); test.answer(c) })
			defer s.Close()
			r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial,
				Protocols: []string{"base64.token", token}}})
			if r.ErrorType != test.err || r.Subprotocol != test.shown {
				t.Errorf("got %q, subprotocol %q, want %q, %q: %s", r.ErrorType, r.Subprotocol, test.err, test.shown,
					r.Detail)
			}
			s.Wait()
			if want := "Sec-WebSocket-Protocol: base64.token, " + token + "\r\n"; !strings.Contains(s.Last().Head,
				want) {
				t.Error("the token was not offered")
			}
			if all := r.Detail + r.Body; strings.Contains(all, "Ab9-_.Ab9") {
				t.Errorf("the token is shown: %s", all)
			}
		})
	}
}

// TestConnectTo: the connection goes elsewhere, the request stays the url's.
func TestConnectTo(t *testing.T) {
	s := wstest.Start(wstest.Reply(pong))
	defer s.Close()
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: "ws://tenant-7.example:8080/x?y=z",
		ConnectTo: s.Addr().String()}})
	if r.Reason != reasons.OK || r.Peer != s.Addr().String() {
		t.Errorf("got %v (%s) from %s", r.Reason, r.Detail, r.Peer)
	}
	s.Wait()
	head := s.Last().Head
	for _, line := range []string{"GET /x?y=z HTTP/1.1\r\n", "Host: tenant-7.example:8080\r\n"} {
		if !strings.Contains(head, line) {
			t.Errorf("the request lacks %q: %q", line, head)
		}
	}
	if span := r.Phases[probe.PhaseDNS]; span.State != probe.SpanAbsent {
		t.Error("the host of the url was looked up")
	}
}

// TestConnectToKeepsServerName: the certificate must be for the host of the url.
func TestConnectToKeepsServerName(t *testing.T) {
	s := wstest.StartTLS(wstest.Reply(pong), nil)
	defer s.Close()
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: "wss://other.example/", ConnectTo: s.Addr().String(),
		TLS: s.ClientTLS()}})
	if r.ErrorType != reasons.TLSHostnameMismatch {
		t.Errorf("got %q (%s), want %q", r.ErrorType, r.Detail, reasons.TLSHostnameMismatch)
	}
}

// TestIPVersion: only addresses of the version are connected to.
func TestIPVersion(t *testing.T) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	for _, test := range []struct {
		version probe.IPVersion
		found   []netip.Addr
		dialed  []netip.Addr
		err     reasons.ErrorType
	}{
		{probe.IPAny, []netip.Addr{v6, v4}, []netip.Addr{v6, v4}, reasons.ConnectionFailed},
		{probe.IPv4, []netip.Addr{v6, v4}, []netip.Addr{v4}, reasons.ConnectionFailed},
		{probe.IPv6, []netip.Addr{v4, v6}, []netip.Addr{v6}, reasons.ConnectionFailed},
		{probe.IPv6, []netip.Addr{v4}, nil, reasons.DNSFailure},
	} {
		t.Run(string(test.version), func(t *testing.T) {
			var dialed []netip.Addr
			found := slices.Clone(test.found)
			r := runOnce(t, probe.Spec{Opening: probe.Opening{
				URL:       "ws://two.example/",
				IPVersion: test.version,
				Resolve:   func(context.Context, string) ([]netip.Addr, error) { return found, nil },
				Dial: func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
					dialed = append(dialed, to.Addr())
					return nil, errors.New("not today")
				},
			}})
			if r.ErrorType != test.err || !slices.Equal(dialed, test.dialed) {
				t.Errorf("got %q (%s) after dialing %v, want %q after %v", r.ErrorType, r.Detail, dialed, test.err,
					test.dialed)
			}
			if !slices.Equal(found, test.found) {
				t.Errorf("the resolver's answer was changed to %v", found)
			}
		})
	}
}

// TestMaxReply: the limit is on a message, and its last byte is still within.
func TestMaxReply(t *testing.T) {
	limit := func(n int64) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, _ *wstest.Server) { s.MaxReply = n }
	}
	endpoint{name: "just_fits", script: wstest.Reply(pong), change: limit(int64(len(pong)))}.test(t)
	endpoint{name: "one_byte_more", script: wstest.Reply(pong), change: limit(int64(len(pong)) - 1),
		reason: reasons.ClosedEarly, err: reasons.MessageTooBig, opened: true, closeCode: 1009,
		saw: []int{1009}}.test(t)
}

// runOnce makes a probe and runs it.
func runOnce(t *testing.T, spec probe.Spec) probe.Result {
	t.Helper()
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}
