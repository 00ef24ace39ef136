package yamltree

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestExpand: what stands in a text, and what comes of it.
func TestExpand(t *testing.T) {
	t.Setenv("A", "alpha")
	t.Setenv("EMPTY", "")
	t.Setenv("TRICKY", "${env:A} $${ {{x}} $")
	dir := t.TempDir()
	for name, text := range map[string]string{"line": "secret\n", "crlf": "secret\r\n", "two": "secret\n\n", "lines": "a\nb", "cr": "secret\r"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newSubstitution(NewReport(""))
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"plain", "plain"},
		{"${env:A}", "alpha"},
		{"x${env:A}y${env:A}", "xalphayalpha"},
		{"${env:EMPTY}|${env:EMPTY}", "|"},
		{"$ $$ $A $$A } {} ${env:A}$", "$ $$ $A $$A } {} alpha$"},
		{"$${env:A}", "${env:A}"},
		{"$${", "${"},
		{"$${${env:A}}", "${alpha}"},
		{"$$${env:A}", "$${env:A}"},
		{"{{name}} {% x %} #{y}", "{{name}} {% x %} #{y}"},
		{"${env:TRICKY}", "${env:A} $${ {{x}} $"}, // once is enough
		{"${file:" + dir + "/line}", "secret"},
		{"${file:" + dir + "/crlf}", "secret"},
		{"${file:" + dir + "/two}", "secret\n"},
		{"${file:" + dir + "/lines}", "a\nb"},
		{"${file:" + dir + "/cr}", "secret\r"},
	} {
		got, pieces, problems := s.expand(test.text)
		if got != test.want || problems != nil {
			t.Errorf("%q: got %q, %v; want %q", test.text, got, problems, test.want)
		}
		for _, p := range pieces {
			if text := got[p.From:p.To]; !slices.Contains([]string{"alpha", "secret", "secret\n", "secret\r", "a\nb", "${env:A} $${ {{x}} $"}, text) {
				t.Errorf("%q: the piece %q was not substituted", test.text, text)
			}
		}
	}
}
