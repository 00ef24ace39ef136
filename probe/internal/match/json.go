package match

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"
)

// fact is a value that must stand at a path of a JSON document. want is nil, a bool, a string or a json.Number.
type fact struct {
	path  string // as the user wrote it
	parts path
	want  any
}

// facts prepares the values that are expected, in the order of their paths.
func facts(values map[string]any) []fact {
	all := make([]fact, 0, len(values))
	for _, path := range slices.Sorted(maps.Keys(values)) {
		want, _ := scalar(values[path])
		parts, _ := parsePath(path)
		all = append(all, fact{path, parts, want})
	}
	return all
}

// IsScalar reports whether a value can be expected of a JSON document: nil, a bool, a string or a finite number.
func IsScalar(value any) bool {
	_, ok := scalar(value)
	return ok
}

// scalar brings a value into the form of a fact and reports whether there is one.
func scalar(value any) (any, bool) {
	switch v := value.(type) {
	case nil, bool, string:
		return v, true
	case json.Number:
		return v, json.Valid([]byte(v))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64)), !math.IsNaN(v) && !math.IsInf(v, 0)
	case int, int64, uint64:
		return json.Number(fmt.Sprint(v)), true
	default:
		return nil, false
	}
}

// jsonHolds reports whether a message is a JSON document (RFC 8259) in which every fact holds, and otherwise the first
// that does not. encoding/json validates the document first because it bounds the depth: gjson recurses as deep as the
// server nests. gjson then finds a value without building the document.
//
// Each fact takes time. Once time is up, none holds.
func jsonHolds(body []byte, facts []fact, late func() bool) (bool, jsonMiss) {
	if !json.Valid(body) {
		return false, jsonMiss{}
	}
	root := bytes.TrimLeft(body, " \t\r\n")[0]
	for i := range facts {
		f := &facts[i]
		got, ok := f.parts.in(body, late)
		if late() {
			return false, jsonMiss{root: root}
		}
		if !ok || !sameJSON(got, f.want) {
			return false, jsonMiss{fact: f, found: got.Exists(), got: beginning(got.Raw), root: root, text: !ok}
		}
	}
	return true, jsonMiss{}
}

// in returns the value at the path in a valid document. The result does not exist if there is no value, or if time is
// up. ok is false if a text that @fromstr reads is not JSON.
func (p path) in(body []byte, late func() bool) (r gjson.Result, ok bool) {
	for i, part := range p {
		if late() {
			return gjson.Result{}, true
		}
		switch {
		case i == 0 && part[0] != '@' && isContainer(body):
			r = gjson.GetBytes(body, part) // copies the value that it finds, not the document
			continue
		case i == 0:
			r = gjson.ParseBytes(body)
		}
		if part == fromString && r.Type == gjson.String && !json.Valid([]byte(r.Str)) {
			return gjson.Result{}, false
		}
		r = partOf(r, part)
	}
	return r, true
}

// partOf returns the value that one part of a path finds. It looks only into objects and lists, because gjson would
// find braces in a text.
func partOf(r gjson.Result, part string) gjson.Result {
	switch {
	case !r.Exists(), part == modifiers[0]:
		return r
	case part == fromString && r.Type == gjson.String:
		return gjson.Parse(r.Str)
	case r.Type != gjson.JSON, part == fromString:
		return gjson.Result{}
	default:
		return gjson.Get(r.Raw, part)
	}
}

// isContainer reports whether a valid document is an object or a list.
func isContainer(body []byte) bool {
	begin := bytes.TrimLeft(body, " \t\r\n")
	return len(begin) > 0 && (begin[0] == '{' || begin[0] == '[')
}

// sameJSON compares by value: the spelling of a string or a number does not matter, its type does.
func sameJSON(got gjson.Result, want any) bool {
	switch want := want.(type) {
	case nil:
		return got.Exists() && got.Type == gjson.Null
	case bool:
		return got.IsBool() && got.Bool() == want
	case string:
		return got.Type == gjson.String && got.Str == want
	case json.Number:
		return got.Type == gjson.Number && sameNumber(got.Raw, string(want))
	default:
		return false
	}
}
