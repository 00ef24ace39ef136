package probe_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// nameServer answers over UDP with a code and, to questions for A, an address after a while. It says nothing
// if the code is negative, and none to questions for AAAA if it is to be silent about them.
func nameServer(t *testing.T, code int, after time.Duration, addr string, silentAAAA bool) string {
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
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if code < 0 || m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			if silentAAAA && q.Type == dnsmessage.TypeAAAA {
				continue
			}
			answer := dnsmessage.Message{Questions: m.Questions[:1],
				Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RCode: dnsmessage.RCode(code)}}
			if addr != "" && q.Type == dnsmessage.TypeA {
				answer.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()},
				}}
			}
			packed, err := answer.Pack()
			if err != nil {
				continue
			}
			time.AfterFunc(after, func() { _, _ = conn.WriteTo(packed, from) })
		}
	}()
	return conn.LocalAddr().String()
}

// TestResolver asks the default resolver of a Spec, with a name server of ours behind it. That nothing of a
// lookup outlives its run is what TestMain sees.
func TestResolver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		code   int
		after  time.Duration
		addr   string
		reason reasons.Code
		err    reasons.ErrorType
		detail string
		least  time.Duration
		silent bool // about AAAA
	}{
		{name: "dns_good", addr: "127.0.0.1"},
		{name: "dns_slow_ok", addr: "127.0.0.1", after: 300 * time.Millisecond, least: 290 * time.Millisecond},
		{name: "dns_aaaa_unanswered", addr: "127.0.0.1", silent: true, least: 50 * time.Millisecond},
		{name: "dns_nxdomain", code: int(dnsmessage.RCodeNameError), reason: reasons.OpenFailed, err: reasons.DNSNotFound, detail: "no such host"},
		{name: "dns_no_data", reason: reasons.OpenFailed, err: reasons.DNSNotFound, detail: "no such host"},
		{name: "dns_servfail", code: int(dnsmessage.RCodeServerFailure), reason: reasons.OpenFailed, err: reasons.DNSFailure, detail: "server misbehaving"},
		{name: "dns_refused", code: int(dnsmessage.RCodeRefused), reason: reasons.OpenFailed, err: reasons.DNSFailure, detail: "server misbehaving"},
		{name: "dns_silent", code: -1, reason: reasons.HandshakeTimeout, err: reasons.DNSTimeout, detail: "waiting for the resolver"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := nameServer(t, test.code, test.after, test.addr, test.silent)
			s := wstest.Start(wstest.Silent)
			defer s.Close()
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "udp", server)
			}
			p, err := probe.New(probe.Spec{
				URL: strings.Replace(s.URL, "127.0.0.1", "endpoint.example.", 1), Timeout: time.Second,
				Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
					return probe.ResolveThrough(ctx, host, dial)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Reason != test.reason || r.ErrorType != test.err || !strings.Contains(r.Detail, test.detail) || r.Handshake < test.least {
				t.Errorf("got %v, %s (%s) after %v; want %v, %s", r.Reason, r.ErrorType, r.Detail, r.Handshake, test.reason, test.err)
			}
		})
	}
}
