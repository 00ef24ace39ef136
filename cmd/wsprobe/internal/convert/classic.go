package convert

import (
	"fmt"
	"slices"
	"strings"
)

// Opener returns the files that another one includes. The pattern may have a * and may be relative to that file.
type Opener func(from, pattern string) ([]Source, error)

// maxFiles is how many files may include each other.
const maxFiles = 100

// fluentBitFile is what some files of Fluent Bit hold, includes and all.
type fluentBitFile struct {
	open     Opener
	seen     []Source
	sections []section
	set      map[string]string // the variables that the files set
}

// section is a part of a file with options, whose names are in lower case.
type section struct {
	file   string
	line   int
	name   string // in lower case: output, service, input, ...
	fields []field
}

// first returns the first value of an option.
func (s section) first(name string) string {
	for _, f := range s.fields {
		if f.name == name {
			return f.node.text
		}
	}
	return ""
}

// add begins a section.
func (f *fluentBitFile) add(file string, line int, name string) {
	f.sections = append(f.sections, section{file: file, line: line, name: strings.ToLower(name)})
}

// once takes note of a file, or refuses one that is there or too many.
func (f *fluentBitFile) once(s Source) error {
	switch {
	case slices.ContainsFunc(f.seen, func(other Source) bool { return other.Name == s.Name && other.inner == s.inner }):
		return &Fault{File: s.Name, Problem: "is included twice"}
	case len(f.seen) == maxFiles:
		return &Fault{File: s.Name, Problem: fmt.Sprintf("is one of more than %d files", maxFiles)}
	}
	f.seen = append(f.seen, Source{Name: s.Name, inner: s.inner})
	return nil
}

// names are those of the files, in their order.
func (f *fluentBitFile) names() []string {
	var all []string
	for _, s := range f.seen {
		all = append(all, s.Name)
	}
	return all
}

// include reads the files that another one includes.
func (f *fluentBitFile) include(from Source, line int, pattern string) error {
	if f.open == nil {
		return &Fault{File: from.Name, Line: line, Problem: "includes files, which cannot be read from here"}
	}
	files, err := f.open(from.Name, pattern)
	if err != nil {
		return &Fault{File: from.Name, Line: line, Problem: "includes a file: " + err.Error()}
	}
	for _, s := range files {
		if s.inner == "" {
			s.Format = from.Format // whatever the extension
		}
		if err := f.read(s); err != nil {
			return err
		}
	}
	return nil
}

// classic reads a file in the classic format: sections in brackets, below them names with values, indented alike.
func (f *fluentBitFile) classic(s Source) error {
	c := classicReader{f: f, source: s}
	for text := range strings.Lines(string(s.Data)) {
		c.line++
		if err := c.take(strings.TrimRight(text, "\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// classicReader goes through the lines of a file.
type classicReader struct {
	f      *fluentBitFile
	source Source
	line   int
	indent string // of the names of a section; "" until there is one
	inside bool   // whether a section has begun
	group  bool   // whether the names belong to a group of the section
}

func (c *classicReader) fault(problem string) error {
	return &Fault{File: c.source.Name, Line: c.line, Problem: problem}
}

// take reads a line.
func (c *classicReader) take(text string) error {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "" || trimmed[0] == '#':
		return nil
	case text[0] == '@':
		return c.command(trimmed)
	case text[0] == '[':
		name, _, closed := strings.Cut(text[1:], "]")
		if !closed {
			return c.fault("a section has no ] behind its name")
		}
		c.f.add(c.source.Name, c.line, name)
		c.inside, c.group = true, false
		return nil
	}
	return c.option(text, trimmed)
}

// command reads a line that begins with @.
func (c *classicReader) command(text string) error {
	name, value, _ := strings.Cut(text, " ")
	value = strings.TrimSpace(value)
	switch strings.ToUpper(name) {
	case "@INCLUDE":
		err := c.f.include(c.source, c.line, value)
		c.inside = false // what follows would belong to a section of the other file
		return err
	case "@SET":
		key, value, found := strings.Cut(value, "=")
		if !found {
			return c.fault("@SET needs NAME=VALUE")
		}
		c.f.set[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return nil
}

// option reads a name with its value.
func (c *classicReader) option(text, trimmed string) error {
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	if c.indent == "" {
		c.indent = indent
	}
	switch {
	case !c.inside:
		return c.fault("an option stands in no section")
	case indent == "":
		return c.fault("an option must be indented")
	case indent == c.indent:
		c.group = false
	case indent != c.indent+c.indent || !c.group:
		return c.fault("is not indented as the options before it")
	}
	if trimmed[0] == '[' {
		c.group = true
		return nil
	}
	at := strings.IndexAny(trimmed, " \t")
	if at < 0 {
		return c.fault("an option has no value")
	}
	if c.group {
		return nil // of a processor, which is no option of the output
	}
	n := &node{line: c.line, text: strings.TrimSpace(trimmed[at:])}
	last := &c.f.sections[len(c.f.sections)-1]
	last.fields = append(last.fields, field{strings.ToLower(trimmed[:at]), c.line, n})
	return nil
}
