package yamltree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// lines returns faults as a person reads them.
func lines(faults []Fault) string {
	var all []string
	for _, f := range faults {
		all = append(all, fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Path, f.Problem))
	}
	return strings.Join(all, "\n")
}

// TestParse: what cannot be read is one fault, at the character that is too much.
func TestParse(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a mapping":           {"a: 1\n", ""},
		"empty":               {"# nothing\n", "1:1 : is empty"},
		"null":                {"~\n", "1:1 : is empty"},
		"two documents":       {"a: 1\n---\nb: 2\n", "2:1 : must be the only document of the file"},
		"no UTF-8":            {"a: b\nc: \xff\n", "2:4 : must be UTF-8"},
		"a control character": {"ä: \x00\n", "1:4 : must not contain the control character U+0000"},
		"a colon in text":     {"a: b: c\n", "1:5 : mapping values are not allowed in this context: text that contains a colon and a blank needs quotes"},
		"a quote left open":   {"a: 'b\n", "1:4 : found unexpected end of stream: the quotes are never closed"},
		"an unknown anchor":   {"a: *b\n", "1:4 : unknown anchor 'b' referenced"},
		"no such reference":   {"a: ${x:Y}\n", "1:4 a: has a ${ that begins neither ${env:NAME} nor ${file:PATH}: write $${ for these two characters"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReport("f")
			if root := Parse(r, []byte(test.text)); root == nil && test.want == "" {
				t.Error("nothing was read")
			}
			if got := lines(r.Faults()); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestPairs: the entries of a mapping are those that it writes and those that its merge keys add, each once.
func TestPairs(t *testing.T) {
	for name, test := range map[string]struct{ text, keys, want string }{
		"in order":             {"{b: 1, a: 2}", "b a", ""},
		"twice":                {"{a: 1, b: 2, a: 3}", "a b", "1:14 a: is there twice, see line 1"},
		"no text":              {"{1: a}", "", "1:2 : a key must be text, got a number: put it in quotes"},
		"merged":               {"{a: 1, <<: {a: 2, b: 3}}", "a b", ""},
		"the first merge wins": {"{<<: [{a: 1}, {a: 2, c: 3}], b: 4}", "b a c", ""},
		"merged from no map":   {"{<<: 1, a: 2}", "a", "1:6 : a merge key needs a mapping or a list of mappings, got a number"},
	} {
		t.Run(name, func(t *testing.T) {
			report := NewReport("f")
			root := Parse(report, []byte(test.text))
			var keys []string
			for _, p := range NewReader(report, len(test.text)).Pairs(root, nil, Path{}) {
				keys = append(keys, p.Key.Value)
			}
			if got := strings.Join(keys, " "); got != test.keys {
				t.Errorf("keys %s, want %s", got, test.keys)
			}
			if got := lines(report.Faults()); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestAliases: a mapping that aliases lead to is one mistake, reported where it was read first.
func TestAliases(t *testing.T) {
	report := NewReport("f")
	root := Parse(report, []byte("first: &a {x: 1}\nsecond: *a\n"))
	r := NewReader(report, 0)
	for _, section := range r.Pairs(root, nil, Path{}) {
		where := Path{Section: section.Key.Value}
		for _, p := range r.Pairs(section.Value, AliasOf(section.ValueAt), where) {
			r.Used(p.Value, p.ValueAt, where.Field(p.Key.Value), "is wrong")
			r.Used(p.Value, p.ValueAt, where.Field(p.Key.Value), "is wrong in %s", where)
		}
	}
	const want = "1:15 first.x: is wrong\n1:15 first.x: is wrong in first\n2:9 second.x: is wrong in second"
	if got := lines(report.Faults()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestBudget: aliases cannot make a huge file of a small one.
func TestBudget(t *testing.T) {
	report := NewReport("f")
	root := Parse(report, []byte("{a: 1}"))
	r := NewReader(report, 1000)
	for reads := 0; !r.Exhausted(); reads++ {
		if r.Pairs(root, nil, Path{}); reads > aliasBudget {
			t.Fatal("no end")
		}
	}
	if got := r.Pairs(root, nil, Path{}); got != nil {
		t.Errorf("got %v behind the end", got)
	}
	if got, want := lines(report.Faults()), "1:1 : aliases and merge keys make more than 1000000 entries of this file"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestHiddenParts: a message repeats nothing of what was substituted in the value that it is about.
func TestHiddenParts(t *testing.T) {
	t.Setenv("TOKEN", "swordfish")
	report := NewReport("f")
	root := Parse(report, []byte("a: x-${env:TOKEN}\n"))
	n := root.Content[1]
	if source, referred := report.Source(n); n.Value != "x-swordfish" || source != "x-${env:TOKEN}" || !referred || !report.Substituted(n) {
		t.Errorf("value %s, source %s, %v", n.Value, source, referred)
	}
	report.At(n, Path{}.Field("a"), "must not be swordfish, got %s", excerpt.Quote(n.Value))
	if got := lines(report.Faults()); got != "1:4 a: must not be [redacted]" {
		t.Error(got)
	}
}

// TestPath: a place is written as a person would write it.
func TestPath(t *testing.T) {
	probe := Path{Section: "probes", Index: 4}
	for want, p := range map[string]Path{
		"a":                            Path{}.Field("a"),
		"otlp.tls.ca_file":             Path{Section: "otlp.tls"}.Field("ca_file"),
		"probes[3]":                    probe,
		"probes[3].headers.Origin":     probe.Field("headers").Name("Origin"),
		`probes[3].headers["a b"]`:     probe.Field("headers").Name("a b"),
		"probes[3].protocols[1]":       probe.Field("protocols").Item(1),
		"probes[3].tls.key_file":       probe.Within("tls").Field("key_file"),
		"probes[3].exchange[0].send":   probe.Field("exchange").Step(0).Field("send"),
		`probes[3]."not \u2028 plain"`: probe.deeper("not \u2028 plain"),
	} {
		if p.String() != want {
			t.Errorf("got %s, want %s", p, want)
		}
	}
	if got := probe.Field("exchange").Step(2).Field("send").Place(); got != "exchange[2].send" {
		t.Error(got)
	}
}
