package probe

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// FuzzMatcher: however a message is cut, it contains what bytes.Contains finds in it.
func FuzzMatcher(f *testing.F) {
	for _, seed := range []struct{ message, needle, cuts string }{
		{"", "", ""}, {"abc", "", "\x01"}, {"abcabd", "abcabd", "\x01"}, {"aaaaab", "aaab", "\x02\x01"}, {"ababababac", "ababac", "\x03"},
		{"mississippi", "issip", "\x01\x02\x03"}, {"x", "xx", "\x01"}, {strings.Repeat("ab", 50) + "c", "ababc", "\x05"}, {"\xff\x00", "\x00", "\x00\x01"},
	} {
		f.Add([]byte(seed.message), seed.needle, []byte(seed.cuts))
	}
	f.Fuzz(func(t *testing.T, message []byte, needle string, cuts []byte) {
		m := matcher{pattern: newPattern(needle)}
		for range 2 { // a matcher is used for one message after the other
			m.reset()
			for _, chunk := range wstest.Chunks(message, cuts) {
				m.write(chunk)
			}
			if want := bytes.Contains(message, []byte(needle)); m.found != want {
				t.Fatalf("%q in %q: %v, want %v", needle, message, m.found, want)
			}
		}
	})
}

// FuzzUTF8Checker: however a text is cut, it is as valid as utf8.Valid finds it.
func FuzzUTF8Checker(f *testing.F) {
	for _, seed := range []string{"", "abc", "é€😀", "\xff", "\xe2\x82", "\xe2\x41", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "a\xf0\x9f", "\uFFFD"} {
		for _, cuts := range []string{"", "\x01", "\x02\x01", "\x00\x03"} {
			f.Add([]byte(seed), []byte(cuts))
		}
	}
	f.Fuzz(func(t *testing.T, text, cuts []byte) {
		var c utf8Checker
		valid := true
		for _, chunk := range wstest.Chunks(text, cuts) {
			valid = valid && c.write(chunk)
		}
		if valid = valid && c.end(); valid != utf8.Valid(text) {
			t.Fatalf("%q: %v", text, valid)
		}
	})
}

func BenchmarkMatcher(b *testing.B) {
	message := bytes.Repeat([]byte("abcdefgh"), 8<<10)
	m := matcher{pattern: newPattern(`"op":"pong"`)}
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		m.reset()
		m.write(message)
	}
}

// TestLongMessageIsNotKept: what was judged as a whole is not held while the run waits for the next message.
func TestLongMessageIsNotKept(t *testing.T) {
	for name, test := range map[string]struct {
		length int
		kept   bool
	}{"short": {1 << 10, true}, "long": {1 << 20, false}} {
		m := newMessage(expectation{re: regexp.MustCompile("never")}, 0)
		m.longest, m.late = 1<<20, func() bool { return false }
		m.begin(true)
		if b := m.write(bytes.Repeat([]byte("x"), test.length)); b != nil {
			t.Fatal(b)
		}
		if b := m.end(); b != nil || m.matched {
			t.Fatalf("%s: breach %v, matched %v", name, b, m.matched)
		}
		if kept := cap(m.body) > 0; kept != test.kept {
			t.Errorf("%s: kept %v, want %v", name, kept, test.kept)
		}
	}
}
