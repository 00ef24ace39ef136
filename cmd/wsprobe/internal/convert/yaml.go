package convert

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads the one document of a YAML file.
func parseYAML(s Source) (*node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(s.Data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return &node{kind: mappingKind, line: 1}, nil
		}
		return nil, yamlFault(s, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Fault{File: s.Name, Problem: "has more than one document"}
	}
	// A decoder finds names that appear twice, aliases without an end and those that grow without a bound.
	if err := document.Decode(new(any)); err != nil {
		return nil, yamlFault(s, err)
	}
	root := document.Content[0]
	made, ok := fromYAML(root, 0)
	switch {
	case !ok:
		return nil, &Fault{File: s.Name, Problem: "nests values too deeply"}
	case made.kind == nullKind:
		return &node{kind: mappingKind, line: 1}, nil
	case made.kind != mappingKind:
		return nil, &Fault{File: s.Name, Line: root.Line, Column: root.Column, Problem: "must be a mapping"}
	}
	return made, nil
}

// yamlPlace is how the library begins an error.
var yamlPlace = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s+)?line (\d+): ((?s:.*))`)

// yamlFault places an error. Only its first line is told, because all of them are about the same file.
func yamlFault(s Source, err error) error {
	fault := &Fault{File: s.Name, Problem: strings.TrimPrefix(err.Error(), "yaml: ")}
	if parts := yamlPlace.FindStringSubmatch(err.Error()); parts != nil {
		fault.Line, _ = strconv.Atoi(parts[1])
		fault.Problem = parts[2]
	}
	fault.Problem, _, _ = strings.Cut(fault.Problem, "\n")
	if strings.HasPrefix(fault.Problem, "cannot unmarshal") {
		fault.Problem = "has a value that is not of its type" // the library repeats the value
	}
	fault.Problem += bareReference(s.Data, fault.Line)
	return fault
}

// fromYAML makes a node. It reports false if values lie too deep in each other.
func fromYAML(n *yaml.Node, depth int) (*node, bool) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if depth > maxDepth {
		return nil, false
	}
	made := &node{line: n.Line, text: n.Value}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			made.kind = nullKind
		}
	case yaml.SequenceNode:
		made.kind = listKind
		for _, item := range n.Content {
			child, ok := fromYAML(item, depth+1)
			if !ok {
				return nil, false
			}
			made.items = append(made.items, child)
		}
	case yaml.MappingNode:
		made.kind = mappingKind
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			child, ok := fromYAML(n.Content[i+1], depth+1)
			if !ok {
				return nil, false
			}
			if key.Tag == "!!merge" {
				made.merge(child)
				continue
			}
			made.fields = replaced(made.fields, field{key.Value, key.Line, child})
		}
	}
	return made, true
}

// replaced adds a field, or puts it in the place of one that was merged in under its name.
func replaced(fields []field, f field) []field {
	for i := range fields {
		if fields[i].name == f.name {
			fields[i] = f
			return fields
		}
	}
	return append(fields, f)
}

// merge adds the fields that a merge key brings, unless they are there.
func (n *node) merge(from *node) {
	for _, item := range from.items {
		n.merge(item)
	}
	for _, f := range from.fields {
		if n.at(f.name) == nil {
			n.fields = append(n.fields, f)
		}
	}
}
