package config

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/probe"
)

// found is what a mapping says about the fields of a section.
type found struct {
	pairs  []pair // by field; where the mapping is silent, the pair is not present
	faulty []bool // by field, if there is a pair
	meant  []bool // by field: an unknown key looks like it
	// badItems are the elements of lists that are wrong by themselves, "protocols" and the index, and "protocols" and
	// nothing if there is any.
	badItems map[[2]string]bool
}

func newFound(fields int) *found {
	return &found{pairs: make([]pair, fields), faulty: make([]bool, fields), meant: make([]bool, fields)}
}

func (f *found) reset() {
	clear(f.pairs)
	clear(f.faulty)
	clear(f.meant)
	f.badItems = nil
}

// decode reads a mapping into the fields of a section, and says in got what it found. A wrong value leaves
// its place untouched.
func decode[T any](r *reader, s *section[T], m, via *yaml.Node, where path, into *T, got *found) {
	if m.Kind != yaml.MappingNode || m.Tag != mapTag {
		hint := ""
		if m.Tag == boolTag && s.name == "tls" {
			hint = ": " + byScheme
		}
		r.at(m, where, "must be a mapping, got %s%s", describe(m), hint)
		return
	}
	for _, p := range r.pairs(m, via, where) {
		key := p.key.Value
		if reason := s.refused[key]; reason != "" {
			r.used(p.key, p.keyAt, where.field(key), "%s", reason)
			continue
		}
		i, known := s.index[key]
		if !known {
			if s.name == "" && strings.HasPrefix(key, anchorPrefix) {
				continue
			}
			guess, told := r.guesses[p.key] // by another alias
			if !told {
				var advice string
				guess, advice = s.guess(key)
				r.guesses[p.key] = guess
				r.used(p.key, p.keyAt, where.field(plainKey(key)), "is no field of %s%s", s.title(), advice)
			}
			if i, ok := s.index[guess]; ok {
				got.meant[i] = true
			}
			continue
		}
		if isNull(p.value) {
			continue
		}
		got.pairs[i] = p
		if f := &s.fields[i]; f.into != nil {
			got.faulty[i] = !decodeField(r, f, p, where.field(key), f.into(into), got)
		}
	}
}

// title names the section in a sentence.
func (s *section[T]) title() string {
	switch s.name {
	case "":
		return "a configuration"
	case "probes":
		return "a probe"
	case "exchange":
		return "a step"
	default:
		return s.name
	}
}

// decodeField reads the value of one field and reports whether it was right.
func decodeField[T any](r *reader, f *field[T], p pair, where path, into any, got *found) bool {
	switch f.Kind {
	case Map:
		return decodeMap(r, f, p, where, into.(*map[string]string))
	case List:
		return decodeList(r, p, where, into.(*[]string), got, f.secret)
	case Values:
		return decodeValues(r, p, where, into.(*map[string]any), f.secret)
	case Sections:
		return decodeSteps(r, f, p, where, into.(*[]probe.Step), got)
	}
	var problem string
	if r.blind && r.pieces[p.value] != nil && f.Kind != Text {
		return false // unknown, and no fault
	}
	if r.pieces[p.value] == nil { // what was substituted is whatever the field wants
		problem = scalarProblem(&f.Field, p.value)
	}
	if problem == "" {
		problem = store(&f.Field, f.check, into, r.share(p.value.Value))
	}
	r.note(p.value, where, f.secret)
	if problem != "" {
		r.used(p.value, p.valueAt, where, "%s", problem)
	} else if f.Kind == Text {
		r.look(p.value, p.valueAt, where)
	}
	return problem == ""
}

// scalarProblem checks that YAML sees in a value what the field wants. A text has to be one to YAML, too: 1.10 is
// a number and could come back as 1.1, so it needs quotes.
func scalarProblem(f *Field, n *yaml.Node) string {
	wants, tag := "must be text", strTag
	switch f.Kind {
	case Bool:
		wants, tag = "must be true or false", boolTag
	case Integer, Milliseconds:
		wants, tag = "must be a whole number", intTag
	case Ratio:
		wants, tag = "must be a number from 0 to 1", floatTag
	case Duration:
		wants = "must be a duration with a unit, such as 30s or 1m30s"
	case Condition:
		wants = "must be <, > or == and a number, in quotes"
	case Size:
		wants = "must be a size with a unit, such as 64KiB or 256MiB"
	case Choice:
		wants = "must be one of " + strings.Join(f.Allowed, ", ")
	}
	huge := tag == intTag && n.Tag == floatTag && decimal.MatchString(n.Value) // beyond 64 bits YAML sees a float
	switch {
	case f.Kind == Condition && n.Style&(yaml.FoldedStyle|yaml.LiteralStyle) != 0: // "> 2" without quotes is a text with an indent
		return wants + ": without them > begins a block of text"
	case n.Kind == yaml.ScalarNode && (n.Tag == tag || huge):
		return ""
	case f.Kind == Choice && n.Kind == yaml.ScalarNode && (n.Tag == intTag || n.Tag == floatTag) && slices.Contains(f.Allowed, n.Value):
		return "" // a choice of numbers needs no quotes
	case f.Kind == Size && n.Kind == yaml.ScalarNode && n.Tag == intTag:
		return "" // bytes
	case f.Kind == Ratio && n.Kind == yaml.ScalarNode && n.Tag == intTag:
		return "" // 0 or 1
	case f.Kind == Text:
		return wants + ", got " + describe(n) + quotesHint(n)
	case tag != strTag && isQuoted(n):
		return wants + " without quotes, got " + show(n)
	default:
		return wants + ", got " + show(n)
	}
}

// decodeList reads a list of texts. An element that is none is kept as an empty one, so that the others keep
// their index.
func decodeList(r *reader, p pair, where path, into *[]string, got *found, secret secrecy) bool {
	n := p.value
	if n.Kind != yaml.SequenceNode || n.Tag != seqTag {
		r.used(n, p.valueAt, where, "must be a list, got %s", describe(n))
		return false
	}
	if !r.spend(len(n.Content), n) {
		return false
	}
	list := make([]string, len(n.Content))
	for i, element := range n.Content {
		if element = follow(element); isText(element) {
			list[i] = r.share(element.Value)
			r.note(element, where.item(i), secret)
			r.look(element, element, where.item(i))
			continue
		}
		r.at(element, where.item(i), "must be text, got %s%s", describe(element), quotesHint(element))
		got.bad(where.key, strconv.Itoa(i))
	}
	*into = list
	return true
}
