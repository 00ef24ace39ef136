package redact_test

import (
	"testing"

	"github.com/wsprobe/wsprobe/probe/redact"
)

// TestURL: neither the query nor the user information of a URL is shown.
func TestURL(t *testing.T) {
	for raw, want := range map[string]string{
		"ws://h/p":                "ws://h/p",
		"wss://h":                 "wss://h",
		"wss://h?":                "wss://h",
		"wss://h/p?token=x":       "wss://h/p?[redacted]",
		"wss://h?token=x":         "wss://h?[redacted]",
		"wss://user:pass@h:1/p?q": "wss://h:1/p?[redacted]",
		"wss://user:p@ss@h/a@b":   "wss://h/a@b",
		"wss://u:p@h?x=a/b":       "wss://h?[redacted]",
		"nonsense?with=secret":    "nonsense?[redacted]",
		"":                        "",
	} {
		if got := redact.URL(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
