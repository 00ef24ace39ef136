package match

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONHolds: values are compared by type and value, at paths that gjson resolves.
func TestJSONHolds(t *testing.T) {
	const doc = `{"id":7,"ok":true,"no":null,"name":"ä\u0062c","big":12345678901234567890,"f":1.50,` +
		`"list":[{"a":"x"},{"a":"y"}],"a.b":1}`
	for _, test := range []struct {
		path string
		want any
		ok   bool
	}{
		{"id", 7, true},
		{"id", 7.0, true},
		{"id", json.Number("7"), true},
		{"id", 8, false},
		{"id", "7", false},
		{"id", true, false},
		{"id", nil, false},
		{"ok", true, true}, {"ok", false, false}, {"ok", "true", false}, {"ok", 1, false},
		{"no", nil, true}, {"no", "", false}, {"no", false, false}, {"missing", nil, false}, {"missing", "", false},
		{"name", "äbc", true}, {"name", "äb", false},
		{"big", uint64(12345678901234567890), true},
		{"big", json.Number("12345678901234567891"), false},
		{"big", json.Number("12345678901234567890.0"), true},
		{"f", 1.5, true}, {"f", json.Number("15e-1"), true}, {"f", 1, false},
		{"list.1.a", "y", true}, {"list.#", 2, true}, {"list", "x", false}, {"list.2.a", "y", false}, {`a\.b`, 1, true},
		{"$.id", 7, true}, {"$.list[1].a", "y", true}, {"list[0].a", "x", true},
	} {
		if holds([]byte(doc), facts(map[string]any{test.path: test.want}), never) != test.ok {
			t.Errorf("%s is %v (%T): not %v", test.path, test.want, test.want, test.ok)
		}
	}
	if !holds([]byte(` ["a",[2]] `), facts(map[string]any{"0": "a", "1.0": 2}), never) {
		t.Error("a list is no document")
	}
	if holds([]byte(doc), facts(map[string]any{"id": 7, "ok": false}), never) {
		t.Error("one of two facts is enough")
	}
}

// TestJSONHoldsOnlyInJSON: what is no document matches nothing, and cannot exhaust the stack.
func TestJSONHoldsOnlyInJSON(t *testing.T) {
	facts := facts(map[string]any{"a": 1})
	for _, text := range []string{"", "a", `{"a":1`, `{"a":1}}`, `{"a":1} {"a":1}`, `[{"a":1}]`,
		"{\"a\":1,\"b\":\"\x00\"}",
		strings.Repeat("[", 1<<20), `{"a":1,"b":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + "}"} {
		if holds([]byte(text), facts, never) {
			t.Errorf("%.40q holds", text)
		}
	}
}

// holds is jsonHolds without the reason.
func holds(body []byte, facts []fact, late func() bool) bool {
	ok, _ := jsonHolds(body, facts, late)
	return ok
}
