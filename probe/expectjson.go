package probe

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

// jsonFact is what must stand at a place of a JSON document. want is nil, a bool, a string or a json.Number.
type jsonFact struct {
	path  string // as it was written
	parts jsonPath
	want  any
}

// jsonFacts prepares Step.ExpectJSON, which Validate has found good.
func jsonFacts(expect map[string]any) []jsonFact {
	facts := make([]jsonFact, 0, len(expect))
	for _, path := range slices.Sorted(maps.Keys(expect)) {
		want, _ := jsonScalar(expect[path])
		parts, _ := parseJSONPath(path)
		facts = append(facts, jsonFact{path, parts, want})
	}
	return facts
}

// jsonScalar brings a value into the form of a jsonFact and reports whether there is one.
func jsonScalar(value any) (any, bool) {
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

// jsonHolds reports whether a message is a JSON document (RFC 8259) in which every fact holds, or which does not. Whether
// it is a document is asked of encoding/json, which bounds the depth; gjson would recurse as deep as a server likes, and
// then find a value without building the document.
//
// To find each fact takes time again; once time is up, none holds.
func jsonHolds(body []byte, facts []jsonFact, late func() bool) (bool, jsonMiss) {
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

// in returns what stands at the path in a valid document, or a result that does not exist: once time is up, too. It is not
// ok if a text that should be JSON is none.
func (p jsonPath) in(body []byte, late func() bool) (r gjson.Result, ok bool) {
	for i, part := range p {
		if late() {
			return gjson.Result{}, true
		}
		switch {
		case i == 0 && part[0] != '@' && isContainer(body):
			r = gjson.GetBytes(body, part) // copies what it finds, not the document
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

// partOf returns what one part of a path finds. Only objects and lists have anything in them: gjson would look into a
// text for braces.
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
