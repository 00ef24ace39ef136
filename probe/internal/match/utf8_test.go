package match

import (
	"testing"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// FuzzUTF8Checker: however a text is cut, it is as valid as utf8.Valid finds it.
func FuzzUTF8Checker(f *testing.F) {
	for _, seed := range []string{"", "abc", "é€😀", "\xff", "\xe2\x82", "\xe2\x41", "\xed\xa0\x80", "\xc0\xaf",
		"\xf4\x90\x80\x80", "a\xf0\x9f", "\uFFFD"} {
		for _, cuts := range []string{"", "\x01", "\x02\x01", "\x00\x03"} {
			f.Add([]byte(seed), []byte(cuts))
		}
	}
	f.Fuzz(func(t *testing.T, text, cuts []byte) {
		var c UTF8
		valid := true
		for _, chunk := range wstest.Chunks(text, cuts) {
			valid = valid && c.Write(chunk)
		}
		if valid = valid && c.End(); valid != utf8.Valid(text) {
			t.Fatalf("%q: %v", text, valid)
		}
	})
}
