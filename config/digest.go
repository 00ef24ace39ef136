package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Digest identifies the meaning of a probe. Two probes with the same Digest run alike and are reported alike. So a
// probe of a new configuration with the same Digest keeps its state. It may have other secrets, so the agent must take
// its new Spec.
//
// Every field of a probe is in it, with inherited values and with defaults filled in. The place and the order of
// fields, aliases and comments make no difference. Nor does the spelling of a number, a duration, a size or a
// condition. Other texts count by their characters. A proxy that the environment prescribes is in it, too.
//
// Secrets are in it by their references, ${env:NAME} or ${file:PATH}, and by the names of their files. Their content
// is not, so that a secret can be rotated. There are three exceptions:
//
//   - A secret that the file itself spells out counts by its content, because it has no other name.
//   - A reference counts by its content in a field that holds no secret, such as a name, a label or an interval: the
//     content changes the run or its report.
//   - Beside a reference in a URL, [Probe.ShownURL] counts, because results bear it.
//
// A Digest is comparable within one build of wsprobe only. Do not show it, because a short secret of the file could be
// guessed by it.
type Digest [sha256.Size]byte

// digester computes the digests of probes, one after the other.
type digester struct {
	text       []byte            // to be hashed; every part has its length before it, so that no two meanings collide
	names      []string          // of the entries of a map, reused
	tls        tlsSettings       // of the probe at hand
	dwell      health.Dwell      // of the probe at hand
	envProxy   bool              // the proxy of the probe at hand is that of the environment
	sums       map[int]Digest    // of the collections of the defaults block, by field
	references map[string]string // that hold for the field at hand, by path
	// noTLS and noAuth are what a probe adds that has no such mapping.
	noTLS, noAuth []byte
}

// digest returns the digest of a valid probe. The references are those of its own fields.
func (r *probeReader) digest(p *Probe, references map[string]string) Digest {
	d := &r.digests
	d.text = d.text[:0]
	of := func(own bool) map[string]string {
		if own {
			return references
		}
		return r.inheritedReferences
	}
	proxy := probeSection.index["proxy_url"]
	d.envProxy = !r.sets(proxy) && !r.inherited.pairs[proxy].Present()
	for i := range probeSection.fields {
		f := &probeSection.fields[i]
		d.references = of(r.sets(i))
		switch {
		case !f.value.kept(): // its mapping follows
		case f.secret == sentInURL:
			d.addURL(p)
		case !f.scalar():
			d.addCollection(i, p, r.inheritsAll(i, p))
		case len(d.references) == 0:
			f.value.digest(d, p, "") // a path is only looked up among references
		default:
			f.value.digest(d, p, f.Key())
		}
	}
	d.tls = r.tls.effective.canonical()
	d.addOnce(&d.noTLS, r.tls.absent(r.tls.setAt), func() {
		addSection(d, probeTLSSection, "tls.", &d.tls, func(i int) map[string]string { return of(r.tls.sets(i)) })
	})
	d.addOnce(&d.noAuth, r.auth.absent(r.auth.setAt), func() {
		addSection(d, authSection, "auth.", &r.auth.effective, func(i int) map[string]string { return of(r.auth.sets(i)) })
	})
	none := func(int) map[string]string { return nil }
	addSection(d, thresholdsSection, "", &p.Health.Thresholds, none)
	d.dwell = p.Health.Dwell
	if !p.Health.Thresholds.Given() {
		d.dwell = health.Dwell{} // nothing changes that it could hold back
	}
	addSection(d, dwellSection, "", &d.dwell, none)
	if d.addBool(p.Session != nil); p.Session != nil {
		d.addText(string(p.Session.Interpretation))
		d.addText(string(p.Session.MessageFormat))
		addSection(d, sessionSection, "session.", p.Session, func(i int) map[string]string { return of(r.session.sets(i)) })
	}
	return d.sum()
}

// addOnce adds what add does. If that is always the same, it is done once, and kept.
func (d *digester) addOnce(kept *[]byte, same bool, add func()) {
	if same && *kept != nil {
		d.text = append(d.text, *kept...)
		return
	}
	start := len(d.text)
	if add(); same {
		*kept = slices.Clone(d.text[start:])
	}
}

// inheritsAll reports whether the probe at hand has the same collection in a field as the defaults block.
func (r *probeReader) inheritsAll(i int, p *Probe) bool {
	return !r.sets(i) && !r.dropped[i] && len(p.Spec.Headers) == len(r.base.Spec.Headers)
}

// shortCollection is the most bytes of a list or a map that are added as they are, because a sum would cost more.
const shortCollection = 2 * sha256.Size

// addCollection adds a short list or map, or the sum of another, because that of the defaults block is read once for all
// probes.
func (d *digester) addCollection(field int, p *Probe, inherited bool) {
	sum, known := d.sums[field]
	if !known || !inherited {
		start := len(d.text)
		f := &probeSection.fields[field]
		d.addBool(false)
		f.value.digest(d, p, f.Key())
		if len(d.text)-start <= shortCollection {
			return
		}
		sum = sha256.Sum256(d.text[start:])
		d.text = d.text[:start]
	}
	if inherited {
		d.sums[field] = sum
	}
	d.addBool(true)
	d.text = append(d.text, sum[:]...)
}

// addSection adds the fields of a mapping, whose paths begin so. references returns those that hold for a field.
func addSection[T any](d *digester, s *section[T], path string, from *T, references func(field int) map[string]string) {
	for i := range s.fields {
		if !s.fields[i].value.kept() {
			continue // its mapping is added by itself
		}
		key := ""
		if d.references = references(i); len(d.references) > 0 {
			key = path + s.fields[i].Key()
		}
		s.fields[i].value.digest(d, from, key)
	}
}

func (d *digester) addList(list []string, path string) {
	d.addNumber(int64(len(list)))
	for i, text := range list {
		place := ""
		if len(d.references) > 0 {
			place = path + yamltree.Path{}.Item(i).Element
		}
		d.addSecret(text, place)
	}
}

// addMap adds the names of a map, sorted, and then its values.
func addMap[V any](d *digester, m map[string]V, path string, add func(d *digester, v V, path string)) {
	d.names = d.names[:0]
	for name := range m {
		d.names = append(d.names, name)
	}
	slices.Sort(d.names)
	d.addNumber(int64(len(d.names)))
	for _, name := range d.names {
		d.addText(name)
		place := ""
		if len(d.references) > 0 {
			place = path + yamltree.Path{}.Name(name).Element
		}
		add(d, m[name], place)
	}
}

// addJSON adds a value of JSON: a text, a number as the file writes it, true, false or nil.
func (d *digester) addJSON(value any, path string) {
	text, isText := value.(string)
	if d.addBool(isText); isText {
		d.addSecret(text, path)
	} else {
		d.addText(fmt.Sprint(value))
	}
}

func (d *digester) addSteps(steps []probe.Step, path string) {
	addSections(d, stepSection, path, steps)
}

func (d *digester) addAnswers(answers []session.Answer, path string) {
	addSections(d, answerSection, path, answers)
}

func (d *digester) addHeartbeat(beat *session.Heartbeat, path string) {
	if d.addBool(beat != nil); beat != nil {
		addInner(d, heartbeatSection, path+".", beat)
	}
}

func (d *digester) addReconnect(waits session.Reconnect, path string) {
	addInner(d, reconnectSection, path+".", &waits)
}

func addSections[E any](d *digester, s *section[E], path string, list []E) {
	d.addNumber(int64(len(list)))
	for i := range list {
		addInner(d, s, fmt.Sprintf("%s[%d].", path, i), &list[i])
	}
}

// addInner adds the fields of a mapping that is kept as a whole, for which the references at hand hold.
func addInner[E any](d *digester, s *section[E], path string, from *E) {
	references := d.references
	addSection(d, s, path, from, func(int) map[string]string { return references })
	d.references = references
}

// addURL adds the URL. Beside a reference, its public part is added.
func (d *digester) addURL(p *Probe) {
	source, referred := d.references["url"]
	if !referred {
		d.addText(p.Spec.URL)
		return
	}
	d.addReference(source)
	d.addText(p.ShownURL())
}

// addProxy adds a proxy. Beside a reference, its address is added, because only its credentials are secret. Of a proxy
// in the environment, the password is left out.
func (d *digester) addProxy(u *url.URL, path string) {
	source, referred := d.references[path]
	switch {
	case u == nil:
		d.addText("")
	case d.envProxy:
		d.addText(u.Redacted())
	case referred:
		d.addReference(source)
		d.addText(u.Scheme + "://" + u.Host)
	default:
		d.addText(u.String())
	}
}

// addSecret adds a text or, in its place, the reference that stands for it.
func (d *digester) addSecret(text, path string) {
	if source, referred := d.references[path]; referred && text != "" {
		d.addReference(source)
		return
	}
	d.addText(text)
}

func (d *digester) addReference(source string) {
	d.addBool(true)
	d.addNumber(int64(len(source)))
	d.text = append(d.text, source...)
}

func (d *digester) addText(text string) {
	d.addBool(false)
	d.addNumber(int64(len(text)))
	d.text = append(d.text, text...)
}

func (d *digester) addBool(b bool) {
	if b {
		d.addNumber(1)
	} else {
		d.addNumber(0)
	}
}

func (d *digester) addNumber(n int64) { d.text = binary.AppendVarint(d.text, n) }

// sum returns the digest of what was added.
func (d *digester) sum() Digest { return sha256.Sum256(d.text) }
