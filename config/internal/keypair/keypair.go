// Package keypair reads certificates with their private keys from PEM, DER or PKCS#12.
//
// A source is the name of a regular file of at most 1 MiB, or PEM text itself. Problems repeat nothing of what is in a
// source. They speak of the sources as a configuration does: ca_file, cert_file, key_file and key_password.
package keypair

import (
	"crypto/tls"
	"strings"
)

// The sources that a problem can be about, by their keys in a configuration.
const (
	CAFile      = "ca_file"
	CertFile    = "cert_file"
	KeyFile     = "key_file"
	KeyPassword = "key_password"
)

// Identity names a client certificate, its private key, and the password of an encrypted key or bundle. The zero value
// names nothing.
type Identity struct{ Cert, Key, Password string }

// Problem is what is wrong with one of the sources.
type Problem struct {
	Source string // one of the constants
	Text   string // a phrase that follows the source
	// Missing says that another source would solve it.
	Missing bool
}

// Missing returns what has to be named, too, before anything can be read.
func (id Identity) Missing() []Problem {
	switch {
	case id.Cert == "" && id.Key == "" && id.Password != "":
		return []Problem{{Source: KeyPassword, Text: "needs cert_file, too", Missing: true}}
	case id.Cert == "" && id.Key != "":
		return []Problem{{Source: KeyFile, Text: "needs cert_file, too", Missing: true}}
	}
	return nil
}

// Load reads a certificate with its chain, and its private key: PEM in one file or two, or a PKCS#12 bundle.
// At least the certificate must be named.
func (id Identity) Load() (tls.Certificate, []Problem) {
	if missing := id.Missing(); missing != nil {
		return tls.Certificate{}, missing
	}
	chain, problem := readSource(id.Cert)
	var problems []Problem
	if problem != "" {
		problems = append(problems, Problem{Source: CertFile, Text: problem})
	}
	key, keyField := chain, CertFile
	if id.Key != "" {
		keyField = KeyFile
		if key, problem = readSource(id.Key); problem != "" {
			problems = append(problems, Problem{Source: keyField, Text: problem})
		}
	}
	switch {
	case problems != nil:
		return tls.Certificate{}, problems
	case !isPEM(chain):
		return id.bundle(chain)
	case id.Key == "" && pemBlock(chain, keyType) == nil:
		return tls.Certificate{}, []Problem{{Source: CertFile, Text: "needs key_file, too", Missing: true}}
	}
	plain, wrong := decrypt(key, keyField, id.Password)
	if wrong != nil {
		return tls.Certificate{}, []Problem{*wrong}
	}
	return keyPair(chain, plain)
}

// keyPair puts a certificate and its key in PEM together.
func keyPair(chain, key []byte) (tls.Certificate, []Problem) {
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return tls.Certificate{}, []Problem{{Source: CertFile,
			Text: "cannot be used with its key: " + strings.TrimPrefix(err.Error(), "tls: ")}}
	}
	return pair, nil
}
