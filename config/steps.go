package config

import (
	"encoding/json"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// decodeSteps reads the steps of an exchange. A step with a fault is kept, because the others keep their index then.
func decodeSteps[T any](r *reader, f *field[T], p yamltree.Pair, where yamltree.Path, into *[]probe.Step, set *found) bool {
	n := p.Value
	if n.Kind != yaml.SequenceNode || n.Tag != yamltree.SeqTag {
		r.Used(n, p.ValueAt, where, "must be a list of steps, got %s", yamltree.Describe(n))
		return false
	}
	if int64(len(n.Content)) > f.Max || len(n.Content) == 0 {
		r.Used(n, p.ValueAt, where, "must have 1 to %d steps, got %d", f.Max, len(n.Content))
		return false
	}
	steps := make([]probe.Step, len(n.Content))
	step := newFound(len(stepSection.fields))
	for i, item := range n.Content {
		step.reset()
		faults, lost := r.Count(), r.LostMerges
		decode(r, stepSection, yamltree.Follow(item), yamltree.AliasOf(item), where.Step(i), &steps[i], step)
		if r.Count() > faults || r.LostMerges > lost || slices.Contains(step.faulty, true) {
			set.markItem(where.Key, strconv.Itoa(i))
		}
	}
	*into = steps
	return true
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

// inStep returns the place of a fault within a step: the field of the step, and the entry of the field.
func (r *reader) inStep(f probe.Fault, step *yaml.Node, where yamltree.Path) (yamltree.Pair, yamltree.Path) {
	p := yamltree.Pair{Value: yamltree.Follow(step), ValueAt: step}
	i := slices.IndexFunc(stepSection.fields, func(field field[probe.Step]) bool { return field.spec == f.Sub })
	index, _ := strconv.Atoi(f.Key)
	where = where.Step(index)
	if i < 0 || p.Value.Kind != yaml.MappingNode {
		return p, where
	}
	p, where, found := r.Entry(p, stepSection.fields[i].Key(), where.Field(stepSection.fields[i].Key()))
	if found && f.SubKey != "" && p.Value.Kind == yaml.MappingNode {
		p, where, _ = r.Entry(p, f.SubKey, where.Name(f.SubKey))
	}
	return p, where
}
