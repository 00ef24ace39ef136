package config

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// named reports whether the settings name what there is to read. If not, something is missing.
func (id identity) named() (bool, []finding) {
	switch {
	case id.cert == "" && id.key == "" && id.password != "":
		return false, []finding{{"key_password", "needs cert_file, too", true}}
	case id.cert == "" && id.key != "":
		return false, []finding{{"key_file", "needs cert_file, too", true}}
	}
	return id.cert != "", nil
}

// load reads a certificate with its chain, and its private key: PEM in one file or two, or a PKCS#12 bundle.
func (id identity) load() (tls.Certificate, []finding) {
	if ok, missing := id.named(); !ok {
		return tls.Certificate{}, missing
	}
	chain, problem := readSource(id.cert)
	var problems []finding
	if problem != "" {
		problems = append(problems, finding{key: "cert_file", problem: problem})
	}
	key, keyField := chain, "cert_file"
	if id.key != "" {
		keyField = "key_file"
		if key, problem = readSource(id.key); problem != "" {
			problems = append(problems, finding{key: keyField, problem: problem})
		}
	}
	switch {
	case problems != nil:
		return tls.Certificate{}, problems
	case !isPEM(chain):
		return id.bundle(chain)
	case id.key == "" && pemBlock(chain, keyType) == nil:
		return tls.Certificate{}, []finding{{"cert_file", "needs key_file, too", true}}
	}
	plain, wrong := decrypt(key, keyField, id.password)
	if wrong != nil {
		return tls.Certificate{}, []finding{*wrong}
	}
	return keyPair(chain, plain)
}

// keyPair puts a certificate and its key in PEM together.
func keyPair(chain, key []byte) (tls.Certificate, []finding) {
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return tls.Certificate{}, []finding{{key: "cert_file",
			problem: "cannot be used with its key: " + strings.TrimPrefix(err.Error(), "tls: ")}}
	}
	return pair, nil
}

// The types of PEM blocks (RFC 7468).
const (
	keyType          = "PRIVATE KEY" // with or without the algorithm before it
	encryptedKeyType = "ENCRYPTED PRIVATE KEY"
	certificateType  = "CERTIFICATE"
)

// decrypt returns the private key of PEM data in PEM, in the clear.
func decrypt(data []byte, field, password string) ([]byte, *finding) {
	block := pemBlock(data, keyType)
	switch {
	case block == nil:
		return nil, &finding{key: field, problem: "has no private key in PEM in it"}
	case block.Headers["DEK-Info"] != "": // RFC 1421 4.6.1.3
		return nil, &finding{key: field, problem: "is encrypted in the legacy way of PEM, which is not supported: " +
			"convert it with openssl pkcs8 -topk8"}
	case block.Type != encryptedKeyType && password != "":
		return nil, &finding{key: "key_password", problem: "has no effect: the key is not encrypted"}
	case block.Type != encryptedKeyType:
		return pem.EncodeToMemory(block), nil
	case password == "":
		return nil, &finding{field, "is encrypted: needs key_password, too", true}
	}
	key, err := decryptPKCS8(block.Bytes, password)
	switch {
	case errors.Is(err, errPassword):
		return nil, &finding{key: "key_password", problem: "is not the password of the key"}
	case err != nil:
		return nil, &finding{key: field, problem: err.Error()}
	}
	return encodeKey(key), nil
}

// errPassword is a password that does not open what it should.
var errPassword = errors.New("wrong password")

// decryptPKCS8 opens an EncryptedPrivateKeyInfo (RFC 5958 3).
func decryptPKCS8(der []byte, password string) (key any, err error) {
	defer damaged(&err)
	key, _, err = pkcs8.ParsePrivateKey(der, []byte(password))
	if err == nil {
		return key, nil
	}
	// What the library says itself, it says of the file; what a cipher or a parser says, it says of what
	// a wrong password makes of it.
	if problem, own := strings.CutPrefix(err.Error(), "pkcs8: "); own && problem != "incorrect password" {
		return nil, errors.New("cannot be decrypted: " + problem)
	}
	return nil, errPassword
}

// damaged turns the panic of a cipher over data that has not its length into an error.
func damaged(err *error) {
	if recover() != nil {
		*err = errors.New("is damaged")
	}
}

// bundle reads a PKCS#12 file (RFC 7292).
func (id identity) bundle(data []byte) (tls.Certificate, []finding) {
	if id.key != "" {
		return tls.Certificate{}, []finding{{key: "cert_file",
			problem: "has no certificate in PEM in it; a PKCS#12 bundle brings its own key, without key_file"}}
	}
	key, chain, err := decodePKCS12(data, id.password)
	switch {
	case errors.Is(err, errPassword) && id.password == "":
		return tls.Certificate{}, []finding{{"cert_file", "is encrypted: needs key_password, too", true}}
	case errors.Is(err, errPassword):
		return tls.Certificate{}, []finding{{key: "key_password", problem: "is not the password of cert_file"}}
	case err != nil:
		return tls.Certificate{}, []finding{{key: "cert_file", problem: err.Error()}}
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
