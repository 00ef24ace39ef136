package match

import (
	"maps"
	"slices"
)

// Texts are the texts of a step of an exchange: what it sends and which message it waits for. At most one of the last
// three is set. Expect and Pattern are nil and empty for none.
type Texts struct {
	Send    *string
	Expect  *string
	Pattern string
	JSON    map[string]any
}

// Expects reports whether the step waits for a message.
func (t Texts) Expects() bool { return t.Expect != nil || t.Pattern != "" || t.JSON != nil }

// Open reports whether a text has a placeholder.
func (t Texts) Open() bool { return slices.ContainsFunc(t.all(), HasPlaceholder) }

// all returns the texts that can have placeholders.
func (t Texts) all() []string {
	texts := []string{t.Pattern}
	for _, text := range []*string{t.Send, t.Expect} {
		if text != nil {
			texts = append(texts, *text)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(t.JSON)) {
		if text, ok := t.JSON[path].(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// Fill returns the texts with the values of a run in them. The pattern may have at most limit bytes then. The error says
// that a text became too long.
func (t Texts) Fill(f *Filler, limit int) (Texts, error) {
	if t.Send != nil {
		t.Send = new(f.Text(*t.Send))
	}
	if t.Expect != nil {
		t.Expect = new(f.Text(*t.Expect))
	}
	t.Pattern = f.Pattern(t.Pattern, limit)
	t.JSON = maps.Clone(t.JSON)
	for path, want := range t.JSON {
		if text, ok := want.(string); ok {
			t.JSON[path] = f.Text(text)
		}
	}
	return t, f.Err()
}

// Prepare brings texts without placeholders into the form to send and to compare. Decode returns the bytes that a text
// stands for. Send is nil if there is none.
func (t Texts) Prepare(decode func(string) ([]byte, error)) (send []byte, expect Expectation, err error) {
	if t.Send != nil {
		if send, err = decode(*t.Send); err != nil {
			return nil, expect, err
		}
	}
	switch {
	case t.Pattern != "":
		expect, err = Pattern(t.Pattern)
	case t.JSON != nil:
		expect = JSON(t.JSON)
	case t.Expect != nil:
		var text []byte
		text, err = decode(*t.Expect)
		expect = Text(string(text))
	}
	return send, expect, err
}
