package match

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestJSONPathForms: the forms that a path can have, and what they find in a document.
func TestJSONPathForms(t *testing.T) {
	const doc = `{"id":7,"a.b":1,"$ref":"r","@type":"t","@keys":"k","!x":2,"[y":3,"":{"e":4},
		"list":[{"a":"x","n":1},{"a":"y","n":2},{"a":"x","n":3}],
		"text":"{\"op\":\"pong\",\"inner\":\"[5]\"}","braces":"[1,{\"a\":2}]","m":{"k1":10,"k2":20},
		"nested":[[1,2],[3]],"tags":[{"t":["u","v"]}]}`
	for _, test := range []struct {
		path string
		want any
	}{
		{"id", 7},
		{"$.id", 7},
		{".id", 7},
		{"$['id']", 7},
		{`$["id"]`, 7},
		{`["id"]`, 7},
		{"[BODY].id", 7},
		{"i*", 7},
		{"i?", 7},
		{`a\.b`, 1},
		{"['a.b']", 1},
		{`$["a.b"]`, 1},
		{"$ref", "r"},
		{"$['$ref']", "r"},
		{"@type", "t"},
		{"$.@type", "t"},
		{`\@keys`, "k"},
		{"['@keys']", "k"},
		{`\!x`, 2}, {"['!x']", 2}, {`\[y`, 3}, {"['[y']", 3},
		{"list.1.a", "y"}, {"list[1].a", "y"}, {"list.[1].a", "y"}, {"$.list[1]['a']", "y"}, {"list[1]|a", "y"},
		{"list.#", 3},
		{"list|#", 3},
		{"list.#.a|1", "y"},
		{`list.#(a=="y").n`, 2},
		{`list.#(a=="x")#|#`, 2},
		{`list.#(n>2).n`, 3},
		{`list.#(n==2).a`, "y"},
		{`list.#(a%"*y*").n`, 2},
		{`tags.#(t[1]=="v").t.0`, "u"},
		{`tags.#(t.#(=="v")).t.0`, "u"},
		{`list.#(a!="x").n`, 2},
		{`nested.#.#|1`, 1},
		{"list|@reverse|0.n", 3},
		{"list.@reverse.0.n", 3},
		{"m|@keys|1", "k2"},
		{"m.@values.1", 20},
		{"m|@keys|#", 2},
		{"@keys|0", "id"},
		{"@this.id", 7},
		{"text|@fromstr|op", "pong"},
		{"text.@fromstr.op", "pong"},
		{"text.@fromstr.inner.@fromstr.0", 5},
		{"text|@fromstr|inner|@fromstr|@reverse|0", 5},
		{"nested[0][1]", 2}, {"nested.1.#", 1},
	} {
		if !holds([]byte(doc), facts(map[string]any{test.path: test.want}), never) {
			parts, problem := parsePath(test.path)
			t.Errorf("%s is not %v: parts %q, %s", test.path, test.want, parts, problem)
		}
	}
	for _, path := range []string{"braces.0", "braces|0", "braces|1.a", "id|@fromstr", "braces|@keys|0", "m|@fromstr",
		"list.3", "id.x", "text.op", "missing|@this", "missing|@fromstr|a"} {
		parts, problem := parsePath(path)
		if got, _ := parts.in([]byte(doc), never); problem != "" || got.Exists() {
			t.Errorf("%s finds %s: %s", path, got.Raw, problem)
		}
	}
}

// TestJSONPathOfScalar: a document that is no object and no list can be named, and has nothing in it.
func TestJSONPathOfScalar(t *testing.T) {
	for _, test := range []struct {
		doc, path string
		want      any
		ok        bool
	}{
		{`"pong"`, "$", "pong", true},
		{` "pong" `, "@this", "pong", true},
		{"7", "$", 7, true},
		{"null", ".", nil, true},
		{"true", "[BODY]", true, true},
		{`"[1]"`, "0", 1, false},
		{`"{\"a\":1}"`, "a", 1, false},
		{`"{\"a\":1}"`, "@fromstr.a", 1, true},
		{`"{\"a\":1}"`, "$.@fromstr.a", 1, true},
		{`"{\"a\":1"`, "@fromstr.a", 1, false}, {`"[1] x"`, "@fromstr.0", 1, false},
	} {
		if holds([]byte(test.doc), facts(map[string]any{test.path: test.want}), never) != test.ok {
			t.Errorf("%s in %s is %v: not %v", test.path, test.doc, test.want, test.ok)
		}
	}
}

// TestJSONPathRefused: what could make much of a document, or could never be one value, is refused with what to write.
func TestJSONPathRefused(t *testing.T) {
	for path, want := range map[string]string{
		"":                                 "empty",
		"@pretty":                          "modifier @pretty",
		"a|@pretty":                        "modifier @pretty",
		"a.@tostr|@tostr|@tostr":           "modifier @tostr",
		"a.@ugly":                          "modifier @ugly",
		"@flatten:{\"deep\":true}":         "modifier @flatten",
		"list.@join":                       "modifier @join",
		"@group":                           "modifier @group",
		"@dig:a":                           "modifier @dig",
		"a|@valid":                         "modifier @valid",
		"list.#.@pretty":                   "modifier @pretty",
		`list.#(@pretty=="x")`:             "modifier @pretty",
		`list.#(a|@tostr=="x")`:            "modifier @tostr",
		`list.#("|@tostr|"=="x")`:          "quotes",
		"@keys:x":                          "behind @keys",
		"list.#.@fromstr":                  "write |@fromstr",
		`list.#(a.@fromstr=="x")`:          "in a query",
		"[a,b]":                            "several paths",
		"{a,b}":                            "several paths",
		"a.[b,c]":                          "several paths",
		"a|{b,c}":                          "several paths",
		"[@this,@this]|[@this,@this]":      "several paths",
		"list.#([a,b])":                    "several paths",
		"!5":                               "value of its own",
		"a|!true":                          "value of its own",
		`list.#(a=="x"`:                    "with a )",
		"list.#[a==1]":                     "parentheses",
		strings.Repeat("#.", 17) + "a":     "at most 16 of # and | together, got 17",
		strings.Repeat("a|", 17) + "a":     "at most 16",
		strings.Repeat("@this|", 17) + "a": "at most 16",
		"a*b*c*":                           "at most 2 of *, got 3",
		`list.#(a%"*x*y*z")`:               "at most 2 of *",
		"list.#(a%*x*y*z)":                 "at most 2 of *",
		"list.#(id==9007199254740993).a":   "more than 15 digits",
		"list.#(id>0.1234567890123456)":    "more than 15 digits",
		"a['']":                            "name or a number",
		"a[0]b":                            "a dot behind ]",
	} {
		if _, problem := parsePath(path); !strings.Contains(problem, want) || problem == "" {
			t.Errorf("%.60q: got %q, want %q", path, problem, want)
		}
	}
	for _, path := range []string{`list.#(a=="*x*y*z")`, "list.#(id==123456789012345000000).a", "list.#(id==0.5)",
		`a\*b\*c\*`, "a.{{nonce}}", "{{nonce}}", "a[*].b", "a[-1]", "$..id", "/a/b"} {
		if _, problem := parsePath(path); problem != "" {
			t.Errorf("%s: %s", path, problem)
		}
	}
}

// TestJSONPathMakesNoMoreOfADocument: however hostile a document is, what any part of a path makes of it is no longer
// than a few times the document.
func TestJSONPathMakesNoMoreOfADocument(t *testing.T) {
	const size = 200_000
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	quoted, _ := json.Marshal(strings.Repeat(`"\`, size/8))
	bomb, _ := json.Marshal(strings.Repeat("[", size))
	long := strings.Repeat("k", size)
	for name, doc := range map[string]string{
		"deep":                  deep,
		"deep in a text":        string(bomb),
		"deep objects":          strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000),
		"deep and wide":         `{"a":` + deep + `,"b":"` + long + `"}`,
		"many elements":         `[` + strings.Repeat("1,", size/2) + "1]",
		"escapes":               string(quoted),
		"long keys":             fmt.Sprintf(`{"%s":[1,2],"a%s":{"a":1}}`, long, long),
		"lists by a long key":   fmt.Sprintf(`{"%s":[%s1]}`, long, strings.Repeat("1,", size/2)),
		"members of one name":   `{` + strings.Repeat(`"a":{"a":1},`, size/12) + `"b":1}`,
		"texts that look alike": `["` + strings.Repeat(`aaaaab","`, size/9) + `"]`,
	} {
		if !json.Valid([]byte(doc)) {
			t.Fatalf("%s is no document", name)
		}
		for _, path := range []string{"$", "@keys", "@values", "@reverse", "@fromstr", "@fromstr|@fromstr",
			"@reverse|@reverse|@reverse", "@values|@values|@keys|@keys",
			"#", "#.#.#.#.#.a", "*.*", "a*b*", `#(a%"*a*")#`, `#(#(#(#(a))))#`, "*|*|0|0", "a.a.a.a.a.a"} {
			parts, problem := parsePath(path)
			if problem != "" {
				t.Fatalf("%s: %s", path, problem)
			}
			if got, _ := parts.in([]byte(doc), never); len(got.Raw) > 4*len(doc)+16 {
				t.Errorf("%s makes %d bytes of %s, which is %d long", path, len(got.Raw), name, len(doc))
			}
		}
	}
}

// TestJSONPathEndsWhenTimeIsUp: a path of many parts is not looked up further once time is up.
func TestJSONPathEndsWhenTimeIsUp(t *testing.T) {
	looks := 0
	late := func() bool { looks++; return looks > 2 }
	parts, _ := parsePath("a|@this|@this|@this")
	if got, _ := parts.in([]byte(`{"a":1}`), late); got.Exists() || looks != 3 {
		t.Errorf("found %s after %d looks", got.Raw, looks)
	}
}
