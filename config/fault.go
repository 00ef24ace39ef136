package config

import (
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

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

// Error is everything that is wrong with a configuration: the faults of the files in the order in which they were read,
// those of a file in the order of their places, then those of the environment. Warnings are among them.
type Error struct {
	Faults []Fault
	// Files are the files and directories that were read or looked for, as in [Config].
	Files []string
}

// Error returns one line per fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// errorOf returns what was reported as an error, or nil if nothing is wrong.
func errorOf(r *yamltree.Report) error {
	if faults := r.Faults(); faults != nil {
		return &Error{Faults: published(faults), Files: r.Looked()}
	}
	return nil
}

// published returns faults as this package hands them out.
func published(faults []yamltree.Fault) []Fault {
	var published []Fault
	for _, f := range faults {
		published = append(published, Fault(f))
	}
	return published
}
