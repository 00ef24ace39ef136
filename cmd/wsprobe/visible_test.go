package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLogIsVisible: no text in a line of the log, in either form, drives a terminal or breaks the line.
func TestLogIsVisible(t *testing.T) {
	const hostile = "a\x1b[2J\x7f\u009b31m\u202e\u2028\xff\x9b\nb"
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := newLogger(&out, format, slog.LevelInfo)
		log.With("with", hostile).WithGroup("group").Info(hostile, "text", hostile, "err", errors.New(hostile), slog.Group("inner", "text", hostile))
		line := strings.TrimSuffix(out.String(), "\n")
		if !utf8.ValidString(line) || strings.ContainsAny(line, "\x1b\x7f\u009b\u202e\u2028\n") {
			t.Errorf("%s: %q", format, line)
		}
		if strings.Count(line, "31m") != 5 {
			t.Errorf("%s lacks a text: %s", format, line)
		}
	}
}
