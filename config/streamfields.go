package config

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// eventFields are the fields of an event, in its order.
func eventFields() []string {
	names := []string{"id", "replay", "event", "timestamp", "changed", "location", "agent", "labels"}
	for _, f := range metrics.Fields() {
		if f.Key != "" {
			names = append(names, f.Key)
		}
	}
	return append(names, "session")
}

// sessionFields are the fields within the field session of an event.
func sessionFields() []string {
	var names []string
	for _, f := range metrics.SessionFields() {
		names = append(names, f.Key)
	}
	return names
}

// checkFields checks the names of fields.
func (r *streamReader) checkFields(e *Encoding) {
	known := eventFields()
	named := func(n *nested[Encoding], key string, more []string) {
		i := n.section.index[key]
		if p := n.set.pairs[i]; p.Present() && !n.set.faulty[i] {
			checkList(r.reader, &n.section.fields[i].Field, p, n.setIn.Field(key), func(n *yaml.Node, at yamltree.Path) {
				if problem := fieldProblem(n.Value, append(more, known...)); problem != "" {
					r.Used(n, n, at, "%s", problem)
				}
			})
		}
	}
	static := slices.Sorted(maps.Keys(e.Static))
	named(&r.encoding, "only_fields", nil)
	named(&r.encoding, "except_fields", nil)
	named(&r.csv, "fields", static)
	r.checkTemplate(e.Template, append(static, known...))
	if !r.misnamed {
		r.checkNames(e, known)
	}
}

// fieldProblem checks the name of a field of an event, or of one within a field: labels.team.
func fieldProblem(name string, known []string) string {
	first, inner, deep := strings.Cut(name, ".")
	switch {
	case slices.Contains(known, name):
		return ""
	case deep && (first == "labels" || first == "phases_ms") && inner != "":
		return ""
	case deep && first == "session":
		if fields := sessionFields(); !slices.Contains(fields, inner) {
			return "must be a field of session, got " + excerpt.Quote(name) + didYouMean(suggest(inner, fields))
		}
		return ""
	default:
		return "must be a field of an event, got " + excerpt.Quote(name) + didYouMean(suggest(name, known))
	}
}

var inBraces = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// checkTemplate checks what stands in double braces.
func (r *streamReader) checkTemplate(template string, known []string) {
	i := encodingSection.index["template"]
	p := r.encoding.set.pairs[i]
	if !p.Present() || r.encoding.set.faulty[i] || r.Blind && r.Substituted(p.Value) {
		return
	}
	at := r.encoding.setIn.Field("template")
	for _, match := range inBraces.FindAllStringSubmatch(template, -1) {
		if problem := fieldProblem(strings.TrimSpace(match[1]), known); problem != "" {
			r.Used(p.Value, p.ValueAt, at, "%s", problem)
		}
	}
}

// checkNames checks that every field of an event keeps a name of its own.
func (r *streamReader) checkNames(e *Encoding, known []string) {
	taken := make(map[string]string) // by name: the field that has it
	for _, name := range known {
		taken[name] = name
	}
	give := func(key, name, to string) {
		i := encodingSection.index[key]
		p, at := r.encoding.set.pairs[i], r.encoding.setIn.Field(key)
		if name != "" {
			p, at, _ = r.Entry(p, name, at.Name(name))
		}
		if other := taken[to]; other != "" {
			r.Used(p.Value, p.ValueAt, at, "must leave each field a name of its own: %s has %s already", other, excerpt.Quote(to))
			return
		}
		taken[to] = cmp.Or(name, "timestamp")
	}
	renames := slices.Sorted(maps.Keys(e.Rename))
	for _, name := range renames {
		if !slices.Contains(known, name) {
			p, at, _ := r.Entry(r.encoding.set.pairs[encodingSection.index["rename"]], name, r.encoding.setIn.Field("rename").Name(name))
			r.Used(p.Key, p.KeyAt, at, "is no field of an event%s", didYouMean(suggest(name, known)))
			continue
		}
		delete(taken, name)
	}
	if e.DateKey != "timestamp" {
		delete(taken, "timestamp")
		give("date_key", "", e.DateKey)
	}
	for _, name := range renames {
		if to := e.Rename[name]; slices.Contains(known, name) {
			give("rename", name, to)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Static)) {
		give("static", name, name)
	}
}
