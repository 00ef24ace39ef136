package metrics

import (
	"errors"
	"slices"
	"strings"
)

// LabelSelection has, by the name of a label, the values of which the label of a probe has one. An empty one restricts
// nothing.
type LabelSelection map[string][]string

// ParseLabelSelection reads texts NAME=VALUE, as the parameter label of a query has them. Values of one name add up.
// The error is a line for the client.
func ParseLabelSelection(texts []string) (LabelSelection, error) {
	s := make(LabelSelection)
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, errors.New("label is KEY=VALUE, as in label=team=core")
		}
		s[name] = append(s[name], value)
	}
	return s, nil
}

// Admits reports whether a probe has one of the values of every label.
func (s LabelSelection) Admits(id *Identity) bool {
	for name, values := range s {
		if value, there := id.Label(name); !there || !slices.Contains(values, value) {
			return false
		}
	}
	return true
}
