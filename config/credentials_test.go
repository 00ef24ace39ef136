package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCredentialsOfModulesAndSources: `check` tries the credentials of modules and of sources of targets, too, each place
// once, and leaves out those that a target fills in.
func TestCredentialsOfModulesAndSources(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "token")
	auth := "auth: {strategy: bearer, token_file: " + nowhere + "}"
	file := strings.ReplaceAll(`
defaults: {AUTH}
modules:
  - {name: inherits}
  - {name: inherits as well, labels: {a: '{{target.label.a}}'}}
  - name: own
    AUTH
    headers: {A: '{{target.label.a}}'}
  - {name: right, auth: {strategy: bearer, token: abc}}
  - {name: filled in, auth: {strategy: bearer, token_file: '/run/{{target.label.a}}'}}
  - {name: parts, auth: {strategy: none}, connections: {other: {AUTH}},
     interpretation: round_trip_latency, exchange: [{on: other, send: a}, {send: a, expect: b}]}
discover:
  - {name: list, http: {url: 'https://h.example/', AUTH}, module: inherits}
  - {name: files, files: [a.json], module: own}
`, "AUTH", auth)
	config, err := loadWith(t, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range config.TryCredentials(t.Context()) {
		said, _, _ := strings.Cut(f.Problem, ":")
		got = append(got, f.Path+": "+said)
	}
	want := []string{
		"defaults.auth.token_file: a run would fail now",
		"modules[2].auth.token_file: a run would fail now",
		"modules[5].connections.other.auth.token_file: a run would fail now",
		"discover[0].http.auth.token_file: a look would fail now",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
