package main

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// TestHelpFitsTheTerminal wants no line of help to be wider than 80 columns.
func TestHelpFitsTheTerminal(t *testing.T) {
	root := newRoot(io.Discard, io.Discard)
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		var help strings.Builder
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil || !strings.Contains(help.String(), "Usage:") {
			t.Fatalf("%s: %v, %q", cmd.Name(), err, help.String())
		}
		for line := range strings.Lines(help.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", cmd.Name(), n, line)
			}
		}
	}
}
