package probe_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// overTLS serves with a configuration.
func overTLS(config *tls.Config) func(wstest.Script) *wstest.Server {
	return func(script wstest.Script) *wstest.Server { return wstest.StartTLS(script, config) }
}

// withCert serves with a certificate of a CA that the probe trusts.
func withCert(ca *wstest.CA, cert wstest.Cert) (serve func(wstest.Script) *wstest.Server,
	trust func(*probe.Spec, *wstest.Server)) {
	config := &tls.Config{Certificates: []tls.Certificate{ca.Issue(cert)}}
	return overTLS(config), func(s *probe.Spec, _ *wstest.Server) { s.TLS = &tls.Config{RootCAs: ca.Pool()} }
}

// cutHandshake lets a good TLS server begin its handshake and ends the connection after some bytes of it.
func cutHandshake(bytes int, end func(*wstest.Conn)) wstest.Script {
	return func(c *wstest.Conn) {
		c.BelowTLS("\x16\x03\x03\x02\x00\x02\x00\x01\xfc\x03\x03" + string(make([]byte, bytes)))
		end(c)
	}
}

func badCert(name string, err reasons.ErrorType, detail string, cert wstest.Cert) endpoint {
	e := refused(name, err, detail, wstest.Reply(pong))
	e.serve, e.change = withCert(wstest.NewCA(), cert)
	return e
}

func TestTLSCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	unknown := badCert("tls_unknown_authority", reasons.TLSCertificateUntrust, "unknown authority", wstest.Cert{})
	unknown.change = func(s *probe.Spec, _ *wstest.Server) { s.TLS = nil }
	constrained := refused("tls_name_constraint", reasons.TLSCertificateUntrust, "not authorized", wstest.Reply(pong))
	constrained.serve, constrained.change = withCert(wstest.NewCA(func(ca *x509.Certificate) {
		ca.PermittedDNSDomainsCritical, ca.PermittedDNSDomains = true, []string{"example.com"}
	}), wstest.Cert{})
	ipOnly := badCert("tls_no_address", reasons.TLSHostnameMismatch, "not valid for 127.0.0.1",
		wstest.Cert{Names: []string{"localhost"}})
	for _, e := range []endpoint{
		badCert("tls_expired", reasons.TLSCertificateExpired, "expired",
			wstest.Cert{NotBefore: now.AddDate(0, 0, -9), NotAfter: now.AddDate(0, 0, -1)}),
		badCert("tls_not_yet_valid", reasons.TLSCertificateExpired, "not yet valid",
			wstest.Cert{NotBefore: now.AddDate(0, 0, 1), NotAfter: now.AddDate(0, 0, 2)}),
		badCert("tls_wrong_host", reasons.TLSHostnameMismatch, "not valid for",
			wstest.Cert{Names: []string{"other.invalid"}}),
		badCert("tls_wrong_address", reasons.TLSHostnameMismatch, "not valid for",
			wstest.Cert{IPs: []net.IP{net.IPv4(127, 0, 0, 9)}}),
		badCert("tls_self_signed", reasons.TLSCertificateUntrust, "unknown authority", wstest.Cert{SelfSigned: true}),
		badCert("tls_client_usage_only", reasons.TLSCertificateUntrust, "usage",
			wstest.Cert{Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}),
		unknown, constrained, ipOnly,
	} {
		e.test(t)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	tlsRow := func(e endpoint, config *tls.Config) endpoint {
		e.serve = overTLS(config)
		e.memory = func(script wstest.Script) *wstest.Server { return wstest.MemoryTLS(script, config) }
		return e
	}
	mutual := func(version uint16) *tls.Config {
		return &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: version, MaxVersion: version}
	}
	silent := endpoint{name: "tls_silent", script: func(c *wstest.Conn) { c.Hold() }, timeout: brief,
		reason: reasons.HandshakeTimeout, err: reasons.TLSTimeout, detail: "waiting for the TLS handshake"}
	stalled := silent
	stalled.name, stalled.script = "tls_stalls_mid_flight", cutHandshake(100, func(c *wstest.Conn) { c.Hold() })
	upgrade := silent
	upgrade.on = onlyBubble // on a busy machine, a TLS handshake can take as long as these rows have
	upgrade.name, upgrade.script, upgrade.err, upgrade.detail = "tls_then_silent", wstest.StallHandshake,
		reasons.UpgradeTimeout, "upgrade"
	mute := unanswered("tls_silent_after_open", reasons.ReplyTimedOut, wstest.Silent)
	mute.on = onlyBubble
	plain := refused("tls_plain_http_on_wss", reasons.TLSHandshake, "does not look like a TLS handshake",
		func(c *wstest.Conn) {
			c.Raw("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
			c.FIN()
			c.Hold()
		})
	plain.change = func(s *probe.Spec, _ *wstest.Server) { s.URL = "wss" + s.URL[2:] }
	other := refused("ws_on_tls_port", reasons.MalformedResponse, "malformed HTTP response",
		saysAndHolds("\x15\x03\x01\x00\x02\x02\x16"))
	for _, e := range []endpoint{
		tlsRow(endpoint{name: "tls_good", script: wstest.Reply(pong)}, nil),
		tlsRow(endpoint{name: "tls_12_good", script: wstest.Reply(pong)}, &tls.Config{MaxVersion: tls.VersionTLS12}),
		tlsRow(endpoint{name: "tls_alpn_h2_preferred", script: func(c *wstest.Conn) {
			if proto := c.TLS().NegotiatedProtocol; proto != "http/1.1" {
				c.Refuse(421, proto)
			}
			wstest.Reply(pong)(c)
		}}, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}),
		tlsRow(endpoint{name: "tls_greeting_matches", on: onlyBubble, least: 190 * time.Millisecond,
			script: func(c *wstest.Conn) {
				c.Accept()
				c.Send(wstest.Text(pong))
				for {
					c.Message()
					c.Pause(200 * time.Millisecond)
					c.Send(wstest.Text(pong))
				}
			}}, nil),
		tlsRow(endpoint{name: "tls_reply_then_rst", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Read()
			c.Pause(100 * time.Millisecond)
			c.Reset()
		})}, nil),
		tlsRow(endpoint{name: "tls_never_answers_close", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Watch()
		})}, nil),
		tlsRow(closed("tls_fin_after_send", reasons.UnexpectedEOF, 1006, "", wstest.Drop), nil),
		tlsRow(closed("tls_rst_after_send", reasons.ConnectionReset, 1006, "", wstest.Reset), nil),
		tlsRow(closed("tls_close_4001", reasons.CloseFrame, 4001, "x", wstest.CloseWith(4001, "x")), nil),
		tlsRow(mute, nil),
		tlsRow(refused("tls_mtls_12", reasons.TLSHandshake, "remote error", wstest.Reply(pong)),
			mutual(tls.VersionTLS12)),
		tlsRow(refused("tls_mtls_13", reasons.TLSHandshake, "certificate required", wstest.Reply(pong)),
			mutual(tls.VersionTLS13)),
		tlsRow(refused("tls_alpn_other_only", reasons.TLSHandshake, "no application protocol", wstest.Reply(pong)),
			&tls.Config{NextProtos: []string{"xmpp-client"}}),
		tlsRow(refused("tls_10_only", reasons.TLSHandshake, "protocol version", wstest.Reply(pong)),
			&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}),
		tlsRow(refused("tls_fin_mid_handshake", reasons.TLSHandshake, "EOF", cutHandshake(300, func(c *wstest.Conn) {
			c.FIN()
			c.Hold()
		})), nil),
		tlsRow(refused("tls_fin_at_once", reasons.TLSHandshake, "EOF", func(c *wstest.Conn) {
			c.FIN()
			c.Hold()
		}), nil),
		tlsRow(refused("tls_rst_mid_handshake", reasons.ConnectionReset, "reset",
			cutHandshake(300, func(c *wstest.Conn) {
				c.Pause(30 * time.Millisecond)
				c.Reset()
			})), nil),
		tlsRow(silent, nil), tlsRow(stalled, nil), tlsRow(upgrade, nil), plain, other,
	} {
		e.test(t)
	}
}
