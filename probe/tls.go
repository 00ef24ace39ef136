package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// alpnHTTP1 is the protocol that an upgrade is a thing of, as ALPN names it (RFC 7301 6).
const alpnHTTP1 = "http/1.1"

// tlsFaults checks that TLS is configured only where there is TLS, and offers nothing but what an upgrade needs.
func (s Spec) tlsFaults() []Fault {
	var faults []Fault
	if strings.HasPrefix(strings.ToLower(s.URL), "ws://") {
		const problem = "is not allowed: the url is not wss://"
		if toProxy := s.Proxy != nil && strings.EqualFold(s.Proxy.Scheme, "https"); s.TLS != nil && !toProxy {
			faults = append(faults, Fault{Field: "TLS", Given: []string{"URL", "Proxy"}, NotAllowed: true, Problem: problem})
		}
		if s.AnyServerName {
			faults = append(faults, Fault{Field: "AnyServerName", Given: []string{"URL"}, NotAllowed: true, Problem: problem})
		}
		return faults
	}
	if s.TLS != nil && slices.ContainsFunc(s.TLS.NextProtos, func(p string) bool { return p != alpnHTTP1 }) {
		faults = append(faults, Fault{Field: "TLS", Problem: "must offer no protocol but http/1.1 by ALPN: no other one has the upgrade of RFC 6455"})
	}
	return faults
}

// tlsConfig is the configuration of one handshake after the other, none of which knows of the one before.
func tlsConfig(s Spec, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		c = s.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if c.NextProtos == nil {
		c.NextProtos = []string{alpnHTTP1}
	}
	if len(c.Certificates) == 1 && c.GetClientCertificate == nil {
		// Left to itself, crypto/tls keeps a certificate back that the server's list of authorities does not
		// lead to, and the server would miss one instead of saying why it dislikes this one.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.Certificates[0], nil }
	}
	readyRoots(c)
	if s.AnyServerName && !c.InsecureSkipVerify {
		c.InsecureSkipVerify = true // of what it skips, verifyChain does all but look at the name
		c.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(c, state.PeerCertificates) }
	}
	c.ClientSessionCache = nil
	c.SessionTicketsDisabled = true
	return c
}

// verifyChain verifies a certificate as crypto/tls does, but for its name.
func verifyChain(c *tls.Config, shown []*x509.Certificate) error {
	options := x509.VerifyOptions{Roots: c.RootCAs, Intermediates: x509.NewCertPool()}
	if c.Time != nil {
		options.CurrentTime = c.Time()
	}
	for _, certificate := range shown[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := shown[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: shown, Err: err}
	}
	return nil
}

// secure performs the TLS handshake, and notes until when the endpoint's certificate is good, whether it is
// accepted or not.
func (r *run) secure(plain net.Conn) (*tls.Conn, error) {
	r.enter(reasons.StageTLS, PhaseTLS)
	conn := tls.Client(plain, r.probe.tls)
	err := conn.Handshake()
	state := conn.ConnectionState()
	r.watcher.secured(state, err)
	r.res.CertificateExpiry = expiry(state.VerifiedChains, state.PeerCertificates)
	if err == nil {
		r.res.TLSVersion, r.res.TLSCipher, r.res.ALPN = state.Version, state.CipherSuite, state.NegotiatedProtocol
		r.leave(time.Now())
		return conn, nil
	}
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		r.res.CertificateExpiry = expiry(nil, unverified.UnverifiedCertificates)
	}
	var hostname x509.HostnameError
	if errors.As(err, &hostname) {
		err = fmt.Errorf("certificate is not valid for %s: %w", r.probe.tls.ServerName, err)
	}
	return nil, err
}

// expiry is when the chain that lasts longest ends: with its first certificate to do so. Without a verified one,
// what was shown is taken for the chain. It is zero if there is nothing.
func expiry(chains [][]*x509.Certificate, shown []*x509.Certificate) time.Time {
	if len(chains) == 0 {
		chains = [][]*x509.Certificate{shown}
	}
	var last time.Time
	for _, chain := range chains {
		var first time.Time
		for _, certificate := range chain {
			if first.IsZero() || certificate.NotAfter.Before(first) {
				first = certificate.NotAfter
			}
		}
		if first.After(last) {
			last = first
		}
	}
	return last
}

// isAlert reports whether an error is an alert that the server sent. A server that speaks TLS 1.3 refuses a client
// for its certificate, or for want of one, after the client thinks the handshake done (RFC 8446 4.4.2.4).
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}
