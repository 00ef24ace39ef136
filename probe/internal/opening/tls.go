package opening

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// ALPN is the ALPN name of HTTP/1.1 (RFC 7301 6), the only version of HTTP with the upgrade of RFC 6455.
const ALPN = "http/1.1"

// tlsConfig is the configuration of all handshakes of an Opener. None resumes the session of an earlier one.
func tlsConfig(given *tls.Config, anyName bool, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if given != nil {
		c = given.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if c.NextProtos == nil {
		c.NextProtos = []string{ALPN}
	}
	if len(c.Certificates) == 1 && c.GetClientCertificate == nil {
		// By itself, crypto/tls keeps a certificate back if the server's list of authorities does not lead to it. The
		// server would then miss a certificate instead of saying why it dislikes this one.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.Certificates[0], nil }
	}
	readyRoots(c)
	if anyName && !c.InsecureSkipVerify {
		c.InsecureSkipVerify = true // verifyChain does all that this skips, but for the name
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

// secure performs the TLS handshake with the endpoint, and notes what it tells, also if it fails.
func (a *Attempt) secure(plain net.Conn) (*tls.Conn, error) {
	a.enter(reasons.StageTLS, TLS)
	conn := tls.Client(plain, a.opener.tls)
	err := conn.Handshake()
	state := conn.ConnectionState()
	if a.Trace != nil {
		a.Trace.Secured(state, err)
	}
	a.Secured.Expiry = expiry(state.VerifiedChains, state.PeerCertificates)
	if err == nil {
		a.Secured.Version, a.Secured.Cipher, a.Secured.ALPN = state.Version, state.CipherSuite, state.NegotiatedProtocol
		a.leave(time.Now())
		return conn, nil
	}
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		a.Secured.Expiry = expiry(nil, unverified.UnverifiedCertificates)
	}
	var hostname x509.HostnameError
	if errors.As(err, &hostname) {
		err = fmt.Errorf("certificate is not valid for %s: %w", a.opener.tls.ServerName, err)
	}
	return nil, err
}

// expiry is the end of the chain that lasts longest. A chain ends with the first of its certificates to do so. Without
// a verified chain, the certificates shown count as one. It is zero without certificates.
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

// IsAlert reports whether an error is an alert that the server sent. In TLS 1.3 the server judges the client's
// certificate after the client's handshake is done (RFC 8446 4.4.2.4), so that an alert can be the answer to the
// request.
func IsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}
