package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/discovery"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// discoverReader reads the list discover. Nothing is inherited, so every layer of its parts is that of the entry.
type discoverReader struct {
	*reader
	layers
	proxies *proxies
	tls     *tlsReader
	auth    *authReader
	http    nested[discoverEntry]
	dns     nested[discoverEntry]
	digests digester
}

// readDiscover reads the sources of a file. Their modules are looked up later, because they may stand in another file.
func readDiscover(r *reader, file fileTree, files *tlsFiles) []*discoverEntry {
	list := listOf(r, file.pair("discover"), "discover", "mappings, each with a module", maxDiscover)
	if list == nil {
		return nil
	}
	r.unreadable, r.inheritedReferences = nil, nil
	d := &discoverReader{
		reader:  r,
		layers:  newLayers(len(discoverSection.fields)),
		proxies: newProxies(r.Report),
		tls:     newTLSReader(r, files),
		auth:    newAuthReader(r),
		http:    newNested(r, httpSection),
		dns:     newNested(r, dnsSection),
	}
	r.take() // those of the probes
	var entries []*discoverEntry
	for i, item := range list {
		if r.Exhausted() {
			break
		}
		if entry := d.entry(item, yamltree.Path{Section: "discover", Index: i + 1}); entry != nil {
			entries = append(entries, entry)
		}
	}
	return entries
}

// listOf returns the elements of a list at the top of a file, or nil if it is absent or wrong.
func listOf(r *reader, p yamltree.Pair, key, of string, most int) []*yaml.Node {
	if !p.Present() {
		return nil
	}
	n, where := p.Value, yamltree.Path{Key: key}
	if n.Kind != yaml.SequenceNode || n.Tag != yamltree.SeqTag {
		r.At(n, where, "must be a list of %s, got %s", of, yamltree.Describe(n))
		return nil
	}
	if len(n.Content) > most {
		r.At(n, where, "must be at most %d, got %d", most, len(n.Content))
		return nil
	}
	return n.Content
}

// entry reads one source, but for what depends on its module. It returns nil for what is no mapping.
func (r *discoverReader) entry(item *yaml.Node, where yamltree.Path) *discoverEntry {
	m := yamltree.Follow(item)
	d := &discoverEntry{at: yamltree.Pair{Value: m, ValueAt: item}, where: where}
	discoverSection.setDefaults(d)
	httpSection.setDefaults(d)
	dnsSection.setDefaults(d)
	r.set.reset()
	faults, lost := r.Count(), r.LostMerges
	decode(r.reader, discoverSection, m, yamltree.AliasOf(item), where, d, r.set)
	r.partial = r.LostMerges > lost
	if m.Kind != yaml.MappingNode || m.Tag != yamltree.MapTag || r.Exhausted() {
		return nil // there is nothing to be complete
	}
	d.pairs = slices.Clone(r.set.pairs)
	r.take() // of the URL, which each probe notes anew
	kinds := r.kinds(item, where)
	r.readHTTP(d, where)
	r.dns.probe(r.pair("dns"), where, d)
	if !r.sets(discoverSection.index["module"]) && !r.partial && !r.set.resembled[discoverSection.index["module"]] {
		r.Used(m, item, where.Field("module"), "is required")
	}
	if r.Count() > faults || kinds != 1 {
		d.faulty = true
	}
	d.reader = r.reader
	if r.sets(discoverSection.index["dns"]) {
		r.checkDNS(d)
		d.faulty = d.faulty || r.Count() > faults
	}
	d.complete()
	d.Digest = r.digest(d, r.take().references)
	return d
}

// pair returns the field of this key in the entry at hand.
func (r *discoverReader) pair(key string) yamltree.Pair {
	return r.set.pairs[discoverSection.index[key]]
}

// kinds counts the ways to find targets, of which there must be one.
func (r *discoverReader) kinds(item *yaml.Node, where yamltree.Path) int {
	n := 0
	for _, key := range []string{"files", "http", "dns"} {
		p := r.pair(key)
		if !p.Present() {
			continue
		}
		if n++; n == 2 {
			r.Used(p.Key, p.KeyAt, where.Field(key), "is not allowed beside another source: files, http and dns need an entry each")
		}
	}
	if n == 0 && !r.partial && !slices.Contains(r.set.resembled, true) {
		r.Used(yamltree.Follow(item), item, where, "needs a source of targets: files, http or dns")
	}
	if p := r.pair("files"); p.Present() && !r.set.faulty[discoverSection.index["files"]] {
		if len(p.Value.Content) == 0 {
			r.Used(p.Value, p.ValueAt, where.Field("files"), "must have at least one pattern")
		}
		if len(p.Value.Content) > maxPatterns {
			r.Used(p.Value, p.ValueAt, where.Field("files"), "must have at most %d patterns, got %d", maxPatterns, len(p.Value.Content))
		}
		for i, element := range p.Value.Content {
			if problem := filePatternProblem(yamltree.Follow(element).Value); problem != "" && yamltree.IsText(yamltree.Follow(element)) {
				r.At(element, where.Field("files").Item(i), "%s", problem)
			}
		}
	}
	return n
}

// readHTTP reads the mapping http.
func (r *discoverReader) readHTTP(d *discoverEntry, where yamltree.Path) {
	p := r.pair("http")
	if !p.Present() {
		return
	}
	r.http.probe(p, where, d)
	inside := yamltree.Path{Section: where.Within("http").Field("").String()}
	pair := func(key string) yamltree.Pair { return r.http.set.pairs[httpSection.index[key]] }
	https := strings.HasPrefix(strings.ToLower(d.httpURL), "https://")
	d.way.Spec.URL = strings.Replace(strings.ToLower(d.httpURL[:min(len("https"), len(d.httpURL))]), "http", "ws", 1) + d.httpURL[min(len("https"), len(d.httpURL)):]
	if !pair("proxy_url").Present() {
		d.way.Spec.Proxy = r.proxies.of(d.way.Spec.URL)
	}
	r.tls.probe(pair("tls"), inside, &d.way.Spec)
	if d.way.Spec.AnyServerName {
		r.tls.reportAll([]finding{{key: "verify_hostname", problem: "must not be false here: give the name of the certificate with server_name"}})
	}
	r.auth.probe(pair("auth"), inside, &d.way, new(Probe))
	if tls := pair("tls"); tls.Present() && !https && !r.http.faultyKey("url") {
		r.Used(tls.Key, tls.KeyAt, r.http.setIn.Field("tls"), "has no effect: url is not https://")
	}
	spec := probe.Spec{Opening: d.way.Spec.Opening, Timeout: d.way.Spec.Timeout, Interpretation: probe.ConnectionSuccess}
	spec.TLS, spec.AnyServerName = nil, false
	for _, f := range spec.Validate() {
		i := slices.IndexFunc(httpSection.fields, func(field field[discoverEntry]) bool { return field.spec == f.Field })
		if i < 0 || r.http.faulty(i) || r.http.set.faultyItems[[2]string{httpSection.fields[i].Key(), f.Key}] {
			continue
		}
		at, path := r.http.place(i)
		present := r.http.sets(i)
		if present {
			at, path = r.elementOf(f, at, path)
		}
		if f.Field == "URL" && !present {
			f.Problem = "is required: the URL of a list of targets"
		}
		r.tell(f, at, path, present, "")
	}
}

// complete fills in where the targets come from.
func (d *discoverEntry) complete() {
	d.Source = discovery.Options{Name: d.Name, MaxTargets: d.maxTargets}
	spec := d.way.Spec.WithDefaults()
	switch {
	case d.pairs[discoverSection.index["files"]].Present():
		d.Source.Files = &discovery.Files{Patterns: d.files, Refresh: d.refresh}
	case d.pairs[discoverSection.index["dns"]].Present():
		dns := d.dns
		dns.Refresh, dns.Timeout = d.refresh, lookupTimeout
		d.Source.DNS = &dns
	default:
		http := &discovery.HTTP{URL: d.httpURL, Headers: spec.Headers, Proxy: spec.Proxy, TLS: spec.TLS, Authorize: spec.Authorize, Refresh: d.refresh, Timeout: spec.Timeout}
		d.Source.HTTP = http
		d.authAt = d.way.authAt
	}
}

// digest returns the digest of a source. The references are those of its fields.
func (r *discoverReader) digest(s *discoverEntry, references map[string]string) Digest {
	d := &r.digests
	d.text = d.text[:0]
	own := func(int) map[string]string { return references }
	for _, key := range []string{"files", "refresh", "max_targets"} {
		f := &discoverSection.fields[discoverSection.index[key]]
		f.value.digest(d, s, key)
	}
	d.envProxy = !r.http.setsKey("proxy_url")
	d.addBool(r.pair("http").Present())
	addSection(d, httpSection, "http.", s, own)
	d.tls = r.tls.effective.canonical()
	addSection(d, probeTLSSection, "tls.", &d.tls, own)
	addSection(d, authSection, "auth.", &r.auth.effective, own)
	d.addBool(r.pair("dns").Present())
	addSection(d, dnsSection, "dns.", s, own)
	return d.sum()
}

// discoverFields are the fields of sources for [Fields].
func discoverFields() []Field {
	return unfold(discoverSection.docs(), map[string][]Field{
		"discover[].http":      httpSection.docs(),
		"discover[].http.tls":  moved(probeTLSSection.docs(), "probes[].tls.", "discover[].http.tls."),
		"discover[].http.auth": moved(authSection.docs(), "probes[].auth.", "discover[].http.auth."),
		"discover[].dns":       dnsSection.docs(),
	})
}
