package shape

import (
	"slices"
	"strings"
)

// Selects reports whether only_fields and except_fields let a field be written, whole or in part. A field of static is
// always written.
func (o *Options) Selects(name string) bool {
	outer, _, within := strings.Cut(name, ".")
	if slices.Contains(o.ExceptFields, name) || slices.Contains(o.ExceptFields, outer) {
		return false
	}
	if len(o.OnlyFields) == 0 || slices.Contains(o.OnlyFields, name) || slices.Contains(o.OnlyFields, outer) {
		return true
	}
	return !within && slices.ContainsFunc(o.OnlyFields, func(only string) bool { return strings.HasPrefix(only, name+".") })
}

// Piece is a part of a template: a text, or the name of a field.
type Piece struct{ Text, Field string }

// Pieces parts a template. It reports false if a brace is not closed, or if there is no name in it.
func Pieces(template string) ([]Piece, bool) {
	var all []Piece
	for template != "" {
		text, rest, found := strings.Cut(template, "{{")
		if text != "" {
			all = append(all, Piece{Text: text})
		}
		if !found {
			break
		}
		name, behind, closed := strings.Cut(rest, "}}")
		name = strings.TrimSpace(name)
		if !closed || name == "" || strings.ContainsAny(name, "{}") {
			return nil, false
		}
		all = append(all, Piece{Field: name})
		template = behind
	}
	return all, true
}
