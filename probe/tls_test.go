package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// mutual is a server that wants a certificate of a CA from its clients.
func mutual(ca *wstest.CA, version uint16) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca.Issue(wstest.Cert{})},
		ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs:  ca.Pool(), MinVersion: version, MaxVersion: version}
}

// shows is a change that trusts a CA and shows a certificate to the server.
func shows(trusted *wstest.CA, certificate tls.Certificate) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, _ *wstest.Server) {
		s.TLS = &tls.Config{RootCAs: trusted.Pool(), Certificates: []tls.Certificate{certificate}}
	}
}

// TestMutualTLS: a client proves who it is, and what the server dislikes about its proof is a failed handshake, also
// with TLS 1.3, where the server says so only after the client's part is done.
func TestMutualTLS(t *testing.T) {
	ca, stranger, now := wstest.NewCA(), wstest.NewCA(), time.Now()
	expired := wstest.Cert{NotBefore: now.AddDate(0, 0, -9), NotAfter: now.AddDate(0, 0, -1)}
	for version, name := range map[uint16]string{tls.VersionTLS12: "12", tls.VersionTLS13: "13"} {
		for _, e := range []endpoint{
			{name: "known_client", change: shows(ca, ca.Issue(wstest.Cert{})), script: wstest.Reply(pong)},
			func() endpoint {
				e := refused("unknown_client", reasons.TLSHandshake, "remote error", wstest.Reply(pong))
				e.change = shows(ca, stranger.Issue(wstest.Cert{}))
				return e
			}(),
			func() endpoint {
				e := refused("expired_client", reasons.TLSHandshake, "remote error", wstest.Reply(pong))
				e.change = shows(ca, ca.Issue(expired))
				return e
			}(),
			func() endpoint {
				e := refused("nameless_client", reasons.TLSHandshake, "remote error", wstest.Reply(pong))
				e.change = func(s *probe.Spec, _ *wstest.Server) { s.TLS = &tls.Config{RootCAs: ca.Pool()} }
				return e
			}(),
		} {
			e.name += "_tls_" + name
			e.serve = overTLS(mutual(ca, version))
			e.test(t)
		}
	}
}

// TestClientIsShownToAnyAuthority: a server whose list of authorities does not lead to the client's is shown the
// certificate all the same, and says what it dislikes about it.
func TestClientIsShownToAnyAuthority(t *testing.T) {
	ca, stranger := wstest.NewCA(), wstest.NewCA()
	s := wstest.StartTLS(wstest.Reply(pong), mutual(ca, tls.VersionTLS13))
	defer s.Close()
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL}}
	shows(ca, stranger.Issue(wstest.Cert{}))(&spec, s)
	if r := runOnce(t, spec); r.Detail != "remote error: tls: unknown certificate authority" {
		t.Errorf("got %q (%s)", r.Detail, r.ErrorType)
	}
}

// failingWrite fails what is written once the handshake of TLS 1.3 is done.
type failingWrite struct{ net.Conn }

func (c failingWrite) Write(p []byte) (int, error) {
	if p[0] == 0x17 { // application data; the handshake's last flight begins with a change of the cipher
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return c.Conn.Write(p)
}

// TestAlertOutranksFailedWrite: when the server has hung up before the request is written, why it did is in its alert.
func TestAlertOutranksFailedWrite(t *testing.T) {
	ca := wstest.NewCA()
	dial := func(s *wstest.Server) func(context.Context, netip.AddrPort) (net.Conn, error) {
		return func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			conn, err := s.Dial(ctx, to)
			return failingWrite{conn}, err
		}
	}
	s := wstest.StartTLS(wstest.Reply(pong), mutual(ca, tls.VersionTLS13))
	defer s.Close()
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, TLS: &tls.Config{RootCAs: ca.Pool()}, Dial: dial(s)}})
	if r.ErrorType != reasons.TLSHandshake || r.Detail != "remote error: tls: certificate required" {
		t.Errorf("alert: got %q (%s)", r.ErrorType, r.Detail)
	}
	quiet := wstest.StartTLS(func(c *wstest.Conn) { c.Request() }, nil)
	defer quiet.Close()
	r = runOnce(t, probe.Spec{Timeout: patient,
		Opening: probe.Opening{URL: quiet.URL, TLS: quiet.ClientTLS(), Dial: dial(quiet)}})
	if r.ErrorType != reasons.ConnectionReset {
		t.Errorf("no alert: got %q (%s), want the failed write", r.ErrorType, r.Detail)
	}
}

// TestAnyServerName: the name may be any, the authority may not.
func TestAnyServerName(t *testing.T) {
	ca := wstest.NewCA()
	any := func(trusted *wstest.CA) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, _ *wstest.Server) {
			s.AnyServerName, s.TLS = true, &tls.Config{RootCAs: trusted.Pool()}
		}
	}
	now := time.Now()
	other := wstest.Cert{Names: []string{"other.invalid"}}
	expired := wstest.Cert{Names: other.Names, NotBefore: now.AddDate(0, 0, -9), NotAfter: now.AddDate(0, 0, -1)}
	client := wstest.Cert{Names: other.Names, Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	serving := func(e endpoint, cert wstest.Cert, trusted *wstest.CA) endpoint {
		e.serve, e.change = overTLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue(cert)}}), any(trusted)
		return e
	}
	for _, e := range []endpoint{
		serving(endpoint{name: "any_name", script: wstest.Reply(pong)}, other, ca),
		serving(refused("any_name_untrusted", reasons.TLSCertificateUntrust, "unknown authority", wstest.Reply(pong)),
			other, wstest.NewCA()),
		serving(refused("any_name_expired", reasons.TLSCertificateExpired, "expired", wstest.Reply(pong)), expired, ca),
		serving(refused("any_name_for_clients", reasons.TLSCertificateUntrust, "usage", wstest.Reply(pong)), client,
			ca),
	} {
		e.test(t)
	}
}

// TestServerName: the name that is asked for is the one that is verified, whatever the URL's host.
func TestServerName(t *testing.T) {
	ca := wstest.NewCA()
	asked := make(chan string, 1)
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked <- hello.ServerName
		certificate := ca.Issue(wstest.Cert{Names: []string{"tenant-7.example"}})
		return &certificate, nil
	}}
	s := wstest.StartTLS(wstest.Reply(pong), config)
	defer s.Close()
	for name, want := range map[string]reasons.ErrorType{"tenant-7.example": "",
		"tenant-8.example": reasons.TLSHostnameMismatch} {
		r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL,
			TLS: &tls.Config{RootCAs: ca.Pool(), ServerName: name}}})
		if r.ErrorType != want {
			t.Errorf("%s: got %q (%s), want %q", name, r.ErrorType, r.Detail, want)
		}
		if got := <-asked; got != name {
			t.Errorf("the server was asked for %q, want %q", got, name)
		}
	}
}

// TestALPN: http/1.1 is offered, unless nothing is to be.
func TestALPN(t *testing.T) {
	offered := make(chan []string, 1)
	ca := wstest.NewCA()
	s := wstest.StartTLS(wstest.Reply(pong),
		&tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			offered <- hello.SupportedProtos
			return nil, nil
		}, Certificates: []tls.Certificate{ca.Issue(wstest.Cert{})}})
	defer s.Close()
	for name, test := range map[string]struct {
		given []string
		want  int
	}{"by default": {nil, 1}, "said": {[]string{"http/1.1"}, 1}, "nothing": {[]string{}, 0}} {
		r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL,
			TLS: &tls.Config{RootCAs: ca.Pool(), NextProtos: test.given}}})
		if got := <-offered; len(got) != test.want || len(got) == 1 && got[0] != "http/1.1" || r.Reason != reasons.OK {
			t.Errorf("%s: offered %q, result %v (%s)", name, got, r.Reason, r.Detail)
		}
	}
}

// TestCertificateExpiry: every run that saw a certificate knows when it ends, above all one that failed over it.
func TestCertificateExpiry(t *testing.T) {
	day := func(n int) time.Time { return time.Now().AddDate(0, 0, n).Truncate(time.Second).UTC() }
	ca := wstest.NewCA()
	brief := wstest.NewCA(func(c *x509.Certificate) { c.NotAfter = day(3) })
	issue := func(ca *wstest.CA, c wstest.Cert) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.Issue(c)}}
	}
	wantsClient := issue(ca, wstest.Cert{NotAfter: day(42)})
	wantsClient.ClientAuth, wantsClient.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
	for name, test := range map[string]struct {
		server *tls.Config
		ca     *wstest.CA
		change func(*probe.Spec)
		want   time.Time
		err    reasons.ErrorType
	}{
		"good": {server: issue(ca, wstest.Cert{NotAfter: day(42)}), want: day(42)},
		"expired": {server: issue(ca, wstest.Cert{NotBefore: day(-9), NotAfter: day(-1)}), want: day(-1),
			err: reasons.TLSCertificateExpired},
		"another name": {server: issue(ca, wstest.Cert{Names: []string{"x.invalid"}, NotAfter: day(5)}),
			want: day(5), err: reasons.TLSHostnameMismatch},
		"untrusted": {server: issue(brief, wstest.Cert{NotAfter: day(42)}), want: day(42),
			err: reasons.TLSCertificateUntrust},
		"authority first": {server: issue(brief, wstest.Cert{NotAfter: day(42)}), ca: brief, want: day(3)},
		"not verified": {server: issue(brief, wstest.Cert{NotAfter: day(42)}), want: day(42),
			change: func(s *probe.Spec) { s.TLS = &tls.Config{InsecureSkipVerify: true} }},
		"any name": {server: issue(ca, wstest.Cert{Names: []string{"x.invalid"}, NotAfter: day(7)}), want: day(7),
			change: func(s *probe.Spec) { s.AnyServerName = true }},
		"any name, expired": {server: issue(ca, wstest.Cert{NotBefore: day(-9), NotAfter: day(-2)}), want: day(-2),
			err:    reasons.TLSCertificateExpired,
			change: func(s *probe.Spec) { s.AnyServerName = true }},
		"client refused": {server: wantsClient, want: day(42), err: reasons.TLSHandshake},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.StartTLS(wstest.Reply(pong), test.server)
			defer s.Close()
			if test.ca == nil {
				test.ca = ca
			}
			spec := probe.Spec{Opening: probe.Opening{URL: s.URL, TLS: &tls.Config{RootCAs: test.ca.Pool()}}}
			if test.change != nil {
				test.change(&spec)
			}
			r := runOnce(t, spec)
			if r.ErrorType != test.err || r.CertificateExpiry.Sub(test.want).Abs() > 5*time.Second {
				t.Errorf("got %q (%s) and %v, want %q and %v", r.ErrorType, r.Detail, r.CertificateExpiry, test.err,
					test.want)
			}
		})
	}
	plain := wstest.Start(wstest.Reply(pong))
	defer plain.Close()
	if r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: plain.URL}}); !r.CertificateExpiry.IsZero() {
		t.Errorf("a ws:// endpoint has a certificate until %v", r.CertificateExpiry)
	}
}
