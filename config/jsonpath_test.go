package config

import "testing"

// TestPathDoubt: a path of another dialect is told with the spelling that works, and one that works is not told.
func TestPathDoubt(t *testing.T) {
	const several = "asks for several values at once: write the path to one, with the number of an element, such as items.0.id"
	const never = "is not a supported path: write the path to one value, such as items.0.id"
	const whole = "is the document as a whole: write the path to a value, or use expect_message"
	write := func(path string) string { return "is a path of another dialect: write " + path }
	for path, want := range map[string]string{
		"type":              "",
		"0":                 "",
		"data.items.0.id":   "",
		`a\.b`:              "",
		"items.#":           "",
		"a-b_c":             "",
		"$schema":           "",
		"a.$ref":            "",
		"application/json":  "",
		"$.a":               "", // as JSONPath has it, and taken
		"a[0]":              "",
		"a[0][1].b":         "",
		"$.items[0].id":     "",
		"$[3]":              "",
		"$[0].a":            "",
		"$":                 whole,
		".":                 whole,
		"[BODY]":            whole,
		"[0]":               write("0"),
		"[0].a":             write("0.a"),
		"[0][1]":            write("0.1"),
		".a":                write("a"),
		".a.b[0]":           write("a.b.0"),
		".[0].a":            write("0.a"),
		".a.[0]":            write("a.0"),
		"$['a']":            write("a"),
		`$["a"]["b.c"]`:     write(`a.b\.c`),
		"a['b'].c":          write("a.b.c"),
		"/a/b":              write("a.b"),
		"/items/0/x~1y":     write("items.0.x/y"),
		"[BODY].data.id":    write("data.id"),
		"[BODY][0].id":      write("0.id"),
		"$..id":             several,
		"a[*].b":            several,
		"$.items[*]":        several,
		".items[].id":       several,
		"$.*":               several,
		"items[-1]":         never,
		"items[?(@.id==1)]": never,
		"items[0:2]":        never,
		"$.items.length()":  never,
		"a.{{nonce}}":       "has a placeholder in a path, where nothing is filled in: only values have them",
		"$.a['b']":          write("a.b"),
		"$a":                "",
	} {
		if got := pathDoubt(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
