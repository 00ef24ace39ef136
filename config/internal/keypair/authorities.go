package keypair

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Authorities reads the certificates of a PEM or DER source into a pool.
func Authorities(source string) (*x509.CertPool, []Problem) {
	data, problem := readSource(source)
	if problem != "" {
		return nil, []Problem{{Source: CAFile, Text: problem}}
	}
	certificates, begun := certificatesIn(data)
	problem = "has no certificate in it that can be used"
	if len(certificates) > 0 {
		problem = fmt.Sprintf("has %d certificates in it, of which only %d can be used", begun, len(certificates))
	}
	if len(certificates) == 0 || len(certificates) < begun {
		return nil, []Problem{{Source: CAFile, Text: problem + named(source)}}
	}
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool, nil
}

// certificatesIn returns the certificates of a PEM or DER file that can be used, and how many there are. In a bundle
// that was cut or damaged, they differ: to go on with a part of it would only show when an endpoint needs the rest.
func certificatesIn(data []byte) (usable []*x509.Certificate, begun int) {
	if !isPEM(data) {
		usable, _ = x509.ParseCertificates(data)
		return usable, len(usable)
	}
	begun = bytes.Count(data, []byte(beginPEM+certificateType+"-----"))
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != certificateType {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			usable = append(usable, certificate)
		}
	}
	return usable, begun
}
