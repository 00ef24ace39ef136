package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// Digest identifies the meaning of a probe. Two probes with the same Digest run alike and are reported alike, so that a
// new configuration with the same Digest keeps what is known of the probe. A probe whose Digest is the same may have
// other secrets, so whoever keeps its state has to take its new Spec.
//
// Every field of a probe is in it, with what is inherited and with defaults filled in. Where a field stands, in which
// order, by which alias and with which comments makes no difference, nor how a number, a duration, a size or a condition
// is written. Other texts count by their characters. A proxy that the environment prescribes is in it, too.
//
// Secrets are in it by their references, ${env:NAME} or ${file:PATH}, and by the names of their files. Their content
// is not, so that a secret can be rotated. There are three exceptions:
//
//   - A secret that the file itself spells out counts by its content, because it has no other name.
//   - A reference counts by its content in a field that holds no secret, such as a name, a label or an interval, because
//     that changes what is run or reported.
//   - Beside a reference in a URL, [Probe.ShownURL] counts, because results bear it.
//
// A Digest is comparable within one build of wsprobe only. Do not show it, because a short secret of the file could be
// guessed by it.
type Digest [sha256.Size]byte

// digester computes the digests of probes, one after the other.
type digester struct {
	text  []byte            // to be hashed; every part has its length before it, so that no two meanings collide
	names []string          // of the entries of a map, reused
	tls   tlsSettings       // of the probe at hand
	dwell health.Dwell      // of the probe at hand
	sums  map[int]Digest    // of the collections of the defaults block, by field
	known map[string]string // the references of the section at hand, by place
}

// digest returns the digest of a valid probe. The references are those of its own fields.
func (r *probeReader) digest(p *Probe, references map[string]string) Digest {
	d := &r.digests
	d.text = d.text[:0]
	known := func(own bool) map[string]string {
		if own {
			return references
		}
		return r.inherited
	}
	for i := range probeSection.fields {
		f := &probeSection.fields[i]
		d.known = known(r.own(i))
		switch {
		case f.into == nil: // its mapping follows
		case f.secret == toldInURL:
			d.addURL(p)
		case f.spec == "Proxy":
			d.addProxy(p.Spec.Proxy, f.Key(), r.own(i) || r.said.pairs[i].Present())
		case !f.scalar():
			d.addCollection(f.into(p), f.Key(), i, r.inheritsAll(i, p))
		default:
			d.add(f.into(p), f.Key())
		}
	}
	d.tls = r.tls.effective.canonical()
	addSection(d, probeTLSSection, "tls.", &d.tls, func(i int) map[string]string { return known(r.tls.own(i)) })
	addSection(d, authSection, "auth.", &r.auth.effective, func(i int) map[string]string { return known(r.auth.own(i)) })
	none := func(int) map[string]string { return nil }
	addSection(d, thresholdsSection, "", &p.Health.Thresholds, none)
	d.dwell = p.Health.Dwell
	if !p.Health.Thresholds.Given() {
		d.dwell = health.Dwell{} // nothing changes that it could hold back
	}
	addSection(d, dwellSection, "", &d.dwell, none)
	return sha256.Sum256(d.text)
}

// inheritsAll reports whether the probe at hand has the same collection in a field as the defaults block.
func (r *probeReader) inheritsAll(i int, p *Probe) bool {
	return !r.own(i) && !r.unfit[i] && len(p.Spec.Headers) == len(r.base.Spec.Headers)
}

// addSection adds the fields of a mapping, which stands at a place. known returns the references that hold for a field.
func addSection[T any](d *digester, s *section[T], place string, from *T, known func(field int) map[string]string) {
	for i := range s.fields {
		key := s.fields[i].Key()
		if d.known = known(i); len(d.known) > 0 {
			key = place + key
		}
		d.add(s.fields[i].into(from), key)
	}
}

// add adds a value by a pointer to it.
func (d *digester) add(value any, place string) {
	switch v := value.(type) {
	case *string:
		d.addSecret(*v, place)
	case **string:
		if d.addBool(*v != nil); *v != nil {
			d.addSecret(**v, place)
		}
	case *probe.Interpretation:
		d.addText(string(*v))
	case *probe.PingMode:
		d.addText(string(*v))
	case *probe.MessageFormat:
		d.addText(string(*v))
	case *probe.IPVersion:
		d.addText(string(*v))
	case *probe.Compression:
		d.addText(string(*v))
	case *bool:
		d.addBool(*v)
	case *int:
		d.addNumber(int64(*v))
	case *int64:
		d.addNumber(*v)
	case *time.Duration:
		d.addNumber(int64(*v))
	case *health.Condition:
		d.addText(string(v.Operator))
		d.addNumber(int64(math.Float64bits(v.Bound)))
	default:
		d.addElements(value, place)
	}
}

// addElements adds a list or a mapping by a pointer to it.
func (d *digester) addElements(value any, place string) {
	switch v := value.(type) {
	case *[]string:
		d.addNumber(int64(len(*v)))
		for i, text := range *v {
			d.addSecret(text, d.place(place, "", i))
		}
	case *map[string]string:
		for _, name := range addNames(d, *v) {
			d.addSecret((*v)[name], d.place(place, name, 0))
		}
	case *map[string]any:
		for _, name := range addNames(d, *v) {
			text, isText := (*v)[name].(string)
			if d.addBool(isText); isText {
				d.addSecret(text, d.place(place, name, 0))
			} else {
				d.addText(fmt.Sprint((*v)[name])) // a number as the file writes it, true, false or <nil>
			}
		}
	case *[]probe.Step:
		d.addNumber(int64(len(*v)))
		known := d.known
		for i := range *v {
			addSection(d, stepSection, fmt.Sprintf("%s[%d].", place, i), &(*v)[i], func(int) map[string]string { return known })
		}
	default:
		panic(fmt.Sprintf("%s: no digest of a %T", place, value)) // a mistake in the table; a test reads every field
	}
}

// addNames adds the names of a mapping and returns them, sorted.
func addNames[V any](d *digester, m map[string]V) []string {
	d.names = d.names[:0]
	for name := range m {
		d.names = append(d.names, name)
	}
	slices.Sort(d.names)
	d.addNumber(int64(len(d.names)))
	for _, name := range d.names {
		d.addText(name)
	}
	return d.names
}

// place returns the place of an entry or, without a name, of an element of a collection. It is of use only where there
// are references.
func (d *digester) place(collection, name string, i int) string {
	switch {
	case len(d.known) == 0:
		return ""
	case name == "":
		return collection + yamltree.Path{}.Item(i).Element
	default:
		return collection + yamltree.Path{}.Name(name).Element
	}
}

// addCollection adds the sum of a list or a mapping, because that of the defaults block is read once for all probes.
func (d *digester) addCollection(value any, place string, field int, inherited bool) {
	sum, known := d.sums[field]
	if !known || !inherited {
		start := len(d.text)
		d.addElements(value, place)
		sum = sha256.Sum256(d.text[start:])
		d.text = d.text[:start]
	}
	if inherited {
		d.sums[field] = sum
	}
	d.text = append(d.text, sum[:]...)
}

// addURL adds the URL. Beside a reference, its public part is added.
func (d *digester) addURL(p *Probe) {
	source, referred := d.known["url"]
	if !referred {
		d.addText(p.Spec.URL)
		return
	}
	d.addReference(source)
	d.addText(p.ShownURL())
}

// addProxy adds a proxy. Beside a reference, its address is added, because only its credentials are secret. Of a proxy
// in the environment, the password is left out.
func (d *digester) addProxy(u *url.URL, place string, inFile bool) {
	source, referred := d.known[place]
	switch {
	case u == nil:
		d.addText("")
	case inFile && referred:
		d.addReference(source)
		d.addText(u.Scheme + "://" + u.Host)
	case inFile:
		d.addText(u.String())
	default:
		d.addText(u.Redacted())
	}
}

// addSecret adds a text or, in its place, the reference that stands for it.
func (d *digester) addSecret(text, place string) {
	if source, referred := d.known[place]; referred && text != "" {
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
