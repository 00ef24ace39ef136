package config

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
)

// httpOne is the one protocol of ALPN in which an upgrade can be asked for: HTTP/2 has another way (RFC 8441).
const httpOne = "http/1.1"

// tlsReader reads the mapping tls of the defaults block and of the probes.
type tlsReader struct {
	*reader
	layers
	files *tlsFiles
	base  tlsSettings // what every probe begins with
	where path        // of the mapping in the defaults block
	// inherited is made once for all probes that say nothing about TLS themselves.
	inherited *tls.Config
}

func newTLSReader(r *reader, files *tlsFiles) *tlsReader {
	t := &tlsReader{reader: r, layers: newLayers(len(probeTLSSection.fields)), files: files}
	probeTLSSection.setDefaults(&t.base)
	return t
}

// defaults reads the mapping of the defaults block, and reports what is wrong with it whatever a probe adds.
func (t *tlsReader) defaults(p pair, where path) {
	t.where = where.within("tls")
	if !p.present() {
		return
	}
	t.decode(p, t.where, &t.base, t.said)
	_, problems := t.files.config(t.sound(t.base))
	t.tell(t.where, slices.DeleteFunc(slices.Clone(problems), func(p tlsProblem) bool { return p.missing }))
}

// probe reads the mapping of a probe over that of the defaults block. What is inherited is for the probes that can
// use it: those of wss:// endpoints, and those behind a https:// proxy.
func (t *tlsReader) probe(p pair, where path, spec *probe.Spec) {
	t.got.reset()
	settings, gaps := t.base, t.gaps
	where = where.within("tls")
	if p.present() {
		t.decode(p, where, &settings, t.got)
	}
	t.partial = t.gaps > gaps
	said := func(f *found) bool { return slices.ContainsFunc(f.pairs, pair.present) }
	secure := strings.HasPrefix(strings.ToLower(spec.URL), "wss://")
	toProxy := spec.Proxy != nil && strings.EqualFold(spec.Proxy.Scheme, "https")
	switch {
	case said(t.got):
		settings = t.fit(settings)
		spec.TLS = t.config(where, settings)
	case !said(t.said) || !secure && !toProxy:
		return
	default:
		if t.inherited == nil {
			t.inherited = t.config(where, settings)
		}
		spec.TLS = t.inherited
	}
	spec.AnyServerName = secure && !settings.verifyName && !settings.skipVerify
}

// decode reads a mapping.
func (t *tlsReader) decode(p pair, where path, into *tlsSettings, got *found) {
	decode(t.reader, probeTLSSection, p.value, aliasOf(p.valueAt), where, into, got)
	i := probeTLSSection.index["alpn"]
	if !got.pairs[i].present() || got.faulty[i] {
		return
	}
	good := 0
	for j, element := range got.pairs[i].value.Content {
		at := where.field("alpn").item(j)
		switch n := follow(element); {
		case !isText(n): // told already
		case n.Value != httpOne:
			t.used(n, element, at, "must be %s: no other protocol has the upgrade of RFC 6455", httpOne)
		case good > 0:
			t.used(n, element, at, "must not be there twice")
		default:
			good++
		}
	}
	if good > 0 {
		into.alpn = []string{httpOne}
	} else {
		into.alpn = []string{}
	}
}

// owns reports whether the probe at hand sets the field of this key itself.
func (t *tlsReader) owns(key string) bool { return t.own(probeTLSSection.index[key]) }

// fit drops what the probe at hand inherits and contradicts. A certificate, its key and their password are
// inherited as one.
func (t *tlsReader) fit(s tlsSettings) tlsSettings {
	if t.owns("cert_file") || t.owns("key_file") {
		if !t.owns("cert_file") {
			s.cert = ""
		}
		if !t.owns("key_file") {
			s.key = ""
		}
		if !t.owns("key_password") && (t.base.cert != "" || t.base.key != "") {
			s.password = ""
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
func (t *tlsReader) config(where path, s tlsSettings) *tls.Config {
	s = t.sound(s)
	config, problems := t.files.config(s)
	problems = append(problems, s.contradiction()...)
	verify := probeTLSSection.index["verify_hostname"]
	asked := t.own(verify) || !t.owns("insecure_skip_verify") && t.said.pairs[verify].present()
	if s.skipVerify && s.verifyName && asked && !t.faulty(verify) {
		problems = append(problems, tlsProblem{key: "verify_hostname", problem: "must not be true: insecure_skip_verify accepts any name"})
	}
	t.tell(where, problems)
	config.ServerName = s.serverName
	config.MinVersion = tlsVersion[s.minVersion]
	config.NextProtos = s.alpn
	return config
}

// sound returns the settings without those that are known to be wrong, so that nothing follows from them.
func (t *tlsReader) sound(s tlsSettings) tlsSettings {
	wrong := func(key string) bool { return t.faulty(probeTLSSection.index[key]) }
	if wrong("ca_file") {
		s.ca = ""
	}
	if wrong("cert_file") || wrong("key_file") || wrong("key_password") {
		s.identity = identity{}
	}
	if wrong("insecure_skip_verify") {
		s.skipVerify = false
	}
	if !t.owns("key_password") && s.cert == "" && s.key == "" {
		s.password = "" // a default for the probes that have a certificate
	}
	return s
}

// tell reports problems where their fields are set: in the probe at hand, else in the defaults block.
func (t *tlsReader) tell(where path, problems []tlsProblem) {
	for _, problem := range problems {
		i := probeTLSSection.index[problem.key]
		p, at := t.got.pairs[i], where
		if !p.present() {
			p, at = t.said.pairs[i], t.where
		}
		t.used(p.value, p.valueAt, at.field(problem.key), "%s", problem.problem)
	}
}

// tlsVersion are the versions of TLS by their names.
var tlsVersion = map[string]uint16{
	"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}
