package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// jsonFact is what must stand at a place of a JSON document. want is nil, a bool, a string or a json.Number.
type jsonFact struct {
	path string
	want any
}

// jsonFacts prepares Step.ExpectJSON, which Validate has found good.
func jsonFacts(expect map[string]any) []jsonFact {
	facts := make([]jsonFact, 0, len(expect))
	for _, path := range slices.Sorted(maps.Keys(expect)) {
		want, _ := jsonScalar(expect[path])
		facts = append(facts, jsonFact{plainPath(path), want})
	}
	return facts
}

// index is how JSONPath (RFC 9535) writes an element of an array.
var index = regexp.MustCompile(`\[(\d+)\]`)

// plainPath takes the two things of JSONPath that people write out of habit, $.items[0].id, into gjson's items.0.id.
func plainPath(path string) string {
	path = index.ReplaceAllString(path, ".$1")
	if rest, ok := strings.CutPrefix(path, "$."); ok {
		return rest
	}
	return path
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

// jsonHolds reports whether a message is a JSON document (RFC 8259) in which every fact holds. Whether it is a
// document is asked of encoding/json, which bounds the depth; gjson would recurse as deep as a server likes, and
// then find a value without building the document.
//
// To find each fact takes time again; once time is up, none holds.
func jsonHolds(body []byte, facts []jsonFact, late func() bool) bool {
	if !json.Valid(body) {
		return false
	}
	return !slices.ContainsFunc(facts, func(f jsonFact) bool {
		return late() || !sameJSON(gjson.GetBytes(body, f.path), f.want)
	})
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

// sameNumber compares whole numbers digit by digit, because identifiers outgrow what a float64 tells apart.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a, ".eE") && !strings.ContainsAny(b, ".eE") {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
