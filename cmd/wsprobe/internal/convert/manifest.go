package convert

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// unwrap returns the files that a manifest of Kubernetes or the values of a chart hold. Any other file is itself.
func unwrap(s Source) []Source {
	check := s
	if check.ready("yaml") != nil {
		return []Source{s}
	}
	root, err := parseYAML(check)
	if err != nil {
		return []Source{s} // whoever reads the file tells of the fault
	}
	var parts []Source
	if root.scalar("kind") == "ConfigMap" {
		if data := root.at("data"); data != nil {
			for _, f := range data.fields {
				parts = append(parts, s.part(f.name, formats[strings.ToLower(path.Ext(f.name))], f.node))
			}
		}
	} else if config := root.at("config"); root.find("config.outputs") != nil {
		for _, name := range []string{"service", "outputs"} { // of the chart of Fluent Bit
			if n := config.at(name); n != nil {
				parts = append(parts, s.part(name, "conf", n))
			}
		}
	}
	parts = slices.DeleteFunc(parts, func(p Source) bool { return p.Format == "" })
	if len(parts) == 0 {
		return []Source{s}
	}
	return parts
}

// part is a text within a file. Empty lines before it put each of its lines where it stands in the file.
func (s Source) part(name, format string, n *node) Source {
	return Source{Name: s.Name, Format: format, Data: []byte(strings.Repeat("\n", n.line) + n.text), inner: name}
}

// among opens the files of a manifest by their names, and others as open does.
func among(parts []Source, open Opener) Opener {
	return func(from, pattern string) ([]Source, error) {
		var found []Source
		for _, p := range parts {
			if match, err := path.Match(path.Base(pattern), p.inner); err == nil && match {
				found = append(found, p)
			}
		}
		switch {
		case found != nil:
			return found, nil
		case open == nil:
			return nil, errors.New(pattern + " is not in the manifest")
		}
		return open(from, pattern)
	}
}

// mains are the files of a manifest to begin with: the one with the usual name if there is one, else all.
func mains(parts []Source) []Source {
	for _, p := range parts {
		if strings.TrimSuffix(p.inner, path.Ext(p.inner)) == "fluent-bit" {
			return []Source{p}
		}
	}
	return parts
}
