package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// mapKey identifies a map that was read before: an anchored node in the role of a field.
type mapKey struct {
	node           *yaml.Node
	section, field string
}

// readMap is what such a map came to.
type readMap struct {
	entries    map[string]string
	secrets    []string
	references map[string]string // with those that are inherited, by place
}

// standIn takes the place of a value that is wrong, so that nothing else seems to be wrong because of it. It is
// good for every header and label.
const standIn = "x"

// entries are what a mapping of names to texts says, by the name in the case that counts.
type entries map[string]entry

type entry struct {
	name, value string
	null        *yaml.Node // the value, if it is null
}

// decodeMap reads names and texts over what is inherited: a name replaces an inherited one, and null takes it
// away. Names of a field that folds are the same in upper and lower case, and keep the case they have.
func decodeMap[T any](r *reader, f *field[T], p yamltree.Pair, where yamltree.Path, into *map[string]string) bool {
	n := p.Value
	if n.Kind != yaml.MappingNode || n.Tag != yamltree.MapTag {
		r.Used(n, p.ValueAt, where, "must be a mapping, got %s", yamltree.Describe(n))
		return false
	}
	key := mapKey{node: n, section: where.Section, field: where.Key}
	if known, ok := r.maps[key]; ok { // read through another alias: its faults are known, its map is shared
		*into = known.entries
		r.noted.texts = append(r.noted.texts, known.secrets...)
		for place, source := range known.references {
			r.noted.refer(place, source)
		}
		return true
	}
	before := len(r.noted.texts)
	own := readEntries(r, f, n, yamltree.AliasOf(p.ValueAt), where)
	merged := r.shareMap(f.inherit(*into, own))
	references := f.references(r, merged, own, where)
	for _, e := range own {
		if e.null != nil && !r.unreadable[where.Key] {
			r.At(e.null, where.Name(e.name), `has no value: write "" for an empty one`)
		}
	}
	if f.spec == "" && int64(len(merged)) > f.Max {
		r.Used(n, p.ValueAt, where, "must be at most %d, got %d", f.Max, len(merged))
		return false
	}
	if n.Anchor != "" {
		r.maps[key] = readMap{merged, slices.Clone(r.noted.texts[before:]), references}
	}
	*into = merged
	return true
}

// readEntries reads a mapping of names to texts. What it returns holds until it is called again.
func readEntries[T any](r *reader, f *field[T], n, via *yaml.Node, where yamltree.Path) entries {
	clear(r.own)
	own := r.own
	for _, p := range r.Pairs(n, via, where) {
		name := p.Key.Value
		if name == "" {
			r.Used(p.Key, p.KeyAt, where.Name(name), "must have a name")
			continue
		}
		if first, twice := own[f.folded(name)]; twice {
			r.Used(p.Key, p.KeyAt, where.Name(name), "is there twice: %s is the same header", excerpt.Quote(first.name))
			continue
		}
		e := entry{name: r.share(name), value: standIn}
		switch {
		case yamltree.IsNull(p.Value):
			e.null = p.Value
		case !yamltree.IsText(p.Value):
			r.Used(p.Value, p.ValueAt, where.Name(name), "must be text, got %s%s", yamltree.Describe(p.Value), yamltree.QuotesHint(p.Value))
		default:
			e.value = r.share(p.Value.Value)
			r.note(p.Value, where.Name(name), f.secret)
			r.checkText(p.Value, p.ValueAt, where.Name(name))
		}
		if f.entry != nil {
			nameProblem, valueProblem := f.entry(name, e.value)
			if nameProblem != "" {
				r.Used(p.Key, p.KeyAt, where.Name(name), "%s", nameProblem)
			}
			if valueProblem != "" {
				r.Used(p.Value, p.ValueAt, where.Name(name), "%s", valueProblem)
			}
		}
		own[f.folded(name)] = e
	}
	return own
}

// inherit returns the inherited map with the entries over it. A null that takes something away is taken out of
// the entries: it has done what it is for.
func (f *field[T]) inherit(inherited map[string]string, own entries) map[string]string {
	if len(own) == 0 {
		return inherited
	}
	merged := make(map[string]string, len(inherited)+len(own))
	for name, value := range inherited {
		e, replaced := own[f.folded(name)]
		switch {
		case !replaced:
			merged[name] = value
		case e.null != nil:
			delete(own, f.folded(name))
		}
	}
	for _, e := range own {
		if e.null == nil {
			merged[e.name] = e.value
		}
	}
	return merged
}

// references returns the references in the values of a map by their places, and notes those that are inherited.
func (f *field[T]) references(r *reader, merged map[string]string, own entries, where yamltree.Path) map[string]string {
	if f.secret == public || !r.Refers() {
		return nil
	}
	references := make(map[string]string)
	for name := range merged {
		place := where.Name(name).Place()
		from := r.inheritedReferences
		if _, is := own[f.folded(name)]; is {
			from = r.noted.references
		}
		if source, ok := from[place]; ok {
			references[place] = source
			r.noted.refer(place, source)
		}
	}
	return references
}

// folded returns the name in the case that counts.
func (f *field[T]) folded(name string) string {
	if f.fold {
		return strings.ToLower(name)
	}
	return name
}
