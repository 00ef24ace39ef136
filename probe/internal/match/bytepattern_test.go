package match

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestBytePattern: a binary message is looked at byte by byte.
func TestBytePattern(t *testing.T) {
	for _, test := range []struct {
		expr, message string
		want          []int // nil for none
	}{
		{`\xff\x00`, "a\xff\x00b", []int{1, 3}},
		{`^\x20\x02\x00\x00$`, "\x20\x02\x00\x00", []int{0, 4}},
		{`^.{4}$`, "\xc3\xa9\xff\xfe", []int{0, 4}},
		{`^[\x80-\xff]+$`, "\x80\x90\xff", []int{0, 3}},
		{`^[^\xff]+$`, "a\xffb", nil},
		{`^[\x00-\x7f]*$`, "caf\xc3\xa9", nil},
		{`\x{ff}`, "\xff", []int{0, 1}},
		{"é", "caf\xc3\xa9!", []int{3, 5}},
		{"^é+$", "\xc3\xa9\xc3\xa9", []int{0, 4}},
		{`\Qé.\E+`, "\xc3\xa9..", []int{0, 4}},
		{"(?i)K[a-s]", "\x00ks", []int{1, 3}},
		{`\xe9`, "\xc3\xa9", nil},
		{`\xe9`, "\xe9", []int{0, 1}},
		{`(\x90.)(..)`, "\x00\x90\x01\x02\x03", []int{1, 5, 1, 3, 3, 5}},
		{`(?s)\x01.\x02`, "\x01\n\x02", []int{0, 3}},
		{`\x01.\x02`, "\x01\n\x02", nil},
		{`[]\xff]`, "\xff", []int{0, 1}},
		{`[[:alpha:]\]]+`, "\xffa]", []int{1, 3}},
		{`(?:a|\xff)\b`, "\xff a", []int{2, 3}},
		{"", "\xff", []int{0, 0}},
	} {
		re := bytePattern(test.expr)
		if re == nil {
			t.Errorf("%s is not for bytes", test.expr)
			continue
		}
		for _, before := range []string{"", strings.Repeat("\xfe", 3000)} {
			if before != "" && (test.want == nil || anchored(re) || test.want[1] == 0 ||
				strings.Contains(test.expr, `\b`) || strings.Contains(test.expr, "80-")) {
				continue
			}
			want := slices.Clone(test.want)
			for i := range want {
				want[i] += len(before)
			}
			if got := findBytes(re, []byte(before+test.message), never); !slices.Equal(got, want) {
				t.Errorf("%s in %q: %v, want %v", test.expr, test.message, got, want)
			}
		}
	}
	for _, expr := range []string{`\p{L}`, `\P{L}`, `[äö]`, `[\pL]`, `\x{20ac}`, `[\x{100}-\x{200}]`} {
		if re := bytePattern(expr); re != nil {
			t.Errorf("%s is for bytes: %s", expr, re)
		}
	}
}

// FuzzBytePattern: whatever a regular expression is, its form for bytes compiles, and finds in ASCII what it finds
// itself.
func FuzzBytePattern(f *testing.F) {
	for _, seed := range []string{`a\Qb.\E+`, `[]a\]é]`, "(?i)é(?P<x>k)", `[^[:alpha:]\xff]`, `\xff.`, "é{2}", `\p{L}`,
		`(?:a|b)*$`, `\[é\]`} {
		f.Add(seed, "abk .\n")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil || len(expr) > 100 || !isASCII(text) {
			return
		}
		form, ok := byteForm(expr)
		if !ok {
			return
		}
		if _, err := regexp.Compile(form); err != nil {
			t.Fatalf("%q becomes %q: %v", expr, form, err)
		}
		if binary := bytePattern(expr); binary != nil && isASCII(expr) &&
			binary.MatchString(text) != re.MatchString(text) {
			t.Errorf("%q in %q", expr, text)
		}
	})
}
