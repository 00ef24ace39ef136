package config

import (
	"encoding/json"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/probe"
)

// decodeSteps reads the steps of an exchange. A step with a fault is kept, so that the others keep their index, and
// remembered.
func decodeSteps[T any](r *reader, f *field[T], p pair, where path, into *[]probe.Step, got *found) bool {
	n := p.value
	if n.Kind != yaml.SequenceNode || n.Tag != seqTag {
		r.used(n, p.valueAt, where, "must be a list of steps, got %s", describe(n))
		return false
	}
	if int64(len(n.Content)) > f.Max || len(n.Content) == 0 {
		r.used(n, p.valueAt, where, "must have 1 to %d steps, got %d", f.Max, len(n.Content))
		return false
	}
	steps := make([]probe.Step, len(n.Content))
	said := newFound(len(stepSection.fields))
	for i, item := range n.Content {
		said.reset()
		faults, gaps := len(r.faults), r.gaps
		decode(r, stepSection, follow(item), aliasOf(item), where.step(i), &steps[i], said)
		if len(r.faults) > faults || r.gaps > gaps || slices.Contains(said.faulty, true) {
			got.bad(where.key, strconv.Itoa(i))
		}
	}
	*into = steps
	return true
}

// bad remembers an element that is wrong by itself.
func (f *found) bad(field, element string) {
	if f.badItems == nil {
		f.badItems = make(map[[2]string]bool)
	}
	f.badItems[[2]string{field, element}] = true
	f.badItems[[2]string{field, ""}] = true
}

// decodeValues reads what must stand where in a JSON document. It is not mixed with what is inherited: null is a
// value here, and takes nothing away.
func decodeValues(r *reader, p pair, where path, into *map[string]any, secret secrecy) bool {
	n := p.value
	if n.Kind != yaml.MappingNode || n.Tag != mapTag {
		r.used(n, p.valueAt, where, "must be a mapping of paths to values, got %s", describe(n))
		return false
	}
	sound := true
	values := make(map[string]any, len(n.Content)/2)
	for _, entry := range r.pairs(n, aliasOf(p.valueAt), where) {
		value, ok := jsonValue(entry.value)
		if !ok {
			r.used(entry.value, entry.valueAt, where.name(entry.key.Value), "%s", valueProblem(entry.key.Value, entry.value))
			sound = false
		}
		values[r.share(entry.key.Value)] = value
		at := where.name(entry.key.Value)
		r.note(entry.value, at, secret)
		if problem := pathDoubt(entry.key.Value); problem != "" && ok {
			r.warn(entry.key, entry.keyAt, at, "%s", problem)
		}
		if isText(entry.value) {
			r.look(entry.value, entry.valueAt, at)
		}
	}
	*into = values
	return sound
}

func valueProblem(key string, n *yaml.Node) string {
	if inner := firstLeaf(n); inner != "" {
		return "must be text, a number, true, false or null, got " + describe(n) + ": write the path, " + shorten(key+inner)
	}
	if n.Kind == yaml.ScalarNode && (n.Tag == intTag || n.Tag == floatTag) {
		return "must be a number as JSON writes it, got " + show(n)
	}
	return "must be text, a number, true, false or null, got " + describe(n) + quotesHint(n)
}

// firstLeaf returns the path to the first value of a tree, as it follows that of the tree; nothing if there is none. An
// alias is no part of what somebody wrote as a tree.
func firstLeaf(n *yaml.Node) string {
	inner := ""
	for depth := 0; depth < maxShown && len(n.Content) > 0; depth++ {
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

// jsonValue is the value of JSON that a scalar stands for. The number formats of YAML that JSON lacks have none.
func jsonValue(n *yaml.Node) (any, bool) {
	switch {
	case isNull(n):
		return nil, true
	case n.Kind != yaml.ScalarNode:
		return nil, false
	case n.Tag == strTag:
		return n.Value, true
	case n.Tag == boolTag:
		var value bool
		return value, storeBool(&value, n.Value) == "" && n.Decode(&value) == nil
	case n.Tag == intTag || n.Tag == floatTag:
		return json.Number(n.Value), json.Valid([]byte(n.Value))
	default:
		return nil, false
	}
}

// inStep follows a verdict about a step into it: to the field of the step, and the element of that field.
func (r *reader) inStep(f probe.Fault, step *yaml.Node, where path) (pair, path) {
	p := pair{value: follow(step), valueAt: step}
	i := slices.IndexFunc(stepSection.fields, func(field field[probe.Step]) bool { return field.spec == f.Sub })
	index, _ := strconv.Atoi(f.Key)
	where = where.step(index)
	if i < 0 || p.value.Kind != yaml.MappingNode {
		return p, where
	}
	p, where, found := r.entry(p, stepSection.fields[i].Key(), where.field(stepSection.fields[i].Key()))
	if found && f.SubKey != "" && p.value.Kind == yaml.MappingNode {
		p, where, _ = r.entry(p, f.SubKey, where.name(f.SubKey))
	}
	return p, where
}

// entry finds an entry of a mapping. The mapping itself takes its place if there is none.
func (r *reader) entry(m pair, key string, where path) (pair, path, bool) {
	pairs := r.pairs(m.value, aliasOf(m.valueAt), where)
	i := slices.IndexFunc(pairs, func(p pair) bool { return p.key.Value == key })
	if i < 0 {
		return m, where, false
	}
	return pairs[i], where, true
}
