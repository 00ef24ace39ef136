package wstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// CA is a certificate authority that is made at run time. Only a client that is given its certificate trusts it.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority that is valid for a year. Changes are applied to its certificate first, name
// constraints for instance.
func NewCA(change ...func(*x509.Certificate)) *CA {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "wstest CA"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, f := range change {
		f(template)
	}
	key := newKey()
	return &CA{cert: sign(template, template, key, key), key: key}
}

// Pool holds just this authority.
func (ca *CA) Pool() *x509.CertPool { return Trust(ca) }

// PEM is the certificate of this authority.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// Cert says what a certificate is for. Zero fields: for the loopback interface and the servers of this
// package in memory, from an hour ago until tomorrow, for servers and clients.
type Cert struct {
	Names               []string
	IPs                 []net.IP
	NotBefore, NotAfter time.Time
	Usage               []x509.ExtKeyUsage
	// SelfSigned leaves the authority out.
	SelfSigned bool
}

// Issue makes a certificate with its key.
func (ca *CA) Issue(c Cert) tls.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "wstest"},
		DNSNames:     c.Names,
		IPAddresses:  c.IPs,
		NotBefore:    c.NotBefore,
		NotAfter:     c.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  c.Usage,
	}
	if len(c.Names) == 0 && len(c.IPs) == 0 {
		template.DNSNames = []string{"localhost"}
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(192, 0, 2, 1)}
	}
	if c.NotBefore.IsZero() {
		template.NotBefore = now.Add(-time.Hour)
	}
	if c.NotAfter.IsZero() {
		template.NotAfter = now.AddDate(0, 0, 1)
	}
	if c.Usage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	key := newKey()
	parent, signer := ca.cert, ca.key
	if c.SelfSigned {
		parent, signer = template, key
	}
	cert := sign(template, parent, key, signer)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("wstest: making a key: %v", err)) // the random source never fails
	}
	return key
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(fmt.Sprintf("wstest: signing a certificate: %v", err)) // a mistake in the template
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(fmt.Sprintf("wstest: parsing a certificate: %v", err))
	}
	return cert
}

// Trust is a pool of these authorities. It leaves out nil ones.
func Trust(authorities ...*CA) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, ca := range authorities {
		if ca != nil {
			pool.AddCert(ca.cert)
		}
	}
	return pool
}
