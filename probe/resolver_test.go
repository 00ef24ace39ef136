package probe_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// naming is what a name server does: it answers with a code, to questions for A also with an address, after a while.
type naming struct {
	code   int // negative: it never answers
	after  time.Duration
	addr   string
	silent bool          // it does not answer questions for AAAA
	six    time.Duration // if not 0: it answers questions for AAAA with ::1, after this
}

// start has the name server listen on UDP, and returns its address.
func (n naming) start(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	go func() {
		defer close(ended)
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:size]) != nil || len(m.Questions) == 0 {
				continue
			}
			if answer, after := n.answer(m); answer != nil {
				time.AfterFunc(after, func() { _, _ = conn.WriteTo(answer, from) })
			}
		}
	}()
	return conn.LocalAddr().String()
}

// answer is what the name server says to a question, if anything, and when.
func (n naming) answer(m dnsmessage.Message) ([]byte, time.Duration) {
	q := m.Questions[0]
	ipv6 := q.Type == dnsmessage.TypeAAAA
	if n.code < 0 || n.silent && ipv6 {
		return nil, 0
	}
	answer := dnsmessage.Message{Questions: m.Questions[:1],
		Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RCode: dnsmessage.RCode(n.code)}}
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}
	after := n.after
	switch {
	case n.addr != "" && q.Type == dnsmessage.TypeA:
		answer.Answers = []dnsmessage.Resource{{Header: head,
			Body: &dnsmessage.AResource{A: netip.MustParseAddr(n.addr).As4()}}}
	case n.six > 0 && ipv6:
		answer.Answers = []dnsmessage.Resource{{Header: head,
			Body: &dnsmessage.AAAAResource{AAAA: netip.IPv6Loopback().As16()}}}
		after = n.six
	}
	packed, err := answer.Pack()
	if err != nil {
		return nil, 0
	}
	return packed, after
}

// networks are the IP versions as package net names them. No version is any.
var networks = map[probe.IPVersion]string{"": "ip", probe.IPAny: "ip", probe.IPv4: "ip4", probe.IPv6: "ip6"}

// TestResolver asks the default resolver of a Spec, with a name server of ours behind it. That nothing of a
// lookup outlives its run is what TestMain sees.
func TestResolver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		naming
		allowed probe.IPVersion
		reason  reasons.Code
		err     reasons.ErrorType
		detail  string
		least   time.Duration
	}{
		{name: "dns_good", naming: naming{addr: "127.0.0.1"}},
		{name: "dns_slow_ok", naming: naming{addr: "127.0.0.1", after: 300 * time.Millisecond},
			least: 290 * time.Millisecond},
		{name: "dns_aaaa_unanswered", naming: naming{addr: "127.0.0.1", silent: true}, least: 50 * time.Millisecond},
		{name: "dns_nxdomain", naming: naming{code: int(dnsmessage.RCodeNameError)}, reason: reasons.OpenFailed,
			err: reasons.DNSNotFound, detail: "no such host"},
		{name: "dns_no_data", reason: reasons.OpenFailed, err: reasons.DNSNotFound, detail: "no such host"},
		{name: "dns_servfail", naming: naming{code: int(dnsmessage.RCodeServerFailure)}, reason: reasons.OpenFailed,
			err: reasons.DNSFailure, detail: "server misbehaving"},
		{name: "dns_refused", naming: naming{code: int(dnsmessage.RCodeRefused)}, reason: reasons.OpenFailed,
			err: reasons.DNSFailure, detail: "server misbehaving"},
		{name: "dns_silent", naming: naming{code: -1}, reason: reasons.HandshakeTimeout, err: reasons.DNSTimeout,
			detail: "waiting for the resolver"},
		{name: "dns_only_4", naming: naming{addr: "127.0.0.1", silent: true}, allowed: probe.IPv4},
		{name: "dns_only_6_late", naming: naming{addr: "127.0.0.2", six: 200 * time.Millisecond}, allowed: probe.IPv6,
			least: 190 * time.Millisecond},
		{name: "dns_only_6_none", naming: naming{addr: "127.0.0.1"}, allowed: probe.IPv6, reason: reasons.OpenFailed,
			err:    reasons.DNSFailure,
			detail: "no address of IP version 6"},
		{name: "dns_only_6_nxdomain", naming: naming{code: int(dnsmessage.RCodeNameError)}, allowed: probe.IPv6,
			reason: reasons.OpenFailed,
			err:    reasons.DNSNotFound, detail: "no such host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := test.start(t)
			s := wstest.Start(wstest.Silent)
			defer s.Close()
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "udp", server)
			}
			timeout := patient
			if test.reason == reasons.HandshakeTimeout {
				timeout = brief
			}
			p, err := probe.New(probe.Spec{Timeout: timeout, Opening: probe.Opening{
				URL: strings.Replace(s.URL, "127.0.0.1", "endpoint.example.", 1), IPVersion: test.allowed,
				// The endpoint is there, whatever its address.
				Dial: func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
					var d net.Dialer
					return d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(addr.Port()))))
				},
				Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
					return opening.Resolve(ctx, networks[test.allowed], host, dial)
				},
			}})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Reason != test.reason || r.ErrorType != test.err || !strings.Contains(r.Detail, test.detail) ||
				r.Handshake < test.least {
				t.Errorf("got %v, %s (%s) after %v; want %v, %s", r.Reason, r.ErrorType, r.Detail, r.Handshake,
					test.reason, test.err)
			}
		})
	}
}
