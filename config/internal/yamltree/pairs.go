package yamltree

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// Reader reads the mappings of a file, and reports what is wrong with them.
type Reader struct {
	*Report
	// budget is how many more entries may be read. Aliases can make a small file stand for a huge one;
	// as many as the file has bytes, and a million, are enough for every honest use.
	budget     int
	depth      int // of the merge keys being followed
	LostMerges int // merge keys that could not be followed: what seems to be missing may be there
}

const (
	aliasBudget   = 1_000_000
	maxMergeDepth = 8
)

// NewReader returns a reader of a file of so many bytes.
func NewReader(r *Report, size int) *Reader { return &Reader{Report: r, budget: size + aliasBudget} }

// Exhausted reports whether aliases made more of the file than is read. That has been reported.
func (r *Reader) Exhausted() bool { return r.budget < 0 }

// Left returns how many more entries may be read.
func (r *Reader) Left() int { return r.budget }

// Spend takes n entries from the budget and reports whether they may be read.
func (r *Reader) Spend(n int, at *yaml.Node) bool {
	before := r.Exhausted()
	r.budget -= n + 1
	if r.Exhausted() && !before {
		r.At(at, Path{}, "aliases and merge keys make more than %d entries of this file", aliasBudget)
	}
	return !r.Exhausted()
}

// LookUp returns an entry of a mapping, if it is there and not null.
func (r *Reader) LookUp(m *yaml.Node, key string) (Pair, bool) {
	if m.Kind != yaml.MappingNode {
		return Pair{}, false
	}
	p, found := find(r.Pairs(m, nil, Path{}), key)
	return p, found && !IsNull(p.Value)
}

// Entry finds an entry of a mapping, and its path. The mapping itself takes its place if there is none.
func (r *Reader) Entry(m Pair, key string, where Path) (Pair, Path, bool) {
	if p, found := find(r.Pairs(m.Value, AliasOf(m.ValueAt), where), key); found {
		return p, where, true
	}
	return m, where, false
}

// find returns the entry of this key.
func find(pairs []Pair, key string) (Pair, bool) {
	i := slices.IndexFunc(pairs, func(p Pair) bool { return p.Key.Value == key })
	if i < 0 {
		return Pair{}, false
	}
	return pairs[i], true
}

// Pair is an entry of a mapping.
type Pair struct {
	Key, Value *yaml.Node // what they say, aliases followed
	// Where they stand in the mapping that was read. It differs from key and value for an
	// entry that an alias or a merge key brings in.
	KeyAt, ValueAt *yaml.Node
}

// Present reports whether there is an entry.
func (p Pair) Present() bool { return p.Key != nil }

// Pairs returns the entries of a mapping, each key once, those of merge keys (<<) included. via is the
// alias through which the mapping was reached, or nil.
func (r *Reader) Pairs(m, via *yaml.Node, where Path) []Pair {
	if !r.Spend(len(m.Content)/2, m) {
		return nil
	}
	pairs := make([]Pair, 0, len(m.Content)/2)
	seen := newKeySet(len(m.Content) / 2)
	var merge *yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		p := Pair{Key: Follow(m.Content[i]), Value: Follow(m.Content[i+1]), KeyAt: m.Content[i], ValueAt: m.Content[i+1]}
		if via != nil {
			p.KeyAt, p.ValueAt = via, via
		}
		if problem := keyProblem(p.Key); problem != "" {
			r.Used(p.Key, p.KeyAt, where, "%s", problem)
			continue
		}
		if first := seen.add(p.Key); first != nil {
			r.At(p.Key, where.deeper(p.Key.Value), "is there twice, see %s", r.Seen(first, p.Key))
			continue
		}
		if p.Key.Tag == mergeTag {
			merge = m.Content[i+1]
			continue
		}
		pairs = append(pairs, p)
	}
	if merge != nil {
		pairs = r.merge(pairs, seen, merge, where)
	}
	return pairs
}

// merge adds the entries of the mapping or list of mappings that a merge key names, except those whose keys
// are there already (https://yaml.org/type/merge.html).
func (r *Reader) merge(pairs []Pair, seen *keySet, source *yaml.Node, where Path) []Pair {
	if r.depth++; r.depth > maxMergeDepth {
		r.At(source, where, "merge keys must not be nested more than %d deep", maxMergeDepth)
		r.LostMerges++
		r.depth--
		return pairs
	}
	defer func() { r.depth-- }()
	sources := []*yaml.Node{source}
	if list := Follow(source); list.Kind == yaml.SequenceNode && r.Spend(len(list.Content), list) {
		sources = list.Content
	}
	for _, each := range sources {
		m := Follow(each)
		if m.Kind != yaml.MappingNode {
			r.At(each, where, "a merge key needs a mapping or a list of mappings, got %s", Describe(m))
			r.LostMerges++
			continue
		}
		for _, p := range r.Pairs(m, source, where) {
			if seen.add(p.Key) == nil {
				pairs = append(pairs, p)
			}
		}
	}
	return pairs
}

// keySet finds keys that are there twice. Most mappings have few keys, which are compared quicker than hashed.
type keySet struct {
	keys  []*yaml.Node
	large map[string]*yaml.Node
}

const fewKeys = 16

func newKeySet(size int) *keySet { return &keySet{keys: make([]*yaml.Node, 0, min(size, fewKeys))} }

// add returns the equal key that is in the set, or adds the key and returns nil.
func (s *keySet) add(key *yaml.Node) *yaml.Node {
	if s.large != nil {
		if first := s.large[key.Value]; first != nil {
			return first
		}
		s.large[key.Value] = key
		return nil
	}
	if i := slices.IndexFunc(s.keys, func(k *yaml.Node) bool { return k.Value == key.Value }); i >= 0 {
		return s.keys[i]
	}
	if s.keys = append(s.keys, key); len(s.keys) > fewKeys {
		s.large = make(map[string]*yaml.Node)
		for _, k := range s.keys {
			s.large[k.Value] = k
		}
	}
	return nil
}
