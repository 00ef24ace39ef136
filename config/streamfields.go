package config

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// checkFields reports what is wrong with the names of fields in an encoding.
func (r *streamReader) checkFields(e *Encoding) {
	for _, f := range shape.Options(*e).Validate() {
		other := f.Field == "CSVFields" && e.Codec != shape.CSV || f.Field == "Template" && (e.Codec != shape.Text || e.Template == "")
		if other || r.misnamed && slices.Contains([]string{"Rename", "Static", "DateKey"}, f.Field) {
			continue // reported already, or perhaps a consequence
		}
		if !r.reportName(&r.encoding, f) {
			r.reportName(&r.csv, f)
		}
	}
}

// reportName reports a fault of an encoding at its place, and whether the field is one of this mapping.
func (r *streamReader) reportName(n *nested[Encoding], f shape.Fault) bool {
	i := slices.IndexFunc(n.section.fields, func(field field[Encoding]) bool { return field.spec == f.Field })
	if i < 0 {
		return false
	}
	key := n.section.fields[i].Key()
	p, where := n.set.pairs[i], n.setIn.Field(key)
	if !p.Present() || n.set.faulty[i] || n.set.faultyItems[[2]string{key, f.Key}] {
		return true
	}
	name := f.Key
	switch {
	case f.Key == "":
	case p.Value.Kind == yaml.SequenceNode:
		index, _ := strconv.Atoi(f.Key)
		element := yamltree.Follow(p.Value.Content[index])
		p, where, name = yamltree.Pair{Value: element, ValueAt: element}, where.Item(index), element.Value
	default:
		p, where, _ = r.Entry(p, f.Key, where.Name(f.Key))
		if f.Field == "Rename" && !shape.Known(f.Key) {
			p.Value, p.ValueAt = p.Key, p.KeyAt
		}
	}
	if !(r.Blind && r.Substituted(p.Value)) {
		r.Used(p.Value, p.ValueAt, where, "%s%s", f.Problem, fieldGuess(name))
	}
	return true
}

// fieldGuess ends a sentence about a name of a field with the field that was meant, if that can be guessed.
func fieldGuess(name string) string {
	if name == "" || shape.Known(name) {
		return ""
	}
	if inner, in := strings.CutPrefix(name, shape.Session+"."); in {
		var fields []string
		for _, known := range shape.Names() {
			if field, ok := strings.CutPrefix(known, shape.Session+"."); ok {
				fields = append(fields, field)
			}
		}
		if guess := suggest(inner, fields); guess != "" {
			return didYouMean(shape.Session + "." + guess)
		}
		return ""
	}
	return didYouMean(suggest(name, shape.Names()))
}
