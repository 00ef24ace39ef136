package match

import "testing"

// TestValue holds the numbers and texts that a path finds in a message of any kind.
func TestValue(t *testing.T) {
	never := func() bool { return false }
	for message, want := range map[string]struct {
		number int64
		text   string
		ok     bool
	}{
		`{"d":{"n":7}}`:                      {7, "7", true},
		`{"d":{"n":"7"}}`:                    {7, "7", true},
		`{"d":{"n":7.0}}`:                    {7, "7.0", true},
		`{"d":{"n":1e3}}`:                    {1000, "1e3", true},
		`{"d":{"n":-1}}`:                     {-1, "-1", true},
		`{"d":{"n":9223372036854775807}}`:    {1<<63 - 1, "9223372036854775807", true},
		`{"d":{"n":"9007199254740993"}}`:     {9007199254740993, "9007199254740993", true},
		`{"d":{"n":7.5}}`:                    {0, "7.5", true},
		`{"d":{"n":9223372036854775808}}`:    {0, "9223372036854775808", true},
		`{"d":{"n":"2026-11-28T08:00:00Z"}}`: {0, "2026-11-28T08:00:00Z", true},
		`{"d":{"n":null}}`:                   {}, `{"d":{"n":true}}`: {}, `{"d":{"n":[7]}}`: {}, `{"d":7}`: {}, `{"d":{"n":7}`: {}, "": {}, "\xff": {},
	} {
		v := NewValue("d.n")
		if got, _ := v.Integer([]byte(message), never); got != want.number {
			t.Errorf("%s: number %d", message, got)
		}
		if got, ok := v.Text([]byte(message), never); got != want.text || ok != want.ok {
			t.Errorf("%s: text %q, %t", message, got, ok)
		}
	}
	if NewValue("").Given() || !NewValue("$").Given() {
		t.Error("an empty path is given, or a root is not")
	}
}

// TestMatches: a whole message is judged at once as it is in pieces.
func TestMatches(t *testing.T) {
	never := func() bool { return false }
	pattern, err := Pattern(`^t\d$`)
	if err != nil {
		t.Fatal(err)
	}
	text, any, object := Text("needle"), Text(""), JSON(map[string]any{"a.b": 1})
	for _, row := range []struct {
		e       *Expectation
		message string
		want    bool
	}{
		{&any, "", true}, {&any, "x", true}, {&text, "a needle", true}, {&text, "need", false},
		{&pattern, "t1", true}, {&pattern, "tt", false}, {&object, `{"a":{"b":1.0}}`, true}, {&object, `{"a":{"b":2}}`, false}, {&object, `x`, false},
	} {
		if got := row.e.Matches([]byte(row.message), true, nil, never); got != row.want {
			t.Errorf("%q: %t", row.message, got)
		}
	}
	if !any.Any() || text.Any() || pattern.Any() || object.Any() {
		t.Error("only the empty text is any message")
	}
}
