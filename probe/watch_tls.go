package probe

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Secured is a TLS handshake. Version and Cipher are numbers of package crypto/tls, 0 if it failed. Verified: the
// certificate is good. Chain has the certificates in the order of the endpoint, its own first.
type Secured struct {
	Version, Cipher uint16
	ALPN            string
	Verified        bool
	Chain           []Certificate
}

// Certificate is one of a chain. Names are the DNS names and addresses that it is good for. Serial is its serial number,
// and Fingerprint the SHA-256 of the whole, both in hexadecimal.
type Certificate struct {
	Subject, Issuer     string
	Names               []string
	From, Until         time.Time
	Serial, Fingerprint string
}

// secured notes a TLS handshake, also one that failed because of the certificate.
func (w *watcher) secured(state tls.ConnectionState, err error) {
	chain := state.PeerCertificates
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		chain = unverified.UnverifiedCertificates
	}
	if len(chain) == 0 {
		return
	}
	w.TLS = &Secured{}
	if err == nil {
		w.TLS.Version, w.TLS.Cipher, w.TLS.ALPN = state.Version, state.CipherSuite, state.NegotiatedProtocol
		w.TLS.Verified = len(state.VerifiedChains) > 0 || w.run.probe.spec.AnyServerName
	}
	for _, c := range chain {
		w.TLS.Chain = append(w.TLS.Chain, Certificate{
			Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: certificateNames(c), From: c.NotBefore, Until: c.NotAfter,
			Serial: hex.EncodeToString(c.SerialNumber.Bytes()), Fingerprint: fmt.Sprintf("%x", sha256.Sum256(c.Raw)),
		})
	}
}

func certificateNames(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// show makes the texts of a handshake presentable.
func (s *Secured) show(hide *redactor) {
	if s == nil {
		return
	}
	clean := func(text *string) { *text = hide.text(*text, MaxBodyDetail) }
	clean(&s.ALPN)
	for i := range s.Chain {
		c := &s.Chain[i]
		clean(&c.Subject)
		clean(&c.Issuer)
		for j := range c.Names {
			clean(&c.Names[j])
		}
	}
}
