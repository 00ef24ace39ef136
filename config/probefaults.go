package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// fieldOf returns the field that a fault of a Spec is about.
func fieldOf(f probe.Fault) (int, bool) {
	i := slices.IndexFunc(probeSection.fields, func(field field[Probe]) bool { return field.spec == f.Field })
	return i, i >= 0
}

// consequence reports whether a fault follows from another one that was reported already.
func (r *probeReader) consequence(f probe.Fault, i int) bool {
	if r.faulty(i) || r.set.faultyItems[[2]string{probeSection.fields[i].Key(), f.Key}] {
		return true
	}
	if r.set.resembled[probeSection.index["session"]] && len(f.Given) > 0 {
		return true
	}
	return slices.ContainsFunc(f.Given, r.unsound)
}

// unsound reports whether the field of a probe that becomes a field of a Spec is wrong by itself.
func (r *probeReader) unsound(spec string) bool {
	i, ok := fieldOf(probe.Fault{Field: spec})
	return ok && (r.faulty(i) || r.set.faultyItems[[2]string{probeSection.fields[i].Key(), ""}])
}

// reportFault reports a fault of a Spec at its place: a wrong value at the value, a field that is not allowed at its
// key, and a missing field at the mapping.
func (r *probeReader) reportFault(f probe.Fault, i int, set *found, mapping *yaml.Node, where yamltree.Path) {
	where = where.Field(probeSection.fields[i].Key())
	p := set.pairs[i]
	switch {
	case !p.Present():
		p = yamltree.Pair{Value: yamltree.Follow(mapping), ValueAt: mapping}
	case f.Field == "Exchange" && f.Key != "" && p.Value.Kind == yaml.SequenceNode:
		p, where = itemOf(r.reader, stepSection, f, p.Value, where)
	case f.Field == "Prepare" && f.Sub != "" && p.Value.Kind == yaml.MappingNode:
		p, where = entryOf(r.reader, prepareSection, f, p.ValueAt, where.Inside())
	case f.Field == "Connections" && f.Key != "":
		p, where = r.connectionFault(f, p, where)
	default:
		p, where = r.elementOf(f, p, where)
	}
	r.tell(f, p, where, set.pairs[i].Present(), r.origin(f))
}

// elementOf returns the place of a fault within a list or a map, or of the whole if the fault is about no element.
func (r *reader) elementOf(f probe.Fault, p yamltree.Pair, where yamltree.Path) (yamltree.Pair, yamltree.Path) {
	switch {
	case f.Key == "":
	case p.Value.Kind == yaml.SequenceNode:
		index, _ := strconv.Atoi(f.Key)
		where = where.Item(index)
		p.Value = yamltree.Follow(p.Value.Content[index])
		p.ValueAt = p.Value
	default:
		where = where.Name(f.Key)
		p, where, _ = r.Entry(p, f.Key, where)
	}
	return p, where
}

// tell reports a fault of a Spec at a pair, whose field is present or missing.
func (r *reader) tell(f probe.Fault, p yamltree.Pair, where yamltree.Path, present bool, origin string) {
	if r.Unknown(p.Value) && !checkedBlind[f.Field] && !f.NotAllowed {
		return
	}
	what, use := p.Value, p.ValueAt
	if f.NotAllowed && p.Present() {
		what, use = p.Key, p.KeyAt
	}
	if len(f.Given) > 0 && present {
		what = use // it is right by itself, and wrong only here
	}
	r.Used(what, use, where, "%s%s", f.Problem, origin)
}

// origin names the fields that a fault depends on and that come from the defaults block, because the reader of the
// message would not see them.
func (r *probeReader) origin(f probe.Fault) string {
	var inherited []string
	for _, other := range f.Given {
		i, ok := fieldOf(probe.Fault{Field: other})
		if ok && r.inherited.pairs[i].Present() && !r.set.pairs[i].Present() && !r.dropped[i] {
			inherited = append(inherited, probeSection.fields[i].Key())
		}
	}
	if len(inherited) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s from defaults)", strings.Join(inherited, " and "))
}
