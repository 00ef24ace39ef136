package probe

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// placeholder is where a value of the run is filled into a text of an exchange: {{nonce}}, or the name of a group of
// an earlier pattern. {{"{{"}} stands for {{, as in the templates of Go, with either kind of quotes. Everything else in
// braces is text.
var placeholder = regexp.MustCompile(`\{\{ ?(?:([A-Za-z_][A-Za-z0-9_]*)|"\{\{"|'\{\{') ?\}\}`)

// openBraces are two braces as they are.
const openBraces = "{{"

// nonceName is the placeholder of a text that is fresh in every run.
const nonceName = "nonce"

// maxFilled bounds what a text may grow to. What is filled in comes from the endpoint.
const maxFilled = 1 << 20

// placeholders returns the names that a text asks for.
func placeholders(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		if match[1] != "" {
			names = append(names, match[1])
		}
	}
	return names
}

// filler puts the values of a run into the texts of a step. It remembers the bound that one outgrew.
type filler struct {
	values  map[string]string
	outgrew int
}

// text fills in every placeholder of a text, as it is.
func (f *filler) text(text string) string {
	return f.fill(text, func(value string) string { return strings.ToValidUTF8(value, "\uFFFD") }, maxFilled)
}

// pattern fills in every placeholder of a regular expression, as text that means itself. It may become no longer than
// one can be written: compiled, each character takes a hundred bytes.
func (f *filler) pattern(expr string) string { return f.fill(expr, quotePattern, MaxExpectBytes) }

// quotePattern is a regular expression for a text. Bytes that are not UTF-8 can be in a binary message only.
func quotePattern(text string) string {
	if utf8.ValidString(text) {
		return regexp.QuoteMeta(text)
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[i])
		} else {
			b.WriteString(regexp.QuoteMeta(text[i : i+size]))
		}
		i += size
	}
	return b.String()
}

func (f *filler) fill(text string, quote func(string) string, bound int) string {
	size := len(text)
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		value := openBraces
		if name := placeholder.FindStringSubmatch(match)[1]; name != "" {
			value = f.values[name]
		}
		value = quote(value)
		if size += len(value); size > bound {
			f.outgrew = bound
			return ""
		}
		return value
	})
}

// step returns the step with its texts filled in. An error says which text outgrew its bound.
func (f *filler) step(s Step) (Step, error) {
	if s.Send != nil {
		s.Send = new(f.text(*s.Send))
	}
	if s.Expect != nil {
		s.Expect = new(f.text(*s.Expect))
	}
	s.ExpectPattern = f.pattern(s.ExpectPattern)
	s.ExpectJSON = maps.Clone(s.ExpectJSON)
	for path, want := range s.ExpectJSON {
		if text, ok := want.(string); ok {
			s.ExpectJSON[path] = f.text(text)
		}
	}
	if f.outgrew > 0 {
		return s, fmt.Errorf("filling in what the server sent makes a text of more than %d bytes", f.outgrew)
	}
	return s, nil
}

// filled reports whether anything is to be filled into the texts of a step.
func (s Step) filled() bool { return slices.ContainsFunc(s.texts(), placeholder.MatchString) }

// texts returns the texts of a step into which values are filled.
func (s Step) texts() []string {
	texts := []string{s.ExpectPattern}
	for _, text := range []*string{s.Send, s.Expect} {
		if text != nil {
			texts = append(texts, *text)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(s.ExpectJSON)) {
		if text, ok := s.ExpectJSON[path].(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// groupText is what a group caught, or nothing if it took no part in the match. Of a binary message it need not be UTF-8.
func groupText(body []byte, from, to int) string {
	if from < 0 {
		return ""
	}
	return string(body[from:to])
}
