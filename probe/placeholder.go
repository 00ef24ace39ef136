package probe

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// placeholder is where a value of the run is filled into a text of an exchange: {{nonce}}, or the name of a group of
// an earlier pattern. Everything else in braces is text.
var placeholder = regexp.MustCompile(`\{\{ ?([A-Za-z_][A-Za-z0-9_]*) ?\}\}`)

// nonceName is the placeholder of a text that is fresh in every run.
const nonceName = "nonce"

// maxFilled bounds what a text may grow to. What is filled in comes from the endpoint.
const maxFilled = 1 << 20

// placeholders returns the names that a text asks for.
func placeholders(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
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
	return f.fill(text, func(value string) string { return value }, maxFilled)
}

// pattern fills in every placeholder of a regular expression, as text that means itself. It may become no longer than
// one can be written: compiled, each character takes a hundred bytes.
func (f *filler) pattern(expr string) string { return f.fill(expr, regexp.QuoteMeta, MaxExpectBytes) }

func (f *filler) fill(text string, quote func(string) string, bound int) string {
	size := len(text)
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		value := quote(f.values[placeholder.FindStringSubmatch(match)[1]])
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

// placeholders returns the names that the texts of a step ask for.
func (s Step) placeholders() []string {
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
	var names []string
	for _, text := range texts {
		names = append(names, placeholders(text)...)
	}
	return names
}

// groupText is what a group caught, or nothing if it took no part in the match. It may go into a text message, which
// has to be UTF-8 (RFC 6455 5.6).
func groupText(body []byte, from, to int) string {
	if from < 0 {
		return ""
	}
	return strings.ToValidUTF8(string(body[from:to]), "\uFFFD")
}
