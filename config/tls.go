package config

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/wsprobe/wsprobe/config/internal/keypair"
)

// TLS has the settings of TLS that need no configuration file. Its fields are those of the mapping tls of a probe.
type TLS struct {
	CAFile, CertFile, KeyFile string
	InsecureSkipVerify        bool
}

// Config reads the files and returns the configuration for a probe, or nil if no field is set. If files or settings are
// wrong, it returns the problems by the keys that the fields have in a configuration file.
func (t TLS) Config() (config *tls.Config, problems map[string]string) {
	if t == (TLS{}) {
		return nil, nil
	}
	settings := tlsSettings{ca: t.CAFile, Identity: keypair.Identity{Cert: t.CertFile, Key: t.KeyFile}, skipVerify: t.InsecureSkipVerify}
	config, found := newTLSFiles().config(settings)
	problems = make(map[string]string)
	for _, p := range append(found, settings.contradiction()...) {
		problems[p.key] = p.problem
	}
	return config, problems
}

// tlsSettings are what a configuration says about TLS, before the files that it names are read.
type tlsSettings struct {
	ca string
	keypair.Identity
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

// tlsFiles reads the files that settings of TLS name, each of them once, however many settings name it.
type tlsFiles struct {
	pools  map[string]tlsPool
	pairs  map[keypair.Identity]tlsPair
	unread bool // the files are not there, and taken for right
}

type tlsPool struct {
	pool     *x509.CertPool
	problems []keypair.Problem
}

type tlsPair struct {
	pair     tls.Certificate
	problems []keypair.Problem
}

func newTLSFiles() *tlsFiles {
	return &tlsFiles{pools: make(map[string]tlsPool), pairs: make(map[keypair.Identity]tlsPair)}
}

// config returns what every configuration of TLS has, or what is wrong with its settings.
func (f *tlsFiles) config(s tlsSettings) (*tls.Config, []finding) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.skipVerify}
	var problems []keypair.Problem
	if f.unread {
		return config, findingsOf(s.Missing())
	}
	if s.ca != "" {
		known, ok := f.pools[s.ca]
		if !ok {
			known.pool, known.problems = keypair.Authorities(s.ca)
			f.pools[s.ca] = known
		}
		config.RootCAs = known.pool
		problems = append(problems, known.problems...)
	}
	if s.Identity != (keypair.Identity{}) {
		known, ok := f.pairs[s.Identity]
		if !ok {
			known.pair, known.problems = s.Load()
			f.pairs[s.Identity] = known
		}
		config.Certificates = []tls.Certificate{known.pair}
		problems = append(problems, known.problems...)
	}
	return config, findingsOf(problems)
}

// findingsOf returns problems as what is wrong with the fields of tls, which are called as the sources are.
func findingsOf(problems []keypair.Problem) []finding {
	var findings []finding
	for _, p := range problems {
		findings = append(findings, finding{key: p.Source, problem: p.Text, missing: p.Missing})
	}
	return findings
}

// contradiction says which authorities are named for nothing.
func (s tlsSettings) contradiction() []finding {
	if !s.skipVerify || s.ca == "" {
		return nil
	}
	return []finding{{key: "ca_file", problem: "has no effect: insecure_skip_verify accepts any certificate"}}
}

// tls builds the TLS configuration of the exporter from the files that are named. Settings that the endpoint has
// no use for are faults, unless they come from standard variables, which speak to every exporter of a machine.
func (s *settingsReader) tls(endpoint Endpoint, settings tlsSettings) *tls.Config {
	if s.wrong["otlp.endpoint"] {
		endpoint.Secure = true // it may have been meant so; the files are worth a look
	}
	if !endpoint.Secure {
		s.refuseTLS(settings)
		return nil
	}
	if s.wrong[tlsPath("cert_file")] || s.wrong[tlsPath("key_file")] || s.wrong[tlsPath("key_password")] {
		settings.Identity = keypair.Identity{}
	}
	config, problems := s.files.config(settings)
	for _, p := range problems {
		s.fault(s.origins[tlsPath(p.key)], "%s", p.problem)
	}
	return config
}

func tlsPath(key string) string { return "otlp.tls." + key }

// refuseTLS reports every setting of TLS that asks for something.
func (s *settingsReader) refuseTLS(settings tlsSettings) {
	for i := range tlsSection.fields {
		f := &tlsSection.fields[i]
		if o, ok := s.origins[f.Path]; ok && !o.standard && settings.uses(f.Key()) {
			s.fault(o, "has no effect: otlp.endpoint is not https://")
		}
	}
}

// uses reports whether the field of this key asks for something.
func (t tlsSettings) uses(key string) bool {
	switch key {
	case "ca_file":
		return t.ca != ""
	case "cert_file":
		return t.Cert != ""
	case "key_file":
		return t.Key != ""
	case "key_password":
		return t.Password != ""
	default:
		return t.skipVerify
	}
}
