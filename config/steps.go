package config

import (
	"encoding/json"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/maintenance"
	"github.com/wsprobe/wsprobe/probe/session"
)

// decodeNested reads a mapping, or a list of mappings, that is kept as a whole.
func decodeNested(r *reader, f *Field, p yamltree.Pair, where yamltree.Path, into any, set *found) bool {
	switch into := into.(type) {
	case *[]probe.Step:
		return decodeSections(r, stepSection, f, p, where, into, set)
	case *[]session.Answer:
		return decodeSections(r, answerSection, f, p, where, into, set)
	case **maintenance.Schedule:
		return decodeWindows(r, f, p, where, into, set)
	case *map[string]connection:
		return decodeNamed(r, connectionSection, p, where, into, set)
	case *map[string]probe.Capture:
		return decodeNamed(r, captureSection, p, where, into, set)
	case **probe.Prepare:
		*into = new(probe.Prepare)
		return decodeInner(r, prepareSection, p.ValueAt, where.Inside(), *into)
	case *ownAuth:
		return decodeOwnAuth(r, p, where, into)
	case **session.Heartbeat:
		*into = new(session.Heartbeat)
		return decodeInner(r, heartbeatSection, p.ValueAt, where.Inside(), *into)
	case *session.Reconnect:
		*into = session.Reconnect{}
		return decodeInner(r, reconnectSection, p.ValueAt, where.Inside(), into)
	default:
		panic(f.Path + ": nobody reads it") // a mistake in the table; a test reads every mapping
	}
}

// decodeSections reads a list of mappings. One with a fault is kept, because the others keep their index then.
func decodeSections[E any](r *reader, s *section[E], f *Field, p yamltree.Pair, where yamltree.Path, into *[]E, set *found) bool {
	n, items := p.Value, s.items()
	if n.Kind != yaml.SequenceNode || n.Tag != yamltree.SeqTag {
		r.Used(n, p.ValueAt, where, "must be a list of %s, got %s", items, yamltree.Describe(n))
		return false
	}
	if int64(len(n.Content)) > f.Max || int64(len(n.Content)) < f.Min {
		r.Used(n, p.ValueAt, where, "must have %d to %d %s, got %d", f.Min, f.Max, items, len(n.Content))
		return false
	}
	list := make([]E, len(n.Content))
	for i, item := range n.Content {
		if !decodeInner(r, s, item, where.Step(i), &list[i]) {
			set.markItem(where.Key, strconv.Itoa(i))
		}
	}
	*into = list
	return true
}

// decodeInner reads a mapping that inherits nothing, and reports whether all of it was right.
func decodeInner[E any](r *reader, s *section[E], at *yaml.Node, where yamltree.Path, into *E) bool {
	set, faults, lost := newFound(len(s.fields)), r.Count(), r.LostMerges
	decode(r, s, yamltree.Follow(at), yamltree.AliasOf(at), where, into, set)
	return r.Count() == faults && r.LostMerges == lost && !slices.Contains(set.faulty, true)
}

// decodeValues reads the values that a JSON document must have, by their paths. It inherits nothing, because null is a
// value here.
func decodeValues(r *reader, p yamltree.Pair, where yamltree.Path, into *map[string]any, secret secrecy) bool {
	n := p.Value
	if n.Kind != yaml.MappingNode || n.Tag != yamltree.MapTag {
		r.Used(n, p.ValueAt, where, "must be a mapping of paths to values, got %s", yamltree.Describe(n))
		return false
	}
	sound := true
	values := make(map[string]any, len(n.Content)/2)
	for _, entry := range r.Pairs(n, yamltree.AliasOf(p.ValueAt), where) {
		value, ok := jsonValue(entry.Value)
		if !ok {
			r.Used(entry.Value, entry.ValueAt, where.Name(entry.Key.Value), "%s", valueProblem(entry.Key.Value, entry.Value))
			sound = false
		}
		values[r.share(entry.Key.Value)] = value
		at := where.Name(entry.Key.Value)
		r.note(entry.Value, at, secret)
		if problem := pathDoubt(entry.Key.Value); problem != "" && ok {
			r.Warn(entry.Key, entry.KeyAt, at, "%s", problem)
		}
		if yamltree.IsText(entry.Value) {
			r.checkText(entry.Value, entry.ValueAt, at)
		}
	}
	*into = values
	return sound
}

func valueProblem(key string, n *yaml.Node) string {
	if inner := firstLeaf(n); inner != "" {
		return "must be text, a number, true, false or null, got " + yamltree.Describe(n) + ": write the path, " + excerpt.Of(key+inner)
	}
	if n.Kind == yaml.ScalarNode && (n.Tag == yamltree.IntTag || n.Tag == yamltree.FloatTag) {
		return "must be a number as JSON writes it, got " + yamltree.Show(n)
	}
	return "must be text, a number, true, false or null, got " + yamltree.Describe(n) + yamltree.QuotesHint(n)
}

// firstLeaf returns the path from a tree to its first value, or nothing if there is none. It does not follow aliases.
func firstLeaf(n *yaml.Node) string {
	inner := ""
	for depth := 0; depth < excerpt.Max && len(n.Content) > 0; depth++ {
		switch n.Kind {
		case yaml.MappingNode:
			inner += "." + escapePath(n.Content[0].Value)
			n = n.Content[1]
		case yaml.SequenceNode:
			inner += ".0"
			n = n.Content[0]
		}
	}
	return inner
}

// jsonValue returns the JSON value that a scalar stands for. Number formats that JSON lacks, such as 0x1F, stand for
// none.
func jsonValue(n *yaml.Node) (any, bool) {
	switch {
	case yamltree.IsNull(n):
		return nil, true
	case n.Kind != yaml.ScalarNode:
		return nil, false
	case n.Tag == yamltree.StrTag:
		return n.Value, true
	case n.Tag == yamltree.BoolTag:
		value, problem := parseBool(n.Value)
		return value, problem == ""
	case n.Tag == yamltree.IntTag || n.Tag == yamltree.FloatTag:
		return json.Number(n.Value), json.Valid([]byte(n.Value))
	default:
		return nil, false
	}
}

// entryOf returns the place of a fault within a mapping of a section: the field, and the entry of the field.
func entryOf[E any](r *reader, s *section[E], f probe.Fault, mapping *yaml.Node, where yamltree.Path) (yamltree.Pair, yamltree.Path) {
	p := yamltree.Pair{Value: yamltree.Follow(mapping), ValueAt: mapping}
	i := slices.IndexFunc(s.fields, func(field field[E]) bool { return field.spec == f.Sub })
	if i < 0 || p.Value.Kind != yaml.MappingNode {
		return p, where
	}
	p, where, found := r.Entry(p, s.fields[i].Key(), where.Field(s.fields[i].Key()))
	if found && f.SubKey != "" && p.Value.Kind == yaml.MappingNode {
		p, where, _ = r.Entry(p, f.SubKey, where.Name(f.SubKey))
	}
	return p, where
}

// itemOf is entryOf for the mapping that the fault is about in a list of such.
func itemOf[E any](r *reader, s *section[E], f probe.Fault, list *yaml.Node, where yamltree.Path) (yamltree.Pair, yamltree.Path) {
	index, _ := strconv.Atoi(f.Key)
	return entryOf(r, s, f, list.Content[index], where.Step(index))
}
