package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// tone says what a piece of text means, and thus its colour.
type tone int

const (
	plain tone = iota
	strong
	good
	bad
	quiet
)

// escapes are the select-graphic-rendition sequences (ECMA-48 8.3.117) of the tones. The sixteen colours are used
// because people have chosen them to be readable on their background.
func (t tone) escape() string {
	return [...]string{plain: "", strong: "\x1b[1m", good: "\x1b[32m", bad: "\x1b[31m", quiet: "\x1b[2m"}[t]
}

// span is a piece of text in one tone. Every character of it is one column wide.
type span struct {
	text string
	tone tone
}

func (s span) width() int { return utf8.RuneCountInString(s.text) }

// line is a line of spans.
type line []span

// write appends the line to b, cut at a width. Colours are closed within the line, so that a cut picture
// does not stain the terminal.
func (l line) write(b *strings.Builder, width int, colour bool) {
	l = l.cut(width)
	for _, s := range l {
		escape := ""
		if colour {
			escape = s.tone.escape()
		}
		b.WriteString(escape)
		b.WriteString(s.text)
		if escape != "" {
			b.WriteString("\x1b[0m")
		}
	}
}

// cut shortens a line to a width, and drops blanks at its end.
func (l line) cut(width int) line {
	var out line
	for _, s := range l {
		s.text = clip(s.text, width)
		width -= s.width()
		out = append(out, s)
	}
	for n := len(out); n > 0; n-- {
		out[n-1].text = strings.TrimRight(out[n-1].text, " ")
		if out[n-1].text != "" {
			return out[:n]
		}
	}
	return nil
}

// clip shortens a text to a width and shows that something is missing.
func clip(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return string([]rune(s)[:width-1]) + "…"
}

// pad is that many blanks.
func pad(width int) string { return strings.Repeat(" ", max(width, 0)) }

// left makes a span exactly as wide as a column, its text at the left.
func (s span) left(width int) span {
	s.text = clip(s.text, width)
	s.text += pad(width - s.width())
	return s
}

// right makes a span exactly as wide as a column, its text at the right.
func (s span) right(width int) span {
	s.text = clip(s.text, width)
	s.text = pad(width-s.width()) + s.text
	return s
}

// String is the latency for a table, a dash if it was not measured.
func (l latency) String() string {
	switch {
	case !l.ok:
		return "-"
	case l.ms < 9.995: // what is not 10.0 once it is rounded; on the loopback interface, 0.0 ms would look like nothing at all
		return fmt.Sprintf("%.2f ms", l.ms)
	default:
		return fmt.Sprintf("%.1f ms", l.ms)
	}
}

// age writes how long ago something was, in three characters for an hour and a half.
func age(d time.Duration) string {
	switch s := int(max(d, 0) / time.Second); {
	case s < 100:
		return strconv.Itoa(s) + "s"
	case s < 100*60:
		return strconv.Itoa(s/60) + "m"
	default:
		return strconv.Itoa(s/3600) + "h"
	}
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
