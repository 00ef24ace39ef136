package yamltree

import (
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

// Piece is the part of a text that a reference stood for, from one byte to another.
type Piece struct{ From, To int }

// substitution puts in what the references of a file stand for: ${env:NAME} for a variable, ${file:PATH} for the
// content of a file. It looks at every value once, before anything is made of it, so that what it puts in is not
// looked at again.
type substitution struct {
	*Report
	anchors anchors
}

// contents are what references stood for until now, in all files of a report.
type contents struct {
	files map[string]content
	size  int // in bytes
}

// content is what is in a file, or why that cannot be told.
type content struct{ text, problem string }

// maxReference is the most bytes of a file that a reference stands for.
const maxReference = 64 << 10

const (
	beginReference = "${"
	escapedBegin   = "$${" // stands for the two characters themselves
)

// brokenTag marks a value with a reference that leads nowhere. That has been reported; nothing else is about it.
const brokenTag = "!broken"

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func newSubstitution(r *Report) *substitution { return &substitution{Report: r} }

// trail is the way from the root to a node. It costs nothing until somebody asks for it.
type trail struct {
	up    *trail
	key   string
	index int // in a list, if there is no key
}

func (t *trail) String() string {
	switch {
	case t == nil:
		return ""
	case t.key == "":
		return t.up.String() + Path{}.Item(t.index).Element
	case t.up == nil:
		return PlainKey(t.key)
	default:
		return t.up.String() + Path{}.Name(t.key).Element
	}
}

// walk substitutes in all values below a node, keys excepted. What an alias stands for is looked at where it is
// anchored.
func (s *substitution) walk(n *yaml.Node, at *trail) {
	if at == nil {
		n = s.anchors.setAside(n)
	}
	if s.anchors.visited(n) {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		if s.anchors.enter(n) {
			s.walk(n.Alias, at)
			s.anchors.leave()
		}
	case yaml.MappingNode:
		here := &trail{up: at} // one for all entries
		for i := 0; i+1 < len(n.Content); i += 2 {
			here.key = n.Content[i].Value
			s.walk(n.Content[i+1], here)
		}
	case yaml.SequenceNode:
		here := &trail{up: at}
		for i, element := range n.Content {
			here.index = i
			s.walk(element, here)
		}
	case yaml.ScalarNode:
		if n.Tag == StrTag && strings.Contains(n.Value, beginReference) {
			s.value(n, at)
		}
	}
}

// value substitutes in one text.
func (s *substitution) value(n *yaml.Node, at *trail) {
	text, pieces, problems := s.expand(n.Value)
	source := n.Value
	s.contents.size += len(text)
	for _, problem := range problems {
		s.At(n, Path{Section: at.String()}, "%s", problem)
	}
	if len(problems) > 0 {
		n.Value, n.Tag = "", brokenTag
		return
	}
	if s.Blind && len(pieces) > 0 && !standsIn(text, pieces) {
		n.Tag = brokenTag // it is whatever it has to be
		return
	}
	n.Value = text
	if strings.Contains(strings.ReplaceAll(source, escapedBegin, ""), beginReference) {
		s.sources[n] = source
	}
	if len(pieces) > 0 {
		s.pieces[n] = pieces
	}
}

// expand returns a text with what its references stand for.
func (s *substitution) expand(text string) (string, []Piece, []string) {
	var b strings.Builder
	var pieces []Piece
	var problems []string
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			b.WriteString(text)
			return b.String(), pieces, problems
		}
		b.WriteString(text[:i])
		text = text[i:]
		switch {
		case strings.HasPrefix(text, escapedBegin):
			b.WriteString(beginReference)
			text = text[len(escapedBegin):]
		case strings.HasPrefix(text, beginReference):
			reference, rest, closed := strings.Cut(text[len(beginReference):], "}")
			if !closed {
				return "", nil, append(problems, "has ${ without }: write $${ for these two characters")
			}
			value, problem := s.resolve(reference, b.String())
			if problem != "" {
				problems = append(problems, problem)
			}
			if s.contents.size+b.Len()+len(value) > MaxBytes {
				s.overfull = true
				return "", nil, append(problems, "makes more than 64 MiB of this file, with the references before it")
			}
			if value != "" {
				pieces = append(pieces, Piece{b.Len(), b.Len() + len(value)})
			}
			b.WriteString(value)
			text = rest
		default:
			b.WriteByte('$')
			text = text[1:]
		}
	}
}

// resolve returns what a reference behind a text stands for, or what is wrong with it.
func (s *substitution) resolve(reference, before string) (value, problem string) {
	scheme, name, found := strings.Cut(reference, ":")
	switch {
	case s.Blind && found && (scheme == "env" || scheme == "file"):
		return unresolved(scheme, name, before)
	case found && scheme == "env":
		return variable(name)
	case found && scheme == "file":
		c, known := s.contents.files[name]
		if !known {
			if isFileName(name) {
				s.Look(name)
			}
			c = fileContent(name)
			s.contents.files[name] = c
		}
		return c.text, c.problem
	default:
		return "", "has a ${ that begins neither ${env:NAME} nor ${file:PATH}: write $${ for these two characters"
	}
}

// variable returns the value of a variable of the environment, which may be empty but must be there.
func variable(name string) (value, problem string) {
	if !variableName.MatchString(name) {
		return "", noVariable
	}
	value, found := os.LookupEnv(name)
	switch {
	case !found:
		return "", "needs the variable " + name + ", which is not set"
	case !utf8.ValidString(value):
		return "", "needs the variable " + name + " to be UTF-8"
	}
	return value, ""
}

// fileContent returns what is in a file, without the line end at its end.
func fileContent(name string) content {
	if !isFileName(name) {
		return content{problem: noFile}
	}
	data, err := readfile.Regular(name, maxReference)
	text := string(data)
	switch {
	case err != nil:
		return content{problem: "needs the file " + excerpt.Quote(name) + ": " + err.Error()}
	case !utf8.ValidString(text):
		return content{problem: "needs the file " + excerpt.Quote(name) + " to be UTF-8"}
	}
	if line, ended := strings.CutSuffix(text, "\n"); ended {
		text = strings.TrimSuffix(line, "\r")
	}
	return content{text: text}
}

// Substituted reports whether a value has a part that a reference or a placeholder stood for.
func (r *Report) Substituted(n *yaml.Node) bool { return r.filled[n] || r.PiecesOf(n) != nil }

// Unknown reports whether a value has a part that is not known yet: of a reference that was not resolved, or of a
// placeholder.
func (r *Report) Unknown(n *yaml.Node) bool {
	return r.Blind && r.Substituted(n) || r.standIn && r.filled[n]
}

// PiecesOf returns the parts of a value that references stood for.
func (r *Report) PiecesOf(n *yaml.Node) []Piece {
	if pieces := r.pieces[n]; pieces != nil || r.under == nil {
		return pieces
	}
	return r.under.PiecesOf(n)
}

// Source returns the text of a value before its references were resolved, and whether it had any.
func (r *Report) Source(n *yaml.Node) (text string, referred bool) {
	if text, referred = r.sources[n]; referred || r.under == nil {
		return text, referred
	}
	return r.under.Source(n)
}

// Overfull reports whether the references stand for more than is read.
func (r *Report) Overfull() bool { return r.overfull }

// Refers reports whether any value of the file has a reference.
func (r *Report) Refers() bool { return len(r.sources) > 0 || r.under != nil && r.under.Refers() }
