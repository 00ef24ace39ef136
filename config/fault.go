package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// environment is the File of a Fault in a variable.
const environment = "environment"

// Fault is one thing that is wrong, and its place.
type Fault struct {
	// File is the file as the user named it, or "environment".
	File string
	// Line and Column count from 1, columns in characters. They are 0 if the file could not be read,
	// and for a variable.
	Line, Column int
	// Path names the field, "probes[3].timeout_ms", or the variable. It is empty if the
	// fault is about the file as a whole, as an error of syntax is.
	Path string
	// Problem is a phrase that follows the path.
	Problem string
	// Warning says that a configuration is valid with it, but can hardly be meant so.
	Warning bool
}

// String returns the fault as one line, "wsprobe.yaml:12:17: probes[3].timeout_ms: must be ...". That of a warning has
// "warning: " before the problem.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	if f.Path != "" {
		b.WriteString(": " + f.Path)
	}
	if f.Warning {
		b.WriteString(": warning")
	}
	b.WriteString(": " + f.Problem)
	return b.String()
}

// Error is everything that is wrong with a configuration: the faults of the file in the order
// of their places, then those of the environment. Warnings are among them.
type Error struct {
	Faults []Fault
}

// Error returns one line per fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// report collects faults.
type report struct {
	file     string
	faults   []Fault
	warnings []Fault
	seen     map[Fault]bool
	// blind says that secrets are not there: no reference is resolved, and no file of TLS is read.
	blind bool
	// pieces are the parts of values that were substituted, and so are secret.
	pieces map[*yaml.Node][]piece
	// sources are the texts of values with references, before these were resolved.
	sources map[*yaml.Node]string
}

func newReport(file string) *report {
	return &report{file: file, pieces: make(map[*yaml.Node][]piece), sources: make(map[*yaml.Node]string)}
}

// at adds a fault of a node, at its place.
func (r *report) at(n *yaml.Node, where path, format string, args ...any) {
	r.used(n, n, where, format, args...)
}

// used adds a fault of a node at the place where it is used, which differs if an alias leads to it. An
// anchored node is read once per alias, each time under another path; it is one mistake, reported where it was
// read first.
func (r *report) used(n, use *yaml.Node, where path, format string, args ...any) {
	if f, fresh := r.locate(Fault{Problem: fmt.Sprintf(format, args...)}, n, use, where); fresh {
		r.faults = append(r.faults, f)
	}
}

// warn adds a warning of a node at the place where it is used.
func (r *report) warn(n, use *yaml.Node, where path, format string, args ...any) {
	if f, fresh := r.locate(Fault{Problem: fmt.Sprintf(format, args...), Warning: true}, n, use, where); fresh {
		r.warnings = append(r.warnings, f)
	}
}

// locate completes a fault with its place, and reports whether it is one that was not told before.
func (r *report) locate(f Fault, n, use *yaml.Node, where path) (Fault, bool) {
	if n.Tag == brokenTag {
		return f, false // and told already
	}
	f.File, f.Line, f.Column, f.Path = r.file, max(n.Line, 1), max(n.Column, 1), where.leaf()
	f.Problem = r.censor(n, f.Problem)
	if r.seen[f] {
		return f, false
	}
	if r.seen == nil {
		r.seen = make(map[Fault]bool)
	}
	r.seen[f] = true
	f.Line, f.Column, f.Path = max(use.Line, 1), max(use.Column, 1), where.String()
	return f, true
}

// whole adds a fault of the file as a whole, or of its syntax. The line is 0 if there is no place.
func (r *report) whole(line, column int, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Column: column, Problem: fmt.Sprintf(format, args...)})
}

// variable adds a fault of a variable of the environment.
func (r *report) variable(name, format string, args ...any) {
	f := Fault{File: environment, Path: name, Problem: fmt.Sprintf(format, args...)}
	if !slices.Contains(r.faults, f) {
		r.faults = append(r.faults, f)
	}
}

// err returns the faults, and the warnings with them, in the order of their places, or nil if there are no faults.
func (r *report) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	told := func(w Fault) bool { // what is wrong needs no doubt
		return slices.ContainsFunc(r.faults, func(f Fault) bool { return f.Path == w.Path && f.Line == w.Line && f.Column == w.Column })
	}
	return &Error{Faults: inOrder(append(r.faults, slices.DeleteFunc(r.warnings, told)...))}
}

// inOrder sorts faults by their places.
func inOrder(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		inFile := func(f Fault) int {
			if f.File == environment {
				return 1
			}
			return 0
		}
		return cmp.Or(inFile(a)-inFile(b), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Path, b.Path))
	})
	return faults
}

// path names a place in the file as a person would. It is kept in parts, because a string for every node
// that is read would cost more than reading it.
type path struct {
	section string // "agent", "otlp.tls", "probes", or empty for the top
	index   int    // of a probe, counted from 1; 0 if the section is no list
	inner   string // a mapping of the section with fields of its own, "tls"
	key     string // the field
	element string // of the field: the name of a header or label, or "[2]"
}

func (p path) field(key string) path { p.key = key; return p }

// within names a mapping of the section that has fields of its own.
func (p path) within(inner string) path { p.inner = inner; return p }

func (p path) name(name string) path {
	p.element = "." + name
	if strings.ContainsFunc(name, needsQuotes) || name == "" {
		p.element = "[" + quote(name) + "]"
	}
	return p
}

// deeper names an entry of the mapping at p, a field of a section or an element of a field.
func (p path) deeper(key string) path {
	if p.key == "" {
		return p.field(plainKey(key))
	}
	return p.name(key)
}

func (p path) item(i int) path { p.element = fmt.Sprintf("[%d]", i); return p }

// step is the path of a mapping in the list at p.
func (p path) step(i int) path { return path{section: p.String(), index: i + 1} }

// place is the path within a probe or the defaults block, the same in all of them.
func (p path) place() string {
	if _, step, ok := strings.Cut(p.section, "."); ok && p.index > 0 {
		return fmt.Sprintf("%s[%d].%s", step, p.index-1, p.leaf())
	}
	return p.leaf()
}

// leaf is the path without the section, the same for all aliases of a node.
func (p path) leaf() string {
	if p.inner != "" {
		return p.inner + "." + p.key + p.element
	}
	return p.key + p.element
}

func (p path) String() string {
	s := p.section
	if p.index > 0 {
		s = fmt.Sprintf("%s[%d]", p.section, p.index-1)
	}
	for _, part := range []string{p.inner, p.key} {
		if part != "" && s != "" {
			s += "."
		}
		s += part
	}
	return s + p.element
}

func needsQuotes(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// plainKey returns a key that is legible within a path, however it was written.
func plainKey(key string) string {
	if strings.ContainsFunc(key, needsQuotes) || key == "" {
		return quote(key)
	}
	return shorten(key)
}

// maxShown is how much of a user's text is repeated in a message.
const maxShown = 60

func shorten(s string) string { return shortenTo(s, maxShown) }

func shortenTo(s string, length int) string {
	if len(s) <= length {
		return s
	}
	return strings.ToValidUTF8(s[:length], "") + "..."
}

// quote makes any text fit for one line of a message.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }
