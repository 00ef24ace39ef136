package config

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
)

// TestPrepareOfProbes: the file says what is sent before the socket, what is secret of it, and whose defaults hold.
func TestPrepareOfProbes(t *testing.T) {
	config, err := Load("testdata/good/prepare.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range config.Warnings {
		t.Errorf("%s", f)
	}
	probes := make(map[string]probe.Spec)
	for _, p := range config.Probes {
		probes[p.Name] = p.Spec
	}
	if got := probes["inherits"].Prepare; got == nil || got.URL != "/session?probe=1" || got.Method != "GET" || got.ExpectStatus != 204 {
		t.Errorf("inherits %+v", got)
	}
	if got := probes["none"].Prepare; got != nil {
		t.Errorf("none: %+v", got)
	}
	own := probes["own"]
	if got := slices.Sorted(maps.Keys(own.Prepare.Captures)); !slices.Equal(got, []string{"Etag", "_user", "sid", "ticket"}) || own.Prepare.Method != "PUT" ||
		own.Prepare.Captures["ticket"] != (probe.Capture{JSON: "access.0.token"}) || own.Prepare.Headers["Content-Type"] != "text/plain" {
		t.Errorf("own: %+v", own.Prepare)
	}
	if secret := strings.TrimPrefix(own.Prepare.Body, "user=probe&password="); len(secret) < 3 || !slices.Contains(own.Secrets, secret) || own.Prepare.Headers["X-Api-Key"] != secret {
		t.Errorf("secrets %q of %+v", own.Secrets, own.Prepare)
	}
	module := config.Modules[0]
	made, err := module.Probe("a", "wss://chat.example.com/{{ticket}}", map[string]string{"label.login": "login.example.com"})
	if err != nil || made.Spec.Prepare.URL != "https://login.example.com/ticket" {
		t.Errorf("module: %+v, %v", made.Spec.Prepare, err)
	}
}
