package keypair

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// bundle reads a PKCS#12 file (RFC 7292).
func (id Identity) bundle(data []byte) (tls.Certificate, []Problem) {
	if id.Key != "" {
		return tls.Certificate{}, []Problem{{Source: CertFile,
			Text: "has no certificate in PEM in it; a PKCS#12 bundle brings its own key, without key_file"}}
	}
	key, chain, err := decodePKCS12(data, id.Password)
	switch {
	case errors.Is(err, errPassword) && id.Password == "":
		return tls.Certificate{}, []Problem{{Source: CertFile, Text: "is encrypted: needs key_password, too", Missing: true}}
	case errors.Is(err, errPassword):
		return tls.Certificate{}, []Problem{{Source: KeyPassword, Text: "is not the password of cert_file"}}
	case err != nil:
		return tls.Certificate{}, []Problem{{Source: CertFile, Text: err.Error()}}
	}
	return keyPair(encodeChain(key, chain), encodeKey(key))
}

func decodePKCS12(data []byte, password string) (key any, chain []*x509.Certificate, err error) {
	defer damaged(&err)
	key, leaf, rest, err := pkcs12.DecodeChain(data, password)
	switch {
	case err == nil:
		return key, append([]*x509.Certificate{leaf}, rest...), nil
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return nil, nil, errPassword
	case strings.Contains(err.Error(), "asn1: "):
		return nil, nil, errors.New("is neither PEM nor a PKCS#12 bundle")
	default:
		return nil, nil, errors.New("is no PKCS#12 bundle that can be read: " + strings.TrimPrefix(err.Error(), "pkcs12: "))
	}
}

// encodeChain writes the certificate of the key first, wherever the bundle has it.
func encodeChain(key any, chain []*x509.Certificate) []byte {
	if private, ok := key.(crypto.Signer); ok {
		public, _ := private.Public().(interface{ Equal(crypto.PublicKey) bool })
		slices.SortStableFunc(chain, func(a, b *x509.Certificate) int {
			switch {
			case public == nil, public.Equal(a.PublicKey) == public.Equal(b.PublicKey):
				return 0
			case public.Equal(a.PublicKey):
				return -1
			default:
				return 1
			}
		})
	}
	var text []byte
	for _, certificate := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: certificateType, Bytes: certificate.Raw})...)
	}
	return text
}

// encodeKey writes a private key in PEM. The result is empty for a kind of key that TLS has no use for.
func encodeKey(key any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyType, Bytes: der})
}
