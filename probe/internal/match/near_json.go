package match

import (
	"encoding/json"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// jsonMiss says which value of a JSON message is not the expected one. The zero value stands for a message that is no
// JSON.
type jsonMiss struct {
	fact  *fact  // nil if the message is no JSON or matched, or if time was up
	found bool   // there is a value at the path
	got   string // the beginning of that value, as the endpoint wrote it
	root  byte   // the first byte of the document
	text  bool   // a text before @fromstr is no JSON
}

// kind is the kind of the miss.
func (m jsonMiss) kind() reasons.Near {
	switch {
	case m.fact == nil && m.root == 0, m.text:
		return reasons.NearNoJSON
	case m.fact == nil:
		return reasons.NearNot
	case !m.found:
		return reasons.NearNoPath
	case m.got == "" || !sameKind(m.got[0], m.fact.wanted()[0]):
		return reasons.NearType
	default:
		return reasons.NearValue
	}
}

// sentence says why the message is not the expected one.
func (m jsonMiss) sentence(last excerpt, show func(string) string) string {
	switch {
	case m.fact == nil && m.root == 0:
		return noJSON(last)
	case m.fact == nil:
		return ""
	case m.text:
		return say.Sentence("a text on the way to %s is no JSON", m.fact.path)
	case m.found:
		return say.Sentence("%s is %s, not %s", m.fact.path, show(m.got), show(m.fact.wanted()))
	case m.root != '{':
		return say.Sentence("there is nothing at %s: the last one is %s", m.fact.path, say.Own(kindOf(m.root)))
	default:
		return say.Sentence("there is nothing at %s", m.fact.path)
	}
}

// kindOf names the kind of a value by its first byte.
func kindOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't':
		return "true"
	case 'f':
		return "false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// sameKind reports whether two values are of the same kind, by their first bytes. true and false are of one kind.
func sameKind(a, b byte) bool { return kindOf(a) == kindOf(b) || isBool(a) && isBool(b) }

func isBool(first byte) bool { return first == 't' || first == 'f' }

// wanted is the expected value, as JSON writes it.
func (f *fact) wanted() string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f.want); err != nil {
		return "another value"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// beginning is the part of a value that is kept to show its beginning.
func beginning(value string) string {
	return strings.Clone(value[:min(len(value), shownValue+redact.Slack)])
}
