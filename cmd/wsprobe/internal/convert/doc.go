// Package convert turns the WebSocket outputs of other programs into the streams of a configuration.
//
// It reads files of Vector (TOML, YAML, JSON), Fluent Bit (classic, YAML) and Telegraf (TOML), also within a ConfigMap of
// Kubernetes. It writes YAML for wsprobe, with a comment where something changes its meaning. A [Note] tells of each
// option that is left out. It reads by the tables of options, and the page about parity shows them.
package convert

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// Source is a file of another program.
type Source struct {
	Name   string
	Format string // "toml", "yaml", "json" or "conf"; "" for that of the name's extension
	Data   []byte

	inner string // the name within a manifest, which is one file with several
}

// Result is the counterpart of some files.
type Result struct {
	YAML  []byte // the section streams
	Notes []Note // in the order of the files
}

// Note tells what became of a piece of a file that has no counterpart, or another meaning.
type Note struct {
	File string
	Line int    // 0 if it is about something that the file leaves out
	Path string // of the piece, in the words of its program
	Text string
}

func (n Note) String() string {
	return placed(n.File, n.Line, 0) + n.Path + ": " + n.Text
}

// Fault is an error in a file. It never repeats a value, which may be a secret.
type Fault struct {
	File         string
	Line, Column int // 0 if there is none
	Problem      string
}

func (f *Fault) Error() string { return placed(f.File, f.Line, f.Column) + f.Problem }

// placed is the beginning of a line about a place of a file.
func placed(file string, line, column int) string {
	switch {
	case line == 0:
		return file + ": "
	case column == 0:
		return fmt.Sprintf("%s:%d: ", file, line)
	}
	return fmt.Sprintf("%s:%d:%d: ", file, line, column)
}

// formats are the formats by the extensions of files.
var formats = map[string]string{".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".conf": "conf"}

// ready checks the format of the source, which must be one of those allowed, and its text.
func (s *Source) ready(allowed ...string) error {
	s.Data = bytes.TrimPrefix(s.Data, []byte("\ufeff"))
	if !utf8.Valid(s.Data) {
		return &Fault{File: s.Name, Problem: "is not UTF-8"}
	}
	format := s.Format
	if format == "" {
		format = formats[strings.ToLower(path.Ext(s.Name))]
	}
	for _, a := range allowed {
		if a == format {
			s.Format = format
			return nil
		}
	}
	problem := "has no extension that tells its format: name it with --format, one of "
	if format != "" {
		problem = "has the format " + format + ", but this program reads "
	}
	return &Fault{File: s.Name, Problem: problem + strings.Join(allowed, ", ")}
}
