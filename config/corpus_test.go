package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the faults in the corpora, and the JSON Schema, from the code")

// clearEnvironment takes every variable away that Load reads.
func clearEnvironment(t testing.TB) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		upper := strings.ToUpper(name)
		if strings.HasPrefix(upper, "WSPROBE_") || strings.HasPrefix(upper, "OTEL_") || strings.HasSuffix(upper, "_PROXY") {
			t.Setenv(name, "") // restored when the test is over
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// loadText reads a configuration from a text.
func loadText(data []byte) (Config, error) {
	return Parse("wsprobe.yaml", data)
}

const wantMark = "# want: "

// TestBadFiles loads every file of the corpus. A file begins with the faults it has, one a line, without
// the name of the file; it must have these and no others.
func TestBadFiles(t *testing.T) {
	clearEnvironment(t)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("the corpus has %d files (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			if *update {
				rewrite(t, file, wantMark)
			}
			_, err := Load(file)
			var faults *Error
			if !errors.As(err, &faults) {
				t.Fatalf("Load: %v, want an *Error", err)
			}
			got := strings.Split(err.Error(), "\n")
			want := wanted(t, file, wantMark)
			for i := range want {
				want[i] = file + ":" + want[i]
			}
			for _, line := range got {
				if !slices.Contains(want, line) {
					t.Errorf("unexpected: %s", line)
				}
			}
			for _, line := range want {
				if !slices.Contains(got, line) {
					t.Errorf("missing:    %s", line)
				}
			}
			if !t.Failed() && !slices.Equal(got, want) {
				t.Errorf("not in order of place, or not once each:\n%s", err)
			}
			if strings.Contains(strings.ReplaceAll(err.Error(), "client_secret", ""), "secret") {
				t.Errorf("a secret is repeated:\n%s", err)
			}
		})
	}
}

// wanted returns the faults that a file of the corpus names.
func wanted(t *testing.T, file, mark string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		fault, found := strings.CutPrefix(strings.TrimRight(line, "\r\n"), mark)
		if !found {
			break
		}
		want = append(want, fault)
	}
	return want
}

// rewrite puts the faults that a file has at its beginning.
func rewrite(t *testing.T, file, mark string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body, bom := bytes.CutPrefix(data, []byte("\ufeff"))
	for bytes.HasPrefix(body, []byte(mark)) {
		body = body[bytes.IndexByte(body, '\n')+1:]
	}
	var first []byte
	if bom {
		first = []byte("\ufeff")
	}
	head := first
	for range 2 { // the faults move down by their number
		config, err := Parse("wsprobe.yaml", slices.Concat(head, body))
		lines := config.Warnings
		if mark == wantMark {
			var faults *Error
			if !errors.As(err, &faults) {
				return
			}
			lines = faults.Faults
		}
		head = slices.Clone(first)
		for _, line := range lines {
			head = append(head, mark+strings.TrimPrefix(line.String(), "wsprobe.yaml:")+"\n"...)
		}
	}
	if err := os.WriteFile(file, slices.Concat(head, body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestGoodFiles loads what must be accepted.
func TestGoodFiles(t *testing.T) {
	clearEnvironment(t)
	files, err := filepath.Glob("testdata/good/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("the corpus has %d files (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			config, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, warning := range config.Warnings {
				t.Errorf("unexpected: %s", warning)
			}
			for _, p := range config.Probes {
				if faults := p.Spec.Validate(); faults != nil {
					t.Errorf("%s: Validate says %v", p.Name, faults)
				}
				if p.Session == nil {
					continue
				}
				if faults := p.Session.Validate(); faults != nil {
					t.Errorf("%s: Validate says %v of its session", p.Name, faults)
				}
			}
		})
	}
}
