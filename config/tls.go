package config

import "crypto/tls"

// TLS is what can be said about TLS without a configuration file. Its fields are those of the mapping tls of a probe.
type TLS struct {
	CAFile, CertFile, KeyFile string
	InsecureSkipVerify        bool
}

// Config reads the files and returns the configuration for a probe, nil if nothing is said. Otherwise it returns
// what is wrong, by the key that the field has in a configuration file.
func (t TLS) Config() (config *tls.Config, problems map[string]string) {
	if t == (TLS{}) {
		return nil, nil
	}
	settings := tlsSettings{ca: t.CAFile, identity: identity{cert: t.CertFile, key: t.KeyFile}, skipVerify: t.InsecureSkipVerify}
	config, found := newTLSFiles().config(settings)
	problems = make(map[string]string)
	for _, p := range append(found, settings.contradiction()...) {
		problems[p.key] = p.problem
	}
	return config, problems
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
		settings.identity = identity{}
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
		return t.cert != ""
	case "key_file":
		return t.key != ""
	case "key_password":
		return t.password != ""
	default:
		return t.skipVerify
	}
}
