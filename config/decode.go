package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/keypair"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// reader reads YAML nodes by the table of fields.
type reader struct {
	*yamltree.Reader
	maps map[mapKey]readMap
	// unreadable are the fields of the defaults block that could not be read.
	unreadable map[string]bool
	shared
	own   entries // of the map that was read last
	noted secrets // since the last take
	// inheritedReferences are the references of the defaults block, by their paths.
	inheritedReferences map[string]string
	stale               bool     // what is kept of a probe cannot be used
	uncut               []string // files that have to be parsed whole
	doubts              []doubt  // about messages, until their format is known
	// guesses are the fields that unknown keys probably mean.
	guesses map[*yaml.Node]string
	zones   map[string]*time.Location
	tokens  tokenSource
}

// newReader returns a reader of a file of so many bytes.
func newReader(r *yamltree.Report, size int) *reader {
	return &reader{
		Reader:  yamltree.NewReader(r, size),
		maps:    make(map[mapKey]readMap),
		shared:  newShared(),
		own:     make(entries),
		guesses: make(map[*yaml.Node]string),
		zones:   make(map[string]*time.Location),
		tokens:  newTokens(),
	}
}

// lookFor notes a file that a field names. Of certificates and keys, the text itself may stand in its place.
func (r *reader) lookFor(name string) {
	if name != "" && !r.Blind && !keypair.IsInline(name) {
		r.Look(name)
	}
}

// found are the fields of a section that a mapping sets.
type found struct {
	pairs     []yamltree.Pair // by field; not present where the mapping does not set it
	faulty    []bool          // by field, if there is a pair
	resembled []bool          // by field: an unknown key resembles it
	// faultyItems are the elements of lists that are wrong by themselves, "protocols" and the index, and "protocols"
	// and nothing if there is any.
	faultyItems map[[2]string]bool
}

func newFound(fields int) *found {
	return &found{pairs: make([]yamltree.Pair, fields), faulty: make([]bool, fields), resembled: make([]bool, fields)}
}

func (f *found) reset() {
	clear(f.pairs)
	clear(f.faulty)
	clear(f.resembled)
	f.faultyItems = nil
}

// markItem remembers an element that is wrong by itself.
func (f *found) markItem(field, element string) {
	if f.faultyItems == nil {
		f.faultyItems = make(map[[2]string]bool)
	}
	f.faultyItems[[2]string{field, element}] = true
	f.faultyItems[[2]string{field, ""}] = true
}

// decode reads a mapping into the fields of a section, and marks in set those that it sets. A wrong value leaves its
// place untouched.
func decode[T any](r *reader, s *section[T], m, via *yaml.Node, where yamltree.Path, into *T, set *found) {
	if m.Kind != yaml.MappingNode || m.Tag != yamltree.MapTag {
		hint := ""
		if m.Tag == yamltree.BoolTag && s.name == "tls" {
			hint = ": " + byScheme
		} else if key := s.main(); key != "" && m.Kind == yaml.ScalarNode {
			hint = ": write {" + key + ": ...}"
		}
		r.At(m, where, "must be a mapping, got %s%s", yamltree.Describe(m), hint)
		return
	}
	for _, p := range r.Pairs(m, via, where) {
		key := p.Key.Value
		if reason := s.refused[key]; reason != "" {
			r.Used(p.Key, p.KeyAt, where.Field(key), "%s", reason)
			continue
		}
		i, known := s.index[key]
		if !known {
			if s.name == "" && strings.HasPrefix(key, yamltree.AnchorPrefix) {
				continue
			}
			guess, told := r.guesses[p.Key] // by another alias
			if !told {
				var advice string
				guess, advice = s.guess(key)
				r.guesses[p.Key] = guess
				r.Used(p.Key, p.KeyAt, where.Field(yamltree.PlainKey(key)), "is no field of %s%s", s.title(), advice)
			}
			if i, ok := s.index[guess]; ok {
				set.resembled[i] = true
			}
			continue
		}
		if yamltree.IsNull(p.Value) {
			continue
		}
		set.pairs[i] = p
		if f := &s.fields[i]; f.value.kept() {
			set.faulty[i] = !decodeField(r, f, p, where.Field(key), into, set)
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
	case "streams":
		return "a stream"
	case "discover":
		return "a source of targets"
	case "exchange":
		return "a step"
	case "connections":
		return "a connection"
	case "maintenance":
		return "a window"
	case "session.answers":
		return "an answer"
	case "prepare.capture":
		return "a capture"
	default:
		return s.name
	}
}

// main returns the field that people mean who write a value in place of the mapping, or nothing.
func (s *section[T]) main() string {
	return map[string]string{"encoding": "codec", "batch": "max_events", "buffer": "type", "reconnect": "min", "session.reconnect": "min"}[s.name]
}

// items names the mappings of a list of such.
func (s *section[T]) items() string {
	_, noun, _ := strings.Cut(s.title(), " ")
	return noun + "s"
}

// decodeField reads the value of one field and reports whether it was right.
func decodeField[T any](r *reader, f *field[T], p yamltree.Pair, where yamltree.Path, into *T, set *found) bool {
	switch f.Kind {
	case Map:
		return decodeMap(r, f, p, where, f.value.at(into).(*map[string]string))
	case List:
		return decodeList(r, p, where, f.value.at(into).(*[]string), set, f.secret)
	case Values:
		return decodeValues(r, p, where, f.value.at(into).(*map[string]any), f.secret)
	case Section, Sections, Named:
		return decodeNested(r, &f.Field, p, where, f.value.at(into), set)
	}
	var problem string
	if r.Unknown(p.Value) && f.Kind != Text {
		return false // unknown, and no fault
	}
	if !r.Substituted(p.Value) { // what was substituted is whatever the field wants
		problem = scalarProblem(&f.Field, p.Value)
	}
	if problem == "" {
		problem = f.value.store(into, &f.Field, r.share(p.Value.Value))
	}
	if problem == "" && f.File && !r.Unknown(p.Value) {
		r.lookFor(p.Value.Value)
	}
	r.note(p.Value, where, f.secret)
	if problem != "" {
		r.Used(p.Value, p.ValueAt, where, "%s", problem)
	} else if f.Kind == Text {
		r.checkText(p.Value, p.ValueAt, where)
	}
	return problem == ""
}

// switches are the words of a Choice that stand for true and false.
var switches = map[string]string{"true": "on", "false": "off"}

// scalarProblem checks that YAML sees in a value what the field wants. A text has to be one to YAML, too: 1.10 is
// a number and could come back as 1.1, so it needs quotes.
func scalarProblem(f *Field, n *yaml.Node) string {
	if (f.Kind == Text || f.Kind == Choice || f.Kind == Duration) && yamltree.IsText(n) {
		return "" // as most are
	}
	wants, tag := "must be text", yamltree.StrTag
	switch f.Kind {
	case Bool:
		wants, tag = "must be true or false", yamltree.BoolTag
	case Integer, Milliseconds:
		wants, tag = "must be a whole number", yamltree.IntTag
	case Ratio:
		wants, tag = "must be a number from 0 to 1", yamltree.FloatTag
	case Duration:
		wants = "must be a duration with a unit, such as 30s or 1m30s"
	case Condition:
		wants = "must be <, > or == and a number, in quotes"
	case Moment:
		wants = momentWanted
	case Size:
		wants = "must be a size with a unit, such as 64KiB or 256MiB"
	case Choice:
		wants = "must be one of " + strings.Join(f.Allowed, ", ")
	}
	huge := tag == yamltree.IntTag && n.Tag == yamltree.FloatTag && decimal.MatchString(n.Value) // beyond 64 bits YAML sees a float
	switch {
	case f.Kind == Condition && n.Style&(yaml.FoldedStyle|yaml.LiteralStyle) != 0: // "> 2" without quotes is a text with an indent
		return wants + ": without them > begins a block of text"
	case n.Kind == yaml.ScalarNode && (n.Tag == tag || huge):
		return ""
	case f.Kind == Choice && n.Kind == yaml.ScalarNode && (n.Tag == yamltree.IntTag || n.Tag == yamltree.FloatTag) && slices.Contains(f.Allowed, n.Value):
		return "" // a choice of numbers needs no quotes
	case f.Kind == Choice && n.Tag == yamltree.BoolTag && slices.Contains(f.Allowed, switches[n.Value]):
		return wants + ", got " + yamltree.Show(n) + didYouMean(switches[n.Value])
	case f.Kind == Size && n.Kind == yaml.ScalarNode && n.Tag == yamltree.IntTag:
		return "" // bytes
	case f.Kind == Moment && n.Kind == yaml.ScalarNode && (n.Tag == yamltree.TimeTag || n.Tag == yamltree.IntTag):
		return "" // it is understood, or not, by its characters
	case f.Kind == Ratio && n.Kind == yaml.ScalarNode && n.Tag == yamltree.IntTag:
		return "" // 0 or 1
	case f.Kind == Text:
		return wants + ", got " + yamltree.Describe(n) + yamltree.QuotesHint(n)
	case tag != yamltree.StrTag && yamltree.IsQuoted(n):
		return wants + " without quotes, got " + yamltree.Show(n)
	default:
		return wants + ", got " + yamltree.Show(n)
	}
}

// decodeList reads a list of texts. An element that is none is kept as an empty one, so that the others keep
// their index.
func decodeList(r *reader, p yamltree.Pair, where yamltree.Path, into *[]string, set *found, secret secrecy) bool {
	n := p.Value
	if n.Kind != yaml.SequenceNode || n.Tag != yamltree.SeqTag {
		hint := ""
		if yamltree.IsText(n) {
			hint = ": put it in brackets"
		}
		r.Used(n, p.ValueAt, where, "must be a list, got %s%s", yamltree.Describe(n), hint)
		return false
	}
	if !r.Spend(len(n.Content), n) {
		return false
	}
	list := make([]string, len(n.Content))
	for i, element := range n.Content {
		if element = yamltree.Follow(element); yamltree.IsText(element) {
			list[i] = r.share(element.Value)
			r.note(element, where.Item(i), secret)
			r.checkText(element, element, where.Item(i))
			continue
		}
		r.At(element, where.Item(i), "must be text, got %s%s", yamltree.Describe(element), yamltree.QuotesHint(element))
		set.markItem(where.Key, strconv.Itoa(i))
	}
	*into = list
	return true
}
