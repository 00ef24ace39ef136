package yamltree

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// environment is the File of a fault in a variable.
const environment = "environment"

// Fault is one thing that is wrong, and its place.
type Fault struct {
	File         string // as the user named it, or "environment"
	Line, Column int    // from 1, in characters; 0 without a place
	Path         string // of the field, or the name of the variable
	Problem      string // a phrase that follows the path
	Warning      bool   // valid, and hardly meant so
}

// Report collects the faults of files and of the environment.
type Report struct {
	// Blind says that secrets are not there: no reference is resolved, and no file is read.
	Blind    bool
	places   places
	looked   []string
	known    map[string]bool // of those that were looked for
	contents contents
	overfull bool // a reference was not resolved because the others stand for too much
	faults   []Fault
	warnings []Fault
	doubts   int
	seen     map[Fault]bool
	// pieces are the parts of values that were substituted, and so are secret.
	pieces map[*yaml.Node][]Piece
	// sources are the texts of values with references, before these were resolved.
	sources map[*yaml.Node]string
	// filled are the values with a placeholder that was filled in.
	filled map[*yaml.Node]bool
	// blended are placeholders that came with what was filled in.
	blended []Blended
	// standIn says that stand-ins are in the place of what will be filled in.
	standIn bool
	// under is the report about the nodes that were not filled, or nil.
	under *Report
}

// NewReport returns an empty report about a file, to which others may be added, see [Report.Begin].
func NewReport(file string) *Report {
	r := &Report{
		known:    make(map[string]bool),
		contents: contents{files: make(map[string]content)},
		pieces:   make(map[*yaml.Node][]Piece),
		sources:  make(map[*yaml.Node]string),
		filled:   make(map[*yaml.Node]bool),
	}
	if file != "" {
		r.Begin(file)
	}
	return r
}

// Renewed returns an empty report about the same files.
func (r *Report) Renewed() *Report {
	renewed := NewReport("")
	renewed.places = r.places
	renewed.places.parts = slices.Clip(r.places.parts) // so that either may add to its own
	return renewed
}

// Look notes the name of a file or a directory that is read or looked for.
func (r *Report) Look(name string) {
	if !r.known[name] {
		r.known[name] = true
		r.looked = append(r.looked, name)
	}
}

// Looked returns the names that were noted, each once, in the order of the first look.
func (r *Report) Looked() []string { return r.looked }

// Part returns an empty report that knows what was substituted below these nodes, and nothing else of the file. So the
// rest of a large file need not be kept for them.
func (r *Report) Part(nodes ...*yaml.Node) *Report {
	part := r.Renewed()
	part.Blind = r.Blind
	met := make(map[*yaml.Node]bool)
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n == nil || met[n] {
			return
		}
		met[n] = true
		if pieces := r.PiecesOf(n); pieces != nil {
			part.pieces[n] = pieces
		}
		if source, ok := r.Source(n); ok {
			part.sources[n] = source
		}
		walk(n.Alias)
		for _, inner := range n.Content {
			walk(inner)
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return part
}

// With returns an empty report that knows what was substituted in the nodes of both, which are of the same files.
func (r *Report) With(other *Report) *Report {
	both := r.Renewed()
	both.Blind = r.Blind || other.Blind
	for _, from := range []*Report{r, other} {
		maps.Copy(both.pieces, from.pieces)
		maps.Copy(both.sources, from.sources)
	}
	return both
}

// Adopt adds the faults, the warnings and the names of files of another report that this one does not have. rename
// returns the path that a fault has here, and whether its warnings count; nil keeps all.
func (r *Report) Adopt(other *Report, rename func(path string) (string, bool)) {
	take := func(into *[]Fault, f Fault) {
		if rename != nil {
			var counts bool
			if f.Path, counts = rename(f.Path); f.Warning && !counts {
				return
			}
		}
		if !slices.Contains(*into, f) {
			*into = append(*into, f)
		}
	}
	for _, f := range other.faults {
		take(&r.faults, f)
	}
	for _, w := range other.warnings {
		take(&r.warnings, w)
	}
	for _, name := range other.looked {
		r.Look(name)
	}
}

// At adds a fault of a node, at its place.
func (r *Report) At(n *yaml.Node, where Path, format string, args ...any) {
	r.Used(n, n, where, format, args...)
}

// Used adds a fault of a node n at the place where it is used, which is another node if an alias leads to it. An
// anchored node is read once per alias, each time under another path. It is one mistake, reported where it was read
// first.
func (r *Report) Used(n, use *yaml.Node, where Path, format string, args ...any) {
	if f, fresh := r.Locate(Fault{Problem: fmt.Sprintf(format, args...)}, n, use, where); fresh {
		r.faults = append(r.faults, f)
	}
}

// Warn adds a warning of a node at the place where it is used.
func (r *Report) Warn(n, use *yaml.Node, where Path, format string, args ...any) {
	r.doubts++
	if f, fresh := r.Locate(Fault{Problem: fmt.Sprintf(format, args...), Warning: true}, n, use, where); fresh {
		r.warnings = append(r.warnings, f)
	}
}

// Locate completes a fault with its place, and reports whether it is one that was not reported before.
func (r *Report) Locate(f Fault, n, use *yaml.Node, where Path) (Fault, bool) {
	if n.Tag == brokenTag {
		return f, false // and reported already
	}
	f.File, f.Line = r.places.of(n)
	f.Column, f.Path = max(n.Column, 1), where.leaf()
	f.Problem = r.censor(n, f.Problem)
	if r.seen[f] {
		return f, false
	}
	if r.seen == nil {
		r.seen = make(map[Fault]bool)
	}
	r.seen[f] = true
	f.File, f.Line = r.places.of(use)
	f.Column, f.Path = max(use.Column, 1), where.String()
	return f, true
}

// Whole adds a fault of the file that began last, as a whole or of its syntax. The line is 0 if there is no place.
func (r *Report) Whole(line, column int, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.places.last(), Line: line, Column: column, Problem: fmt.Sprintf(format, args...)})
}

// Variable adds a fault of a variable of the environment, once.
func (r *Report) Variable(name, format string, args ...any) {
	f := Fault{File: environment, Path: name, Problem: fmt.Sprintf(format, args...)}
	if !slices.Contains(r.faults, f) {
		r.faults = append(r.faults, f)
	}
}

// WarnVariable adds a warning of a variable of the environment.
func (r *Report) WarnVariable(name, format string, args ...any) {
	r.doubts++
	r.warnings = append(r.warnings, Fault{File: environment, Path: name, Problem: fmt.Sprintf(format, args...), Warning: true})
}

// Doubts returns how often there was something to warn of, those warnings included that were given before.
func (r *Report) Doubts() int { return r.doubts }

// Count returns how many faults there are.
func (r *Report) Count() int { return len(r.faults) }

// Faults returns the faults, and the warnings with them, in the order of their places, or nil if there are no faults.
func (r *Report) Faults() []Fault {
	if len(r.faults) == 0 {
		return nil
	}
	wrong := func(w Fault) bool { // no doubt about it is of use
		return slices.ContainsFunc(r.faults, func(f Fault) bool {
			return f.Path == w.Path && f.File == w.File && f.Line == w.Line && f.Column == w.Column
		})
	}
	return r.inOrder(append(r.faults, slices.DeleteFunc(r.warnings, wrong)...))
}

// Warnings returns the warnings in the order of their places.
func (r *Report) Warnings() []Fault { return r.inOrder(r.warnings) }

// inOrder sorts faults by their places: by file in the order read, and those of the environment last.
func (r *Report) inOrder(faults []Fault) []Fault {
	ranks := r.places.ranks()
	ranks[environment] = len(r.places.parts)
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(ranks[a.File], ranks[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Path, b.Path))
	})
	return faults
}
