package yamltree

import (
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// Path names a place in a file as a person would. It is kept in parts, because a string for every node that is read
// would cost more than reading it.
type Path struct {
	Section string // of the file, "probes" or "otlp.tls"; empty at the top
	Index   int    // in a list of sections, counted from 1; 0 if the section is no list
	inner   string // a mapping of the section with fields of its own, "tls" or "session.heartbeat"
	Key     string // the field
	Element string // of the field, ".Origin" or "[2]"
}

// Field names a field of the section.
func (p Path) Field(key string) Path { p.Key = key; return p }

// Within names a mapping of the section that has fields of its own.
func (p Path) Within(inner string) Path { p.inner = inner; return p }

// Inside names the mapping that stands in the field, and has fields of its own.
func (p Path) Inside() Path {
	if p.inner != "" {
		p.Key = p.inner + "." + p.Key
	}
	return p.Within(p.Key).Field("")
}

// Member names the mapping that an entry of the field is, and that has fields of its own.
func (p Path) Member(name string) Path {
	inner := p.Key + p.Name(name).Element
	if p.inner != "" {
		inner = p.inner + "." + inner
	}
	return p.Within(inner).Field("")
}

// Name names an entry of the field.
func (p Path) Name(name string) Path {
	p.Element = "." + name
	if strings.ContainsFunc(name, needsQuotes) || name == "" {
		p.Element = "[" + excerpt.Quote(name) + "]"
	}
	return p
}

// Item names an element of the field, counted from 0.
func (p Path) Item(i int) Path { p.Element = fmt.Sprintf("[%d]", i); return p }

// deeper names an entry of the mapping at p: a field of a section, or an entry of a field.
func (p Path) deeper(key string) Path {
	if p.Key == "" {
		return p.Field(PlainKey(key))
	}
	return p.Name(key)
}

// Step names a mapping in the list at p, counted from 0.
func (p Path) Step(i int) Path { return Path{Section: p.String(), Index: i + 1} }

// Place returns the path without the section that a list at the top has in the place of another: "tls.key_file" or
// "exchange[0].send", the same in each of them.
func (p Path) Place() string {
	if _, step, ok := strings.Cut(p.Section, "."); ok && p.Index > 0 {
		return fmt.Sprintf("%s[%d].%s", step, p.Index-1, p.leaf())
	}
	return p.leaf()
}

// leaf returns the path without the section, the same for all aliases of a node.
func (p Path) leaf() string {
	if p.inner != "" {
		return p.inner + "." + p.Key + p.Element
	}
	return p.Key + p.Element
}

// String returns the path as it stands in a message: "probes[3].headers.Origin".
func (p Path) String() string {
	s := p.Section
	if p.Index > 0 {
		s = fmt.Sprintf("%s[%d]", p.Section, p.Index-1)
	}
	for _, part := range []string{p.inner, p.Key} {
		if part != "" && s != "" {
			s += "."
		}
		s += part
	}
	return s + p.Element
}

func needsQuotes(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// PlainKey returns a key that is legible within a path, however it was written.
func PlainKey(key string) string {
	if strings.ContainsFunc(key, needsQuotes) || key == "" {
		return excerpt.Quote(key)
	}
	return excerpt.Of(key)
}
