package config

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
)

// tls builds the TLS configuration of the exporter from the files that are named. Settings that the endpoint has
// no use for are faults, unless they come from standard variables, which speak to every exporter of a machine.
func (s *settingsReader) tls(endpoint Endpoint, files tlsFiles) *tls.Config {
	if s.wrong["otlp.endpoint"] {
		endpoint.Secure = true // it may have been meant so; the files are worth a look
	}
	if !endpoint.Secure {
		s.refuseTLS(files)
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: files.skipVerify}
	config.RootCAs = s.authorities(files.ca)
	if certificate, ok := s.certificate(files.cert, files.key); ok {
		config.Certificates = []tls.Certificate{certificate}
	}
	return config
}

// refuseTLS reports every setting of TLS that asks for something.
func (s *settingsReader) refuseTLS(files tlsFiles) {
	for i := range tlsSection.fields {
		f := &tlsSection.fields[i]
		if o, ok := s.origins[f.Path]; ok && !o.standard && files.uses(f.Key()) {
			s.fault(o, "has no effect: otlp.endpoint is not https://")
		}
	}
}

// uses reports whether the field of this key asks for something.
func (t tlsFiles) uses(key string) bool {
	switch key {
	case "ca_file":
		return t.ca != ""
	case "cert_file":
		return t.cert != ""
	case "key_file":
		return t.key != ""
	default:
		return t.skipVerify
	}
}

// authorities reads the certificates of a file; nil stands for those of the system.
func (s *settingsReader) authorities(file string) *x509.CertPool {
	if file == "" {
		return nil
	}
	const field = "otlp.tls.ca_file"
	pem, ok := s.pem(field, file)
	if !ok {
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		s.fault(s.origins[field], "has no certificate in it that can be used: %s", quote(file))
	}
	return pool
}

// certificate reads the certificate and the key by which the agent proves who it is.
func (s *settingsReader) certificate(certFile, keyFile string) (tls.Certificate, bool) {
	const certField, keyField = "otlp.tls.cert_file", "otlp.tls.key_file"
	switch {
	case certFile == "" && keyFile == "", s.wrong[certField], s.wrong[keyField]:
		return tls.Certificate{}, false
	case keyFile == "":
		s.fault(s.origins[certField], "needs key_file, too")
		return tls.Certificate{}, false
	case certFile == "":
		s.fault(s.origins[keyField], "needs cert_file, too")
		return tls.Certificate{}, false
	}
	cert, okCert := s.pem(certField, certFile)
	key, okKey := s.pem(keyField, keyFile)
	if !okCert || !okKey {
		return tls.Certificate{}, false
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		s.fault(s.origins[certField], "cannot be used with key_file: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	return pair, err == nil
}

// pem reads a file that a field names.
func (s *settingsReader) pem(field, file string) ([]byte, bool) {
	data, err := readFile(file, maxPEM)
	if err != nil {
		s.fault(s.origins[field], "cannot read %s: %s", quote(file), err)
	}
	return data, err == nil
}
