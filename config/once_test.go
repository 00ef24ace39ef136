package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

// TestLoadExchange: a file of steps is read as the field of a probe is, with the places of what is wrong in it.
func TestLoadExchange(t *testing.T) {
	t.Setenv("EXCHANGE_TOKEN", "swordfish")
	for name, c := range map[string]struct{ text, want string }{
		"a list":           {"- {expect: hello}\n- {send: '${env:EXCHANGE_TOKEN}', expect: ok}\n", ""},
		"a mapping":        {"exchange:\n  - {expect: hello}\n  - {send: '${env:EXCHANGE_TOKEN}', expect: ok}\n", ""},
		"JSON":             {`[{"expect": "hello"}, {"send": "${env:EXCHANGE_TOKEN}", "expect": "ok"}]`, ""},
		"a field amiss":    {"- expect: hello\n- sendd: x\n", `:2:3: exchange[1].sendd: is no field of a step, did you mean send?`},
		"a step is empty":  {"- expect: hello\n- {}\n", `:2:3: exchange[1]`},
		"no list":          {"hello", `:1:1: exchange: must be a list of steps`},
		"no YAML":          {"- [", ""},
		"nothing measured": {"- {send: x}\n", "exchange"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "steps.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			steps, secrets, err := config.LoadExchange(file, probe.RoundTripLatency)
			switch {
			case c.want == "" && name != "no YAML":
				if err != nil || len(steps) != 2 || *steps[1].Send != "swordfish" || !slices.Contains(secrets, "swordfish") {
					t.Errorf("got %+v, %v, %v", steps, secrets, err)
				}
			case err == nil || !strings.Contains(err.Error(), c.want):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	onlySends := filepath.Join(t.TempDir(), "steps.yaml")
	if err := os.WriteFile(onlySends, []byte("- {send: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if steps, _, err := config.LoadExchange(onlySends, probe.HandshakeLatency); err != nil || len(steps) != 1 {
		t.Errorf("nothing is to be measured: got %+v, %v", steps, err)
	}
	if _, _, err := config.LoadExchange("nothing.yaml", probe.RoundTripLatency); err == nil || !strings.HasPrefix(err.Error(), "nothing.yaml: ") {
		t.Errorf("got %v", err)
	}
}

// TestAuthorization: the value of the field, and no secret in an error.
func TestAuthorization(t *testing.T) {
	for _, c := range []struct{ user, password, token, want string }{
		{"anna", "swordfish", "", "Basic YW5uYTpzd29yZGZpc2g="},
		{"", "", "swordfish", "Bearer swordfish"},
		{"anna", "sword\nfish", "", ""},
		{"", "", "sword fish", ""},
	} {
		authorize, err := config.Authorization(c.user, c.password, c.token)
		if c.want == "" {
			if err == nil || strings.Contains(err.Error(), "fish") {
				t.Errorf("%+v: got %v", c, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := authorize(t.Context()); got != c.want || err != nil {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
}
