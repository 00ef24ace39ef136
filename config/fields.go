package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what a field holds.
type Kind int

// The kinds of fields.
const (
	Text         Kind = iota // quoted, or a plain word that YAML does not take for something else
	Choice                   // one word of Field.Allowed
	Integer                  // in decimal digits
	Milliseconds             // an integer
	Duration                 // as Go writes it: 30s, 1m30s
	Condition                // of a number: <, > or == and a bound
	Size                     // of bytes, with a unit: 64KiB, 256MiB
	Ratio                    // a number from 0 to 1
	Moment                   // 22:00, or 2026-12-01T22:00:00Z
	Bool                     // true or false
	List                     // of texts
	Map                      // of names to texts
	Values                   // of paths to texts, numbers, true, false or null
	Section                  // a mapping with fields of its own
	Sections                 // a list of such mappings
	Named                    // a mapping of names to such mappings
)

var kindNames = [...]string{
	"text", "choice", "integer", "integer (ms)", "duration", "condition", "size", "number", "time", "true or false", "list of texts", "names to texts", "paths to values",
	"mapping", "list of mappings", "names to mappings",
}

// String names the kind for documentation.
func (k Kind) String() string { return kindNames[k] }

// Field is one thing that can be written in a configuration.
type Field struct {
	// Path is its place in a file, "otlp.tls.ca_file" or "probes[].timeout_ms". A field of
	// a probe may also stand in the defaults block, unless Required is set.
	Path string
	Kind Kind
	// Required says that there is no configuration without it.
	Required bool
	// Default is its value when it is absent, as one would write it; empty for none.
	Default string
	// Allowed are the words of a Choice.
	Allowed []string
	// Min and Max bound an integer, a duration (in nanoseconds) or a size (in bytes), the characters of a text, the
	// entries of a list or map. A Max of 0 is no bound.
	Min, Max int64
	// Pattern is a regular expression that every right text matches, and some wrong ones may; for the schema.
	Pattern string
	// File says that it names a file that is read, see [Config.Files].
	File bool
	// Doc says in a phrase what it is.
	Doc string
	// Env is the variable that overrides the file, or empty.
	Env string
	// OTel are the standard variables that speak where the file is silent, the first one that is set wins.
	OTel []string
}

// scalar reports whether the field holds one value, which a variable could hold too.
func (f Field) scalar() bool { return f.Kind <= Bool }

// Key is the last part of the path, the key as it stands in the file.
func (f Field) Key() string { return f.Path[strings.LastIndexByte(f.Path, '.')+1:] }

// Range describes Allowed, or Min and Max, in the user's words; it is empty if there is no limit.
func (f Field) Range() string {
	switch {
	case f.Kind == Choice:
		return strings.Join(f.Allowed, ", ")
	case f.Max == 0:
		return ""
	case f.Kind == Duration:
		return shortDuration(time.Duration(f.Min)) + " to " + shortDuration(time.Duration(f.Max))
	case f.Kind == Size:
		return shortSize(f.Min) + " to " + shortSize(f.Max)
	case f.Kind == Integer, f.Kind == Milliseconds, f.Kind == Ratio:
		return fmt.Sprintf("%d to %d", f.Min, f.Max)
	case f.Kind == Text && f.Min > 0:
		return fmt.Sprintf("%d to %d characters", f.Min, f.Max)
	case f.Kind == Text:
		return fmt.Sprintf("at most %d characters", f.Max)
	default:
		return fmt.Sprintf("at most %d", f.Max)
	}
}

// Fields returns every field in the order in which the documentation shows them.
func Fields() []Field {
	fields := slices.Concat(rootSection.docs(), agentSection.docs(), shardSection.docs(), scrapeSection.docs(), probeEndpointSection.docs(), otlpSection.docs(), tlsSection.docs(),
		spoolSection.docs())
	fields = append(fields, unfold(probeSection.docs(), map[string][]Field{
		"probes[].tls": probeTLSSection.docs(), "probes[].auth": authSection.docs(), "probes[].prepare": prepareSection.docs(), "probes[].prepare.capture": captureSection.docs(), "probes[].exchange": stepSection.docs(),
		"probes[].thresholds": thresholdsSection.docs(), "probes[].maintenance": windowSection.docs(), "probes[].dwell": dwellSection.docs(), "probes[].session": sessionSection.docs(),
		"probes[].session.heartbeat": heartbeatSection.docs(), "probes[].session.answers": answerSection.docs(),
		"probes[].session.heartbeat.steps": beatStepDocs(),
		"probes[].session.reconnect":       reconnectSection.docs(), "probes[].connections": connectionSection.docs(),
		"probes[].connections.NAME.auth": moved(authSection.docs(), "probes[].auth.", "probes[].connections.NAME.auth."),
	})...)
	return slices.Concat(fields, discoverFields(), streamFields())
}

// beatStepDocs are the fields of a step of a heartbeat, whose own timeout bounds all its steps.
func beatStepDocs() []Field {
	steps := moved(stepSection.docs(), "probes[].exchange[].", "probes[].session.heartbeat.steps[].")
	return slices.DeleteFunc(steps, func(f Field) bool { return f.Key() == "timeout_ms" })
}

// moved puts fields below another mapping.
func moved(fields []Field, from, to string) []Field {
	for i := range fields {
		fields[i].Path = to + strings.TrimPrefix(fields[i].Path, from)
	}
	return fields
}

// unfold puts behind each field the fields of the mapping that it holds.
func unfold(fields []Field, inner map[string][]Field) []Field {
	var all []Field
	for _, f := range fields {
		all = append(append(all, f), unfold(inner[f.Path], inner)...)
	}
	return all
}

// field ties a Field to the place where its value goes.
type field[T any] struct {
	Field
	value value[T]
	// secret says whether a value that was substituted is a secret. A field that holds text needs a decision.
	secret secrecy
	// spec is the name of the field of probe.Spec that it becomes, or empty.
	spec string
	// entry says what is wrong with the name and with the value of an entry of a map.
	entry func(name, value string) (nameProblem, valueProblem string)
	// fold says that the names of a map are the same in upper and lower case.
	fold bool
}

// section is a mapping and its fields.
type section[T any] struct {
	name    string // as in a path; "" for the top
	fields  []field[T]
	index   map[string]int    // of fields by key
	refused map[string]string // keys that people may well write, and why they can't
}

// newSection completes the fields of a section. Settings can be overridden by variables.
func newSection[T any](name, prefix string, settings bool, fields []field[T]) *section[T] {
	s := &section[T]{name: name, fields: fields, index: make(map[string]int, len(fields))}
	for i := range fields {
		f := &fields[i].Field
		s.index[f.Path] = i
		f.Path = prefix + f.Path
		if settings && f.scalar() {
			f.Env = "WSPROBE_" + strings.ToUpper(strings.ReplaceAll(f.Path, ".", "_"))
		}
	}
	return s
}

// docs returns the fields without their inner life.
func (s *section[T]) docs() []Field {
	docs := make([]Field, len(s.fields))
	for i := range s.fields {
		docs[i] = s.fields[i].Field
	}
	return docs
}

// keys returns the keys that the section may have.
func (s *section[T]) keys() []string {
	var keys []string
	for i := range s.fields {
		if key := s.fields[i].Key(); s.refused[key] == "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// setDefaults stores the default of every field that has one.
func (s *section[T]) setDefaults(into *T) {
	for i := range s.fields {
		f := &s.fields[i]
		if f.Default == "" || !f.value.kept() {
			continue
		}
		if problem := f.value.store(into, &f.Field, f.Default); problem != "" {
			panic(f.Path + ": its default " + problem) // a mistake in the table; a test reads every default
		}
	}
}

// shortDuration writes a duration without the zeros that Go appends: 24h, not 24h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
