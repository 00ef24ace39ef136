package match

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// FuzzSearch: however a message is cut, it contains what bytes.Contains finds in it.
func FuzzSearch(f *testing.F) {
	for _, seed := range []struct{ message, needle, cuts string }{
		{"", "", ""},
		{"abc", "", "\x01"},
		{"abcabd", "abcabd", "\x01"},
		{"aaaaab", "aaab", "\x02\x01"},
		{"ababababac", "ababac", "\x03"},
		{"mississippi", "issip", "\x01\x02\x03"},
		{"x", "xx", "\x01"},
		{strings.Repeat("ab", 50) + "c", "ababc", "\x05"},
		{"\xff\x00", "\x00", "\x00\x01"},
	} {
		f.Add([]byte(seed.message), seed.needle, []byte(seed.cuts))
	}
	f.Fuzz(func(t *testing.T, message []byte, needle string, cuts []byte) {
		s := search{needle: newNeedle(needle)}
		for range 2 { // a search is used for one message after the other
			s.reset()
			for _, chunk := range wstest.Chunks(message, cuts) {
				s.write(chunk)
			}
			if want := bytes.Contains(message, []byte(needle)); s.found != want {
				t.Fatalf("%q in %q: %v, want %v", needle, message, s.found, want)
			}
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	message := bytes.Repeat([]byte("abcdefgh"), 8<<10)
	s := search{needle: newNeedle(`"op":"pong"`)}
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		s.reset()
		s.write(message)
	}
}
