package visible

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"plain, ünïcode, 日本":         "plain, ünïcode, 日本",
		"\U0001f469\u200d\U0001f4bb": "\U0001f469\u200d\U0001f4bb",
		"a\ufffdb":                   "a\ufffdb",
		"line\r\nline\tend":          `line\r\nline\tend`,
		"\x1b[2J\x00\x7f":            `\x1b[2J\x00\x7f`,
		"\u0085\u009b31m":            `\u0085\u009b31m`,
		"\x9b31m\xff":                `\x9b31m\xff`,
		"\u202eabc\u2066\u200e":      `\u202eabc\u2066\u200e`,
		"\u2028\u2029":               `\u2028\u2029`,
		"\ufeff\u200b\u00ad":         `\ufeff\u200b\u00ad`,
		"\U000e0041":                 `\U000e0041`,
		`a "quoted" \ backslash`:     `a "quoted" \ backslash`,
	} {
		if got := Text(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// FuzzText: what comes out is UTF-8 on one line, and does not change when it is escaped again.
func FuzzText(f *testing.F) {
	f.Add("\x00\x1b[31m\xff\u202e\r\n\t\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		got := Text(text)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b\x00\x7f\u0085\u202e\u2066\u2028") || Text(got) != got {
			t.Errorf("%q from %q", got, text)
		}
	})
}
