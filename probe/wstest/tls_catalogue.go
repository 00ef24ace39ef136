package wstest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"time"
)

// TLSCase is a host of a [TLSCatalogue].
type TLSCase struct {
	// Host is a name under localhost, by which a client picks the case (SNI).
	Host string
	// Does says what is right or wrong with its TLS, as a phrase.
	Does string
}

// TLSCatalogue has hosts whose TLS is right or wrong, all of them behind one listener. Its certificates are made at run
// time, and are valid for a year unless that is what is wrong.
type TLSCatalogue struct {
	// Cases are the hosts, the good one first. A client without a name, or with an unknown one, gets that.
	Cases []TLSCase
	// CA signed the certificates. One of an authority that nobody knows is the case of a host.
	CA *CA
	// Client is a certificate for clients, which one of the hosts wants.
	Client tls.Certificate
	// Config is for [Serve], [StartTLS] and [MemoryTLS].
	Config *tls.Config
}

// NewTLSCatalogue makes the hosts. The good certificate is for localhost, the loopback addresses, and more addresses if
// there are any.
func NewTLSCatalogue(addresses ...net.IP) *TLSCatalogue {
	c := &TLSCatalogue{CA: NewCA(), Config: new(tls.Config)}
	now := time.Now()
	issue := func(ca *CA, template Cert) tls.Certificate {
		if template.NotAfter.IsZero() {
			template.NotAfter = now.AddDate(1, 0, 0)
		}
		return ca.Issue(template)
	}
	c.Client = issue(c.CA, Cert{Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	hosts := make(map[string]*tls.Config)
	add := func(host, does string, config *tls.Config) {
		c.Cases = append(c.Cases, TLSCase{host, does})
		hosts[host] = config
	}
	with := func(cert tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{cert}} }

	addresses = append([]net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, addresses...)
	good := Cert{Names: []string{"localhost"}, IPs: addresses}
	add("localhost", "has a right certificate", with(issue(c.CA, good)))
	const (
		expired   = "expired.localhost"
		wrongName = "wrong-name.localhost"
		untrusted = "untrusted.localhost"
		mutual    = "client-cert.localhost"
	)
	add(expired, "has a certificate that has expired", with(issue(c.CA, Cert{
		Names: []string{expired}, NotBefore: now.AddDate(0, 0, -30), NotAfter: now.AddDate(0, 0, -1),
	})))
	add(wrongName, "has a certificate for another name", with(issue(c.CA, Cert{Names: []string{"elsewhere.example"}})))
	add(untrusted, "has a certificate of an unknown authority", with(issue(NewCA(), Cert{Names: []string{untrusted}})))
	wants := with(issue(c.CA, Cert{Names: []string{mutual}}))
	wants.ClientAuth, wants.ClientCAs = tls.RequireAndVerifyClientCert, c.CA.Pool()
	add(mutual, "wants a client certificate", wants)

	c.Config.Certificates = hosts["localhost"].Certificates
	c.Config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return hosts[strings.ToLower(hello.ServerName)], nil // nil is the good one
	}
	return c
}

// PEM is a certificate with its private key behind it.
func PEM(cert tls.Certificate) []byte {
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		panic(fmt.Sprintf("wstest: writing a key: %v", err)) // keys of this package can be written
	}
	var all []byte
	for _, der := range cert.Certificate {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return append(all, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
}
