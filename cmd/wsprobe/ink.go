package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// ink colours texts for a terminal. Without it they stay as they are.
type ink bool

// inkFor is what a writer shows: a terminal that can has colours, unless NO_COLOR is set.
func inkFor(out io.Writer) ink {
	return ink(os.Getenv("NO_COLOR") == "" && isTerminal(out))
}

// isTerminal reports whether a writer is a terminal that obeys control sequences.
func isTerminal(out io.Writer) bool {
	if o, ok := out.(*output); ok {
		out = o.Writer
	}
	file, ok := out.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

func (i ink) paint(code, text string) string {
	if !i || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (i ink) bold(text string) string  { return i.paint("1", text) }
func (i ink) faint(text string) string { return i.paint("2", text) }
func (i ink) bad(text string) string   { return i.paint("1;31", text) }
func (i ink) good(text string) string  { return i.paint("32", text) }
func (i ink) odd(text string) string   { return i.paint("33", text) }
