package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// maxPEM is the most bytes of a file with certificates or keys.
const maxPEM = 1 << 20

// tlsSettings are what a configuration says about TLS, before the files that it names are read.
type tlsSettings struct {
	ca string
	identity
	skipVerify bool

	// Of probes only.
	serverName string
	verifyName bool
	minVersion string
	alpn       []string
}

// canonical returns the settings that mean the same, written in one way.
func (s tlsSettings) canonical() tlsSettings {
	if len(s.alpn) == 1 && s.alpn[0] == httpOne {
		s.alpn = nil // the default
	} else if s.alpn != nil {
		s.alpn = []string{""} // none, which is another thing than nil
	}
	s.verifyName = s.verifyName || s.skipVerify
	return s
}

// identity is by what the agent proves who it is.
type identity struct{ cert, key, password string }

// tlsFiles reads the files that settings of TLS name, each of them once, however many settings name it.
type tlsFiles struct {
	pools  map[string]tlsPool
	pairs  map[identity]tlsPair
	unread bool // the files are not there, and taken for right
}

type tlsPool struct {
	pool     *x509.CertPool
	problems []finding
}

type tlsPair struct {
	pair     tls.Certificate
	problems []finding
}

func newTLSFiles() *tlsFiles {
	return &tlsFiles{pools: make(map[string]tlsPool), pairs: make(map[identity]tlsPair)}
}

// config returns what every configuration of TLS has, or what is wrong with its settings.
func (f *tlsFiles) config(s tlsSettings) (*tls.Config, []finding) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.skipVerify}
	var problems []finding
	if f.unread {
		_, missing := s.named()
		return config, missing
	}
	if s.ca != "" {
		known, ok := f.pools[s.ca]
		if !ok {
			known.pool, known.problems = authorities(s.ca)
			f.pools[s.ca] = known
		}
		config.RootCAs = known.pool
		problems = append(problems, known.problems...)
	}
	if s.identity != (identity{}) {
		known, ok := f.pairs[s.identity]
		if !ok {
			known.pair, known.problems = s.load()
			f.pairs[s.identity] = known
		}
		config.Certificates = []tls.Certificate{known.pair}
		problems = append(problems, known.problems...)
	}
	return config, problems
}

// contradiction says which authorities are named for nothing.
func (s tlsSettings) contradiction() []finding {
	if !s.skipVerify || s.ca == "" {
		return nil
	}
	return []finding{{key: "ca_file", problem: "has no effect: insecure_skip_verify accepts any certificate"}}
}

// authorities reads the certificates of a PEM or DER file, or of PEM text.
func authorities(source string) (*x509.CertPool, []finding) {
	const key = "ca_file"
	data, problem := readSource(source)
	if problem != "" {
		return nil, []finding{{key: key, problem: problem}}
	}
	certificates, begun := certificatesIn(data)
	problem = "has no certificate in it that can be used"
	if len(certificates) > 0 {
		problem = fmt.Sprintf("has %d certificates in it, of which only %d can be used", begun, len(certificates))
	}
	if len(certificates) == 0 || len(certificates) < begun {
		return nil, []finding{{key: key, problem: problem + named(source)}}
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

// beginPEM is how PEM begins (RFC 7468 2).
const beginPEM = "-----BEGIN "

// isInline reports whether a text is PEM itself, and not the name of a file.
func isInline(source string) bool { return strings.Contains(source, beginPEM) }

// readSource returns the content of a file, or the text itself if it is PEM.
func readSource(source string) (data []byte, problem string) {
	if isInline(source) {
		return []byte(source), ""
	}
	data, err := readfile.Regular(source, maxPEM)
	if err != nil {
		return nil, "cannot read " + yamltree.Quote(source) + ": " + err.Error()
	}
	return data, ""
}

// named ends a message with the name of the file, if it is one.
func named(source string) string {
	if isInline(source) {
		return ""
	}
	return ": " + yamltree.Quote(source)
}

// isPEM reports whether there is PEM in the data, whatever it holds.
func isPEM(data []byte) bool { return bytes.Contains(data, []byte(beginPEM)) }

// pemBlock returns the first block of PEM with a type that ends so.
func pemBlock(data []byte, suffix string) *pem.Block {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil || strings.HasSuffix(block.Type, suffix) {
			return block
		}
	}
}
