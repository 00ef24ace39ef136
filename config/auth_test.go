package config

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// authorizations returns the value of the Authorization field of each probe, "none" where there is no auth.
func authorizations(t *testing.T, probes map[string]Probe) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for name, p := range probes {
		all[name] = "none"
		if p.Spec.Authorize == nil {
			continue
		}
		value, err := p.Spec.Authorize(t.Context())
		if err != nil {
			value = err.Error()
		}
		if encoded, basic := strings.CutPrefix(value, "Basic "); basic {
			plain, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			value = "Basic " + string(plain)
		}
		all[name] = value
	}
	return all
}

// TestAuth: a probe has the credentials that it says itself, over those of the defaults block.
func TestAuth(t *testing.T) {
	text, err := os.ReadFile("testdata/good/auth.yaml")
	if err != nil {
		t.Fatal(err)
	}
	probes := loadProbes(t, string(text))
	got := authorizations(t, probes)
	for name, want := range map[string]string{
		"inherits":                               "Basic monitor:default",
		"another user":                           "Basic Zoë:default",
		"another password":                       "Basic monitor:",
		"a file":                                 "Basic monitor:not a certificate",
		"another strategy":                       "Bearer abc.def-ghi|j==",
		"nobody":                                 "none",
		"by header":                              "none",
		"nameless":                               "Basic :pat",
		"a missing file is for the runs to find": `token_file "testdata/nothing": no such file or directory`,
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
}

// TestAuthTakesTheHeadersPlace: credentials that a probe says itself leave nothing of a default header, and a header of
// its own nothing of default credentials.
func TestAuthTakesTheHeadersPlace(t *testing.T) {
	probes := loadProbes(t, `
defaults: {headers: {authorization: Bearer default, X-Other: x}}
probes:
  - {name: header, url: "ws://example.com/"}
  - {name: auth, url: "ws://example.com/", auth: {strategy: bearer, token: own}}
  - {name: none, url: "ws://example.com/", auth: {strategy: none}}
`)
	if got := authorizations(t, probes); got["header"] != "none" || got["auth"] != "Bearer own" || got["none"] != "none" {
		t.Errorf("got %v", got)
	}
	for name, want := range map[string]int{"header": 2, "auth": 1, "none": 2} {
		if headers := probes[name].Spec.Headers; len(headers) != want || headers["X-Other"] != "x" {
			t.Errorf("%s: headers %v", name, headers)
		}
	}
	probes = loadProbes(t, `
defaults: {auth: {strategy: bearer, token: default}}
probes:
  - {name: header, url: "ws://example.com/", headers: {AUTHORIZATION: Digest own}}
  - {name: auth, url: "ws://example.com/", headers: {X-Other: x}}
`)
	if got := authorizations(t, probes); got["header"] != "none" || got["auth"] != "Bearer default" {
		t.Errorf("got %v", got)
	}
}

// TestAuthFiles: a file is read at every run, and what cannot be used is told without a word of what is in it.
func TestAuthFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	probes := loadProbes(t, `probes: [{name: a, url: "ws://example.com/", auth: {strategy: bearer, token_file: "`+file+`"}}]`)
	authorize := probes["a"].Spec.Authorize
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, good := range []struct{ text, want string }{
		{"first", "Bearer first"}, {"second\n", "Bearer second"}, {"third\r\n\n", "Bearer third"},
		{strings.Repeat("x", maxSecret), "Bearer " + strings.Repeat("x", maxSecret)},
	} {
		write(good.text)
		if got, err := authorize(t.Context()); got != good.want || err != nil {
			t.Errorf("%.20q: got %.40q, %v", good.text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "is empty", "\n\n": "is empty", "secret\nsecret": "must consist of visible ASCII characters",
		"secret\r\nX: secret": "must consist of visible ASCII characters", "sécret": "must consist of visible ASCII characters",
		strings.Repeat("x", maxSecret+1): "is larger than 64 KiB",
	} {
		write(text)
		got, err := authorize(t.Context())
		if got != "" || err == nil || !strings.HasPrefix(err.Error(), "token_file ") || !strings.HasSuffix(err.Error(), ": "+want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%.20q: got %q, %v; want %s", text, got, err, want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := authorize(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ": is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

// TestPasswordFileIsText: a password is UTF-8 and one line.
func TestPasswordFileIsText(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	probes := loadProbes(t, `probes: [{name: a, url: "ws://example.com/", auth: {strategy: basic, user: u, password_file: "`+file+`"}}]`)
	for text, want := range map[string]string{
		"pass word: ünd so\n": "Basic u:pass word: ünd so",
		"a\nb":                "must not contain line breaks or other control characters",
		"\xff":                "must be UTF-8",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := authorizations(t, probes)["a"]; !strings.HasSuffix(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
