package match

import (
	"bytes"
	"testing"
)

// TestLongMessageIsNotKept: a long message that did not match frees its memory while the run waits for the next one.
func TestLongMessageIsNotKept(t *testing.T) {
	for _, test := range []struct {
		name   string
		length int
		kept   bool
	}{
		{"short", 1 << 10, true},
		{"long", 1 << 20, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect, err := Pattern("never")
			if err != nil {
				t.Fatal(err)
			}
			m := NewMessage(&expect, Options{Longest: 1 << 20, Late: never})
			m.Begin(true)
			if !m.Write(bytes.Repeat([]byte("x"), test.length)) || !m.End() || m.Matched() {
				t.Fatalf("not UTF-8, or matched: %v", m.Matched())
			}
			if kept := cap(m.body) > 0; kept != test.kept {
				t.Errorf("kept %v, want %v", kept, test.kept)
			}
		})
	}
}
