package config

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// reader reads YAML nodes and reports what is wrong with them.
type reader struct {
	*report
	// budget is how many more entries may be read. Aliases can make a small file stand for a huge one;
	// what its size explains plus a million is enough for every honest use.
	budget int
	depth  int // of the merge keys being followed
	gaps   int // merge keys that could not be followed: what seems to be missing may be there
	maps   map[mapKey]readMap
	// unsure are the fields of the defaults block that could not be read.
	unsure map[string]bool
	texts  map[string]string // equal texts are kept once
	noted  secrets           // since the last take
	// inherited are the references of the defaults block, by their places.
	inherited map[string]string
	doubts    []doubt // about messages, until their format is known
	// guesses are the fields that unknown keys probably mean.
	guesses map[*yaml.Node]string
}

const (
	aliasBudget   = 1_000_000
	maxMergeDepth = 8
)

func newReader(r *report, size int) *reader {
	return &reader{
		report:  r,
		budget:  size + aliasBudget,
		maps:    make(map[mapKey]readMap),
		texts:   make(map[string]string),
		guesses: make(map[*yaml.Node]string),
	}
}

// spend takes n entries from the budget and reports whether they may be read.
func (r *reader) spend(n int, at *yaml.Node) bool {
	exhausted := r.budget < 0
	r.budget -= n + 1
	if r.budget < 0 && !exhausted {
		r.at(at, path{}, "aliases and merge keys make more than %d entries of this file", aliasBudget)
	}
	return r.budget >= 0
}

// pair is an entry of a mapping.
type pair struct {
	key, value *yaml.Node // what they say, aliases followed
	// Where they stand in the mapping that was read. It differs from key and value for an
	// entry that an alias or a merge key brings in.
	keyAt, valueAt *yaml.Node
}

// present reports whether there is an entry.
func (p pair) present() bool { return p.key != nil }

// pairs returns the entries of a mapping, each key once, those of merge keys (<<) included. via is the
// alias through which the mapping was reached, or nil.
func (r *reader) pairs(m, via *yaml.Node, where path) []pair {
	if !r.spend(len(m.Content)/2, m) {
		return nil
	}
	pairs := make([]pair, 0, len(m.Content)/2)
	seen := newKeySet(len(m.Content) / 2)
	var merge *yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		p := pair{key: follow(m.Content[i]), value: follow(m.Content[i+1]), keyAt: m.Content[i], valueAt: m.Content[i+1]}
		if via != nil {
			p.keyAt, p.valueAt = via, via
		}
		if problem := keyProblem(p.key); problem != "" {
			r.used(p.key, p.keyAt, where, "%s", problem)
			continue
		}
		if first := seen.add(p.key); first != nil {
			r.at(p.key, where.deeper(p.key.Value), "is there twice, see line %d", first.Line)
			continue
		}
		if p.key.Tag == mergeTag {
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
func (r *reader) merge(pairs []pair, seen *keySet, source *yaml.Node, where path) []pair {
	if r.depth++; r.depth > maxMergeDepth {
		r.at(source, where, "merge keys must not be nested more than %d deep", maxMergeDepth)
		r.gaps++
		r.depth--
		return pairs
	}
	defer func() { r.depth-- }()
	sources := []*yaml.Node{source}
	if list := follow(source); list.Kind == yaml.SequenceNode && r.spend(len(list.Content), list) {
		sources = list.Content
	}
	for _, each := range sources {
		m := follow(each)
		if m.Kind != yaml.MappingNode {
			r.at(each, where, "a merge key needs a mapping or a list of mappings, got %s", describe(m))
			r.gaps++
			continue
		}
		for _, p := range r.pairs(m, source, where) {
			if seen.add(p.key) == nil {
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

// follow returns the node that an alias stands for, or the node itself.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// aliasOf returns the node if it is an alias.
func aliasOf(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	return nil
}

// The tags of YAML that nodes carry, written or implied.
const (
	strTag   = "!!str"
	intTag   = "!!int"
	floatTag = "!!float"
	boolTag  = "!!bool"
	nullTag  = "!!null"
	timeTag  = "!!timestamp"
	mapTag   = "!!map"
	seqTag   = "!!seq"
	mergeTag = "!!merge"
)

// isNull reports whether the value is absent: written as null, as ~ or not at all.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == nullTag && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value)
}

func isText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == strTag }

// keyProblem says why a node is no key.
func keyProblem(n *yaml.Node) string {
	if isText(n) || n.Kind == yaml.ScalarNode && n.Tag == mergeTag && n.Value == "<<" {
		return ""
	}
	return "a key must be text, got " + describe(n) + quotesHint(n)
}

// describe names what a node is, without its content, which may be secret.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode && n.Tag == mapTag:
		return "a mapping"
	case n.Kind == yaml.SequenceNode && n.Tag == seqTag:
		return "a list"
	case n.Kind != yaml.ScalarNode:
		return "the unsupported tag " + quote(n.Tag)
	}
	switch n.Tag {
	case strTag:
		return "text"
	case intTag, floatTag:
		return "a number"
	case boolTag:
		return "true or false"
	case nullTag:
		return "nothing"
	case timeTag:
		return "a date"
	case mergeTag:
		return "a merge key"
	default:
		return "the unsupported tag " + quote(n.Tag)
	}
}

// show repeats a scalar whose content is no secret, and describes any other node.
func show(n *yaml.Node) string {
	_, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Kind != yaml.ScalarNode || n.Style&yaml.TaggedStyle != 0:
		return describe(n)
	case err == nil && n.Style == 0:
		return shorten(n.Value)
	default:
		return quote(n.Value)
	}
}

func isQuoted(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
}

// quotesHint is advice for text that YAML takes for something else: a scalar, or JSON.
func quotesHint(n *yaml.Node) string {
	scalar := n.Kind == yaml.ScalarNode && n.Tag != strTag && !isNull(n)
	if (scalar || n.Style&yaml.FlowStyle != 0) && n.Style&yaml.TaggedStyle == 0 {
		return ": put it in quotes"
	}
	return ""
}

// share returns an equal text that was read before, so that it is kept only once.
func (r *reader) share(s string) string {
	if shared, ok := r.texts[s]; ok {
		return shared
	}
	r.texts[s] = s
	return s
}
