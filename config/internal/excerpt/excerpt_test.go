package excerpt_test

import (
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// TestExcerpts: an excerpt is short, valid and on one line, whatever the text.
func TestExcerpts(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `""`,
		"plain":                        `"plain"`,
		"two\nlines":                   `"two\nlines"`,
		"\x1b[31m\u202e":               `"\x1b[31m\u202e"`,
		strings.Repeat("x", 60):        `"` + strings.Repeat("x", 60) + `"`,
		strings.Repeat("x", 61):        `"` + strings.Repeat("x", 60) + `..."`,
		strings.Repeat("x", 59) + "äö": `"` + strings.Repeat("x", 59) + `..."`,
	} {
		if got := excerpt.Quote(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := excerpt.Cut("abc", 2); got != "ab..." {
		t.Error(got)
	}
}
