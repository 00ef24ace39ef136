package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const warnMark = "# warn: "

// TestWarnFiles loads every file of the corpus of doubtful configurations. A file is valid, and begins with the
// warnings that it must have; it has no others.
func TestWarnFiles(t *testing.T) {
	clearEnvironment(t)
	files, err := filepath.Glob("testdata/warn/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("the corpus has %d files (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			if *update {
				rewrite(t, file, warnMark)
			}
			config, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, warning := range config.Warnings {
				got = append(got, strings.TrimPrefix(warning.String(), file+":"))
			}
			if want := wanted(t, file, warnMark); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if strings.Contains(strings.Join(got, "\n"), "secret") {
				t.Errorf("a secret is repeated:\n%s", got)
			}
		})
	}
}

// TestUnfilled: only what looks like a placeholder of some program is taken for one.
func TestUnfilled(t *testing.T) {
	for _, test := range []struct {
		key, text string
		doubtful  bool
	}{
		{"send_message", "{{nonce}}", true},
		{"send_message", "{{ token }}", true},
		{"send_message", "{{.Values.token}}", true},
		{"send_message", `{"a":{"b":{}}}`, false},
		{"send_message", "SUB $SYS.PING 1", false},
		{"send_message", "query($ID: ID!) { a }", false},
		{"send_message", "{{}}", false},
		{"send_message", "{{ 1 }}", false},
		{"headers", "Bearer $TOKEN", true},
		{"headers", "Bearer %TOKEN%", true},
		{"headers", "Bearer {{ env.TOKEN }}", true},
		{"headers", "a=1; b=$COOKIE; c=2", true},
		{"headers", "costs $5, or 20%", false},
		{"url", "wss://example.com/?token=$TOKEN&a=b", true},
		{"url", "wss://example.com/$SYS/x?q=%20ABC%20", false},
		{"password", "pa$WORD", false},
		{"password", "$PASSWORD", true},
		{"password", "a{{b}}c", false},
		{"expect_pattern", "^a$", false},
		{"expect_pattern", "a{{b}}", false},
		{"labels", "{{ $labels.team }}", true},
	} {
		if got := unfilled(test.text, test.key); (got != "") != test.doubtful {
			t.Errorf("%s: %s: %q", test.key, test.text, got)
		}
	}
}
