package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFindSubmatch: a text that is given character by character is matched as package regexp matches it whole.
func TestFindSubmatch(t *testing.T) {
	long := strings.Repeat("ab\n é€😀\xff", shortText)
	for _, expr := range []string{
		"", "b", "^ab", "é$", "\xef\xbf\xbd?$", `(?s)^(.*)(?P<last>😀.)$`, `(?m)^ é€`, `\bab\b`, `\Bx`, `a(x)?b`, "€😀",
		`\z`, `(?i)AB`, `[^\x00-\x7f]{4}`, "never there",
		"(^ab)", "^(ab\n)", "é(.)", "ab(x|$)", `😀(?P<x>\b|.)a`, "x(ab)", `(?m:^)ab`, "never( there)", "😀(.){2}",
		"b{1,2}x{0,3}$",
	} {
		re, err := regexp.Compile(expr)
		if err != nil {
			continue // a byte that is not UTF-8 is no expression
		}
		for _, text := range []string{"", "ab", long, "x" + long + "x", long + "ab"} {
			if got, want := findSubmatch(re, []byte(text), never),
				re.FindSubmatchIndex([]byte(text)); !slices.Equal(got, want) {
				t.Errorf("%q in %d bytes: %v, want %v", expr, len(text), got, want)
			}
		}
	}
}

// TestFindSubmatchInTime: the clock is looked at every few characters, and once time is up nothing is found, not even
// what the text had up to there.
func TestFindSubmatchInTime(t *testing.T) {
	text := []byte(strings.Repeat("a", 1<<20))
	for _, limit := range []int{1, 7, 1000} {
		for _, expr := range []string{"a+", "a$", `(a{1,1000}b)`, "^(a|b)*$"} {
			t.Run(fmt.Sprint(expr, " ", limit), func(t *testing.T) {
				looks := 0
				if m := findSubmatch(regexp.MustCompile(expr), text, func() bool {
					looks++
					return looks >= limit
				}); m != nil || looks != limit {
					t.Errorf("%v after %d looks at the clock", m, looks)
				}
			})
		}
	}
}
