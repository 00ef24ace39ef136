package config

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/keypair"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// httpOne is the only ALPN protocol with an upgrade; HTTP/2 opens a WebSocket in another way (RFC 8441).
const httpOne = "http/1.1"

// tlsReader reads the mapping tls of the defaults block and of the probes.
type tlsReader struct {
	nested[tlsSettings]
	files *tlsFiles
	// effective are the settings of the probe at hand, or the defaults of the table if TLS is of no use to it.
	effective, none tlsSettings
	// shared is made once for all probes that set nothing of TLS themselves.
	shared *tls.Config
}

func newTLSReader(r *reader, files *tlsFiles) *tlsReader {
	t := &tlsReader{nested: newNested(r, probeTLSSection), files: files}
	probeTLSSection.setDefaults(&t.none)
	return t
}

// defaults reads the mapping of the defaults block, and reports the problems that no probe can solve.
func (t *tlsReader) defaults(p yamltree.Pair, where yamltree.Path) {
	if !t.nested.defaults(p, where) {
		return
	}
	t.protocols(&t.base, t.inherited, t.inheritedIn)
	_, findings := t.files.config(t.sound(t.base))
	t.reportAll(slices.DeleteFunc(findings, func(f finding) bool { return f.missing }))
}

// probe reads the mapping of a probe over that of the defaults block. Probes of wss:// endpoints and probes behind an
// https:// proxy inherit it, because others cannot use it.
func (t *tlsReader) probe(p yamltree.Pair, where yamltree.Path, spec *probe.Spec) {
	if t.absent(p) {
		t.effective = t.none
		t.nested.probe(p, where, &t.effective)
		return
	}
	settings := t.base
	own := t.nested.probe(p, where, &settings)
	t.effective = t.none
	secure := strings.HasPrefix(strings.ToLower(spec.URL), "wss://")
	toProxy := spec.Proxy != nil && strings.EqualFold(spec.Proxy.Scheme, "https")
	switch {
	case own:
		t.protocols(&settings, t.set, t.setIn)
		settings = t.fit(settings)
		spec.TLS = t.config(settings)
	case !t.inherits() || !secure && !toProxy:
		return
	default:
		if t.shared == nil {
			t.shared = t.config(settings)
		}
		spec.TLS = t.shared
	}
	t.effective = t.sound(settings)
	spec.AnyServerName = secure && !settings.verifyName && !settings.skipVerify
}

// protocols checks the elements of alpn, if the mapping has it.
func (t *tlsReader) protocols(s *tlsSettings, set *found, where yamltree.Path) {
	i := probeTLSSection.index["alpn"]
	if !set.pairs[i].Present() || set.faulty[i] {
		return
	}
	good := 0
	for j, element := range set.pairs[i].Value.Content {
		at := where.Field("alpn").Item(j)
		switch n := yamltree.Follow(element); {
		case !yamltree.IsText(n): // reported already
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

// fit drops inherited settings that the probe at hand contradicts. A certificate, its key and their password are
// inherited as one.
func (t *tlsReader) fit(s tlsSettings) tlsSettings {
	if t.setsKey("cert_file") || t.setsKey("key_file") {
		if !t.setsKey("cert_file") {
			s.Cert = ""
		}
		if !t.setsKey("key_file") {
			s.Key = ""
		}
		if !t.setsKey("key_password") && (t.base.Cert != "" || t.base.Key != "") {
			s.Password = ""
		}
	}
	strict := t.setsKey("ca_file") && s.ca != "" || t.setsKey("verify_hostname") && s.verifyName
	switch own := t.setsKey("insecure_skip_verify"); {
	case own && s.skipVerify && !t.setsKey("ca_file"):
		s.ca = ""
	case !own && strict:
		s.skipVerify = false
	}
	return s
}

// config returns the configuration for valid settings, and reports the problems of others.
func (t *tlsReader) config(s tlsSettings) *tls.Config {
	s = t.sound(s)
	files := t.files
	if slices.ContainsFunc(t.set.pairs, func(p yamltree.Pair) bool { return p.Present() && t.Unknown(p.Value) }) {
		files = &tlsFiles{unread: true} // which file it is depends on the target
	}
	config, findings := files.config(s)
	findings = append(findings, s.contradiction()...)
	asked := t.setsKey("verify_hostname") ||
		!t.setsKey("insecure_skip_verify") && t.inherited.pairs[probeTLSSection.index["verify_hostname"]].Present()
	if s.skipVerify && s.verifyName && asked && !t.faultyKey("verify_hostname") {
		findings = append(findings, finding{key: "verify_hostname", problem: "must not be true: insecure_skip_verify accepts any name"})
	}
	t.reportAll(findings)
	config.ServerName = s.serverName
	config.MinVersion = tlsVersion[s.minVersion]
	config.NextProtos = s.alpn
	return config
}

// sound returns the settings without those that are known to be wrong, so that nothing follows from them.
func (t *tlsReader) sound(s tlsSettings) tlsSettings {
	if t.faultyKey("ca_file") {
		s.ca = ""
	}
	if t.faultyKey("cert_file") || t.faultyKey("key_file") || t.faultyKey("key_password") {
		s.Identity = keypair.Identity{}
	}
	if t.faultyKey("insecure_skip_verify") {
		s.skipVerify = false
	}
	if !t.setsKey("key_password") && s.Cert == "" && s.Key == "" {
		s.Password = "" // a default for the probes that have a certificate
	}
	return s
}

// tlsVersion are the versions of TLS by their names.
var tlsVersion = map[string]uint16{
	"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}
