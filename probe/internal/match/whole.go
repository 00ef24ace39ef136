package match

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Any reports whether every message is the expected one.
func (e *Expectation) Any() bool { return !e.whole() && e.needle.text == "" }

// Matches reports whether a whole message is the expected one. It keeps nothing of it but the texts of named groups,
// which it adds to captures unless that is nil. It ends without a match soon after late reports true.
func (e *Expectation) Matches(message []byte, text bool, captures map[string]string, late func() bool) bool {
	if e.whole() {
		matched, _ := e.judge(message, text, captures, late)
		return matched
	}
	return bytes.Contains(message, []byte(e.needle.text))
}

// Value is a value at a path of a JSON document, prepared once.
type Value struct{ parts path }

// NewValue prepares a path. [PathProblem] says which ones are good; the value of others is never there.
func NewValue(text string) Value {
	parts, problem := parsePath(text)
	if problem != "" {
		return Value{}
	}
	return Value{parts: parts}
}

// Given reports whether there is a path.
func (v Value) Given() bool { return v.parts != nil }

// in finds the value in a whole message, which may be any bytes.
func (v Value) in(message []byte, late func() bool) gjson.Result {
	if !gjson.ValidBytes(message) {
		return gjson.Result{}
	}
	r, _ := v.parts.in(message, late)
	return r
}

// Integer returns the integer at the path. Servers also write one as a text, because JavaScript knows no integer beyond
// 2^53.
func (v Value) Integer(message []byte, late func() bool) (int64, bool) {
	r := v.in(message, late)
	text := r.Raw
	if r.Type == gjson.String {
		text = r.Str
	} else if r.Type != gjson.Number {
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64) // 1e3 and 7.0 are integers, too
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// Texts returns the text at the path, or each text of the list there.
func (v Value) Texts(message []byte, late func() bool) []string {
	var texts []string
	found := v.in(message, late)
	if found.IsObject() {
		return nil
	}
	found.ForEach(func(_, value gjson.Result) bool { // a text is its own only element
		if value.Type == gjson.String {
			texts = append(texts, value.Str)
		}
		return true
	})
	return texts
}

// Text returns the text or the number at the path, as it is written.
func (v Value) Text(message []byte, late func() bool) (string, bool) {
	switch r := v.in(message, late); r.Type {
	case gjson.String:
		return strings.TrimSpace(r.Str), true
	case gjson.Number:
		return r.Raw, true
	default:
		return "", false
	}
}
