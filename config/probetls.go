package config

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/keypair"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// httpOne is the one protocol of ALPN in which an upgrade can be asked for: HTTP/2 has another way (RFC 8441).
const httpOne = "http/1.1"

// tlsReader reads the mapping tls of the defaults block and of the probes.
type tlsReader struct {
	inner[tlsSettings]
	files *tlsFiles
	// effective are the settings of the probe at hand, or the defaults of the table if TLS is of no use to it.
	effective, none tlsSettings
	// inherited is made once for all probes that say nothing about TLS themselves.
	inherited *tls.Config
}

func newTLSReader(r *reader, files *tlsFiles) *tlsReader {
	t := &tlsReader{inner: newInner(r, probeTLSSection), files: files}
	probeTLSSection.setDefaults(&t.none)
	return t
}

// defaults reads the mapping of the defaults block, and reports what is wrong with it whatever a probe adds.
func (t *tlsReader) defaults(p yamltree.Pair, where yamltree.Path) {
	if !t.inner.defaults(p, where) {
		return
	}
	t.protocols(&t.base, t.said, t.saidIn)
	_, findings := t.files.config(t.sound(t.base))
	t.tell(slices.DeleteFunc(findings, func(f finding) bool { return f.missing }))
}

// probe reads the mapping of a probe over that of the defaults block. What is inherited is for the probes that can
// use it: those of wss:// endpoints, and those behind a https:// proxy.
func (t *tlsReader) probe(p yamltree.Pair, where yamltree.Path, spec *probe.Spec) {
	settings := t.base
	own := t.inner.probe(p, where, &settings)
	t.effective = t.none
	secure := strings.HasPrefix(strings.ToLower(spec.URL), "wss://")
	toProxy := spec.Proxy != nil && strings.EqualFold(spec.Proxy.Scheme, "https")
	switch {
	case own:
		t.protocols(&settings, t.got, t.gotIn)
		settings = t.fit(settings)
		spec.TLS = t.config(settings)
	case !t.inherits() || !secure && !toProxy:
		return
	default:
		if t.inherited == nil {
			t.inherited = t.config(settings)
		}
		spec.TLS = t.inherited
	}
	t.effective = t.sound(settings)
	spec.AnyServerName = secure && !settings.verifyName && !settings.skipVerify
}

// protocols checks the elements of alpn, if the mapping has it.
func (t *tlsReader) protocols(s *tlsSettings, got *found, where yamltree.Path) {
	i := probeTLSSection.index["alpn"]
	if !got.pairs[i].Present() || got.faulty[i] {
		return
	}
	good := 0
	for j, element := range got.pairs[i].Value.Content {
		at := where.Field("alpn").Item(j)
		switch n := yamltree.Follow(element); {
		case !yamltree.IsText(n): // told already
		case n.Value != httpOne:
			t.Used(n, element, at, "must be %s: no other protocol has the upgrade of RFC 6455", httpOne)
		case good > 0:
			t.Used(n, element, at, "must not be there twice")
		default:
			good++
		}
	}
	s.alpn = []string{httpOne}[:min(good, 1)]
}

// fit drops what the probe at hand inherits and contradicts. A certificate, its key and their password are
// inherited as one.
func (t *tlsReader) fit(s tlsSettings) tlsSettings {
	if t.owns("cert_file") || t.owns("key_file") {
		if !t.owns("cert_file") {
			s.Cert = ""
		}
		if !t.owns("key_file") {
			s.Key = ""
		}
		if !t.owns("key_password") && (t.base.Cert != "" || t.base.Key != "") {
			s.Password = ""
		}
	}
	strict := t.owns("ca_file") && s.ca != "" || t.owns("verify_hostname") && s.verifyName
	switch own := t.owns("insecure_skip_verify"); {
	case own && s.skipVerify && !t.owns("ca_file"):
		s.ca = ""
	case !own && strict:
		s.skipVerify = false
	}
	return s
}

// config makes the configuration of settings that are right, and reports what is wrong.
func (t *tlsReader) config(s tlsSettings) *tls.Config {
	s = t.sound(s)
	config, findings := t.files.config(s)
	findings = append(findings, s.contradiction()...)
	asked := t.owns("verify_hostname") ||
		!t.owns("insecure_skip_verify") && t.said.pairs[probeTLSSection.index["verify_hostname"]].Present()
	if s.skipVerify && s.verifyName && asked && !t.wrong("verify_hostname") {
		findings = append(findings, finding{key: "verify_hostname", problem: "must not be true: insecure_skip_verify accepts any name"})
	}
	t.tell(findings)
	config.ServerName = s.serverName
	config.MinVersion = tlsVersion[s.minVersion]
	config.NextProtos = s.alpn
	return config
}

// sound returns the settings without those that are known to be wrong, so that nothing follows from them.
func (t *tlsReader) sound(s tlsSettings) tlsSettings {
	if t.wrong("ca_file") {
		s.ca = ""
	}
	if t.wrong("cert_file") || t.wrong("key_file") || t.wrong("key_password") {
		s.Identity = keypair.Identity{}
	}
	if t.wrong("insecure_skip_verify") {
		s.skipVerify = false
	}
	if !t.owns("key_password") && s.Cert == "" && s.Key == "" {
		s.Password = "" // a default for the probes that have a certificate
	}
	return s
}

// tlsVersion are the versions of TLS by their names.
var tlsVersion = map[string]uint16{
	"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}
