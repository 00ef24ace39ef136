package config

import (
	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/session"
)

// keptFile is what is kept of a file.
type keptFile struct {
	context sum                // of everything but the probes
	probes  map[sum]*keptProbe // by the text of the item
}

// keptProbe is what is kept of a probe: what most probes differ in, and the rest, which many have in common.
type keptProbe struct {
	name, url       string
	labels, headers map[string]string
	digest          Digest
	rest            *keptRest
}

// keptRest is a probe but for the fields of a [keptProbe] and for what follows from the environment, the defaults block
// and the URL.
type keptRest struct {
	key   string // the same for the same rest
	probe Probe
	// proxy says that the probe has a proxy of its own, or that of the defaults block.
	proxy bool
}

// keep returns what is kept of a file that is valid.
func (f *cutFile) keep() *keptFile {
	k := &keptFile{context: f.context, probes: make(map[sum]*keptProbe, len(f.slots))}
	for _, s := range f.slots {
		if s.kept != nil {
			k.probes[s.sum] = s.kept
		}
	}
	return k
}

// slots reads the probes of a file that are not kept, and makes the others of what is kept.
func (r *probeReader) slots(f *cutFile) []Probe {
	rests := make(map[string]*keptRest)
	probes := make([]Probe, len(f.slots))
	items := f.items()
	defer items.end()
	for i := range f.slots {
		if r.Exhausted() {
			return probes[:i]
		}
		s, p, where := &f.slots[i], &probes[i], yamltree.Path{Section: "probes", Index: i + 1}
		if s.kept != nil {
			rests[s.kept.rest.key] = s.kept.rest
			r.remade(s.kept, where, p)
			continue
		}
		item := items.item()
		if item == nil {
			r.uncut = append(r.uncut, f.name)
			return nil
		}
		f.outline.Fill(item, i)
		doubts := r.Doubts()
		if r.probe(item, where, p); f.keeps && r.Doubts() == doubts && r.Count() == 0 {
			p.origin = r.keep(item, p, rests)
			s.kept = p.origin
		}
	}
	return probes
}

// remade makes p of what is kept of a probe.
func (r *probeReader) remade(k *keptProbe, where yamltree.Path, p *Probe) {
	*p = k.rest.probe
	p.Name, p.Spec.URL, p.Labels, p.Spec.Headers, p.Digest, p.origin = k.name, k.url, k.labels, k.headers, k.digest, k
	if _, taken := r.names[p.Name]; taken {
		r.stale = true // it is a fault, which has a place only where the probe is read
	}
	r.names[p.Name] = 0
	r.set.reset()
	if !k.rest.proxy {
		p.Spec.Proxy = r.proxies.of(p.Spec.URL)
	}
	if r.tls.inherits() {
		r.tls.probe(yamltree.Pair{}, where, &p.Spec)
	}
	if r.auth.inherits() {
		r.auth.probe(yamltree.Pair{}, where, p, &r.base)
	}
	if p.Session != nil {
		p.Session = sessionOf(p.Session, p)
	}
}

// sessionOf returns a session that opens as the probe does.
func sessionOf(s *session.Spec, p *Probe) *session.Spec {
	held := *s
	held.Opening = p.Spec.Opening
	return &held
}

// unkept are the fields of a probe with which it is always read again, because more than its text decides what they
// mean.
var unkept = []string{"tls", "auth", "connections", "prepare"}

// keep returns what is kept of a probe that is valid and was read from an item, or nil.
func (r *probeReader) keep(item *yaml.Node, p *Probe, rests map[string]*keptRest) *keptProbe {
	for _, key := range unkept {
		if i, known := probeSection.index[key]; known && r.sets(i) {
			return nil
		}
	}
	if p.Spec.Prepare != nil {
		return nil
	}
	key, plain := appendRest(nil, item, r.Report, true)
	if !plain {
		return nil
	}
	rest := rests[string(key)]
	if rest == nil {
		i := probeSection.index["proxy_url"]
		rest = &keptRest{key: string(key), probe: *p, proxy: r.sets(i) || r.inherited.pairs[i].Present()}
		common := &rest.probe
		common.Name, common.Spec.URL, common.Labels, common.Spec.Headers, common.authAt = "", "", nil, nil, nil
		common.Spec.Authorize, common.Spec.TLS, common.Spec.AnyServerName = nil, nil, false
		common.Spec.AuthorizeWaits, common.Spec.Unauthorized = false, nil
		if common.Session != nil {
			common.Session = sessionOf(common.Session, common)
		}
		rests[rest.key] = rest
	}
	return &keptProbe{p.Name, p.Spec.URL, p.Labels, p.Spec.Headers, p.Digest, rest}
}

// apart are the fields that a [keptProbe] has for itself.
var apart = map[string]bool{"name": true, "url": true, "labels": true, "headers": true}

// appendRest appends what a node says, without the fields that are kept apart from the rest. It reports whether that is
// all: a node with a reference, an anchor or an alias says more.
func appendRest(to []byte, n *yaml.Node, r *yamltree.Report, top bool) (rest []byte, plain bool) {
	if _, referred := r.Source(n); referred || n.Anchor != "" || n.Kind == yaml.AliasNode || n.Kind == yaml.MappingNode && n.Tag != yamltree.MapTag {
		return nil, false
	}
	to = append(append(append(to, byte(n.Kind)), n.Tag...), 0)
	to = append(append(to, n.Value...), 0)
	for i, inner := range n.Content {
		skip := top && apart[n.Content[i-i%2].Value]
		before := len(to)
		if to, plain = appendRest(to, inner, r, false); !plain {
			return nil, false
		}
		if skip {
			to = to[:before]
		}
	}
	return append(to, 0xff), true
}
