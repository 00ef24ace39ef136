package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
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
func decodeMap[T any](r *reader, f *field[T], p pair, where path, into *map[string]string) bool {
	n := p.value
	if n.Kind != yaml.MappingNode || n.Tag != mapTag {
		r.used(n, p.valueAt, where, "must be a mapping, got %s", describe(n))
		return false
	}
	key := mapKey{node: n, section: where.section, field: where.key}
	if known, ok := r.maps[key]; ok { // read through another alias: its faults are known, its map is shared
		*into = known.entries
		r.noted.texts = append(r.noted.texts, known.secrets...)
		for place, source := range known.references {
			r.noted.refer(place, source)
		}
		return true
	}
	before := len(r.noted.texts)
	own := readEntries(r, f, n, aliasOf(p.valueAt), where)
	merged := f.inherit(*into, own)
	references := f.references(r, merged, own, where)
	for _, e := range own {
		if e.null != nil && !r.unsure[where.key] {
			r.at(e.null, where.name(e.name), `has no value: write "" for an empty one`)
		}
	}
	if f.spec == "" && int64(len(merged)) > f.Max {
		r.used(n, p.valueAt, where, "must be at most %d, got %d", f.Max, len(merged))
		return false
	}
	if n.Anchor != "" {
		r.maps[key] = readMap{merged, slices.Clone(r.noted.texts[before:]), references}
	}
	*into = merged
	return true
}

// readEntries reads a mapping of names to texts.
func readEntries[T any](r *reader, f *field[T], n, via *yaml.Node, where path) entries {
	pairs := r.pairs(n, via, where)
	own := make(entries, len(pairs))
	for _, p := range pairs {
		name := p.key.Value
		if name == "" {
			r.used(p.key, p.keyAt, where.name(name), "must have a name")
			continue
		}
		if first, twice := own[f.folded(name)]; twice {
			r.used(p.key, p.keyAt, where.name(name), "is there twice: %s is the same header", quote(first.name))
			continue
		}
		e := entry{name: r.share(name), value: standIn}
		switch {
		case isNull(p.value):
			e.null = p.value
		case !isText(p.value):
			r.used(p.value, p.valueAt, where.name(name), "must be text, got %s%s", describe(p.value), quotesHint(p.value))
		default:
			e.value = r.share(p.value.Value)
			r.note(p.value, where.name(name), f.secret)
			r.look(p.value, p.valueAt, where.name(name))
		}
		if f.entry != nil {
			nameProblem, valueProblem := f.entry(name, e.value)
			if nameProblem != "" {
				r.used(p.key, p.keyAt, where.name(name), "%s", nameProblem)
			}
			if valueProblem != "" {
				r.used(p.value, p.valueAt, where.name(name), "%s", valueProblem)
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
func (f *field[T]) references(r *reader, merged map[string]string, own entries, where path) map[string]string {
	if f.secret == public || len(r.sources) == 0 {
		return nil
	}
	references := make(map[string]string)
	for name := range merged {
		place := where.name(name).place()
		from := r.inherited
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
