package config

import (
	"slices"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// layers are what a probe says about the fields of a section, over what the defaults block says about them.
type layers struct {
	said    *found // by the defaults block
	got     *found // by the probe at hand
	partial bool   // parts of the probe at hand could not be read
}

func newLayers(fields int) layers { return layers{said: newFound(fields), got: newFound(fields)} }

// own reports whether the probe at hand says something about a field itself.
func (l *layers) own(i int) bool { return l.got.pairs[i].Present() }

// faulty reports whether what holds for the probe at hand, its own value or the default, is wrong by itself, or
// unknown because its key is misspelled.
func (l *layers) faulty(i int) bool {
	if l.own(i) {
		return l.got.faulty[i]
	}
	return l.partial || l.got.meant[i] || l.said.faulty[i] || l.said.meant[i]
}

// finding is what is wrong with the field of this key.
type finding struct {
	key, problem string
	// missing says that another field would mend it, which a probe may add.
	missing bool
}

// inner reads a mapping with fields of its own, tls for instance, of the defaults block and of the probes.
type inner[T any] struct {
	*reader
	layers
	section *section[T]
	base    T // what every probe begins with
	// The mapping of the defaults block and that of the probe at hand, and their places.
	saidAt, gotAt yamltree.Pair
	saidIn, gotIn yamltree.Path
}

func newInner[T any](r *reader, s *section[T]) inner[T] {
	n := inner[T]{reader: r, layers: newLayers(len(s.fields)), section: s}
	s.setDefaults(&n.base)
	return n
}

// defaults reads the mapping of the defaults block, and reports whether there is one.
func (n *inner[T]) defaults(p yamltree.Pair, where yamltree.Path) bool {
	n.saidAt, n.saidIn = p, where.Within(n.section.name)
	if p.Present() {
		decode(n.reader, n.section, p.Value, yamltree.AliasOf(p.ValueAt), n.saidIn, &n.base, n.said)
	}
	return p.Present()
}

// probe reads the mapping of a probe into what it is laid over, and reports whether it says anything.
func (n *inner[T]) probe(p yamltree.Pair, where yamltree.Path, into *T) bool {
	n.got.reset()
	n.gotAt, n.gotIn = p, where.Within(n.section.name)
	gaps := n.Unreadable
	if p.Present() {
		decode(n.reader, n.section, p.Value, yamltree.AliasOf(p.ValueAt), n.gotIn, into, n.got)
	}
	n.partial = n.Unreadable > gaps
	return slices.ContainsFunc(n.got.pairs, yamltree.Pair.Present)
}

// inherits reports whether the defaults block says anything.
func (n *inner[T]) inherits() bool { return slices.ContainsFunc(n.said.pairs, yamltree.Pair.Present) }

// owns reports whether the probe at hand sets the field of this key itself.
func (n *inner[T]) owns(key string) bool { return n.own(n.section.index[key]) }

// wrong reports whether the field of this key is wrong by itself.
func (n *inner[T]) wrong(key string) bool { return n.faulty(n.section.index[key]) }

// tell reports what is wrong where it is set: in the probe at hand, else in the defaults block. What is set nowhere is
// missing in the mapping.
func (n *inner[T]) tell(findings []finding) {
	for _, f := range findings {
		i := n.section.index[f.key]
		p, where := n.got.pairs[i], n.gotIn
		switch {
		case p.Present():
		case n.said.pairs[i].Present():
			p, where = n.said.pairs[i], n.saidIn
		case n.gotAt.Present():
			p = n.gotAt
		default:
			p, where = n.saidAt, n.saidIn
		}
		n.Used(p.Value, p.ValueAt, where.Field(f.key), "%s", f.problem)
	}
}
