package config

import (
	"slices"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// layers are the fields of a section that a probe sets, over those that it inherits.
type layers struct {
	inherited *found // in the defaults block
	set       *found // in the probe at hand
	partial   bool   // parts of the probe at hand could not be read
}

func newLayers(fields int) layers { return layers{inherited: newFound(fields), set: newFound(fields)} }

// sets reports whether the probe at hand sets a field itself.
func (l *layers) sets(i int) bool { return l.set.pairs[i].Present() }

// faulty reports whether the value that holds for the probe at hand is wrong by itself, or unknown because its key is
// misspelled. The value is that of the probe, or the inherited one.
func (l *layers) faulty(i int) bool {
	if l.sets(i) {
		return l.set.faulty[i]
	}
	return l.partial || l.set.resembled[i] || l.inherited.faulty[i] || l.inherited.resembled[i]
}

// finding is a problem of the field of this key.
type finding struct {
	key, problem string
	// missing says that another field would solve it, which a probe may add.
	missing bool
}

// nested reads a mapping with fields of its own, such as tls, in the defaults block and in the probes.
type nested[T any] struct {
	*reader
	layers
	section *section[T]
	base    T // what every probe begins with
	// The mapping in the defaults block and that in the probe at hand, with their paths.
	inheritedAt, setAt yamltree.Pair
	inheritedIn, setIn yamltree.Path
}

func newNested[T any](r *reader, s *section[T]) nested[T] {
	n := nested[T]{reader: r, layers: newLayers(len(s.fields)), section: s}
	s.setDefaults(&n.base)
	return n
}

// defaults reads the mapping of the defaults block, and reports whether there is one.
func (n *nested[T]) defaults(p yamltree.Pair, where yamltree.Path) bool {
	n.inheritedAt, n.inheritedIn = p, where.Within(n.section.name)
	if p.Present() {
		decode(n.reader, n.section, p.Value, yamltree.AliasOf(p.ValueAt), n.inheritedIn, &n.base, n.inherited)
	}
	return p.Present()
}

// probe reads the mapping of a probe over the inherited values, and reports whether it sets any field.
func (n *nested[T]) probe(p yamltree.Pair, where yamltree.Path, into *T) bool {
	n.set.reset()
	n.setAt, n.setIn = p, where.Within(n.section.name)
	lost := n.LostMerges
	if p.Present() {
		decode(n.reader, n.section, p.Value, yamltree.AliasOf(p.ValueAt), n.setIn, into, n.set)
	}
	n.partial = n.LostMerges > lost
	return p.Present() && slices.ContainsFunc(n.set.pairs, yamltree.Pair.Present)
}

// inherits reports whether the defaults block sets any field of the mapping.
func (n *nested[T]) inherits() bool {
	return n.inheritedAt.Present() && slices.ContainsFunc(n.inherited.pairs, yamltree.Pair.Present)
}

// absent reports whether neither the defaults block nor a probe with this mapping has it. Most probes have none.
func (n *nested[T]) absent(p yamltree.Pair) bool { return !p.Present() && !n.inheritedAt.Present() }

// setsKey reports whether the probe at hand sets the field of this key itself.
func (n *nested[T]) setsKey(key string) bool { return n.sets(n.section.index[key]) }

// faultyKey reports whether the field of this key is wrong by itself.
func (n *nested[T]) faultyKey(key string) bool { return n.faulty(n.section.index[key]) }

// reportAll reports findings where their fields are set: in the probe at hand, else in the defaults block. A field that
// is set nowhere is missing in the mapping.
func (n *nested[T]) reportAll(findings []finding) {
	for _, f := range findings {
		p, where := n.place(n.section.index[f.key])
		n.Used(p.Value, p.ValueAt, where, "%s", f.problem)
	}
}

// place returns where a field is set, or else where it is missing, and its path there.
func (n *nested[T]) place(i int) (yamltree.Pair, yamltree.Path) {
	p, where := n.set.pairs[i], n.setIn
	switch {
	case p.Present():
	case n.inherited.pairs[i].Present():
		p, where = n.inherited.pairs[i], n.inheritedIn
	case n.setAt.Present():
		p = n.setAt
	default:
		p, where = n.inheritedAt, n.inheritedIn
	}
	return p, where.Field(n.section.fields[i].Key())
}
