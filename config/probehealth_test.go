package config

import (
	"fmt"
	"testing"

	"github.com/wsprobe/wsprobe/probe/health"
)

// TestThresholds: what a probe says, field by field over what the defaults block says.
func TestThresholds(t *testing.T) {
	clearEnvironment(t)
	config, err := Load("testdata/good/thresholds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"inherits":                    "healthy < 200, unhealthy > 1000, breach 1m0s, recover 5m0s",
		"replaces one":                "healthy < 200, unhealthy > 5000, breach 1m0s, recover 0s",
		"takes one away":              "healthy , unhealthy > 1000, breach 1m0s, recover 5m0s",
		"has none":                    "healthy , unhealthy , breach 1m0s, recover 5m0s",
		"milliseconds are not for it": "healthy , unhealthy , breach 1m0s, recover 5m0s",
		"success":                     "healthy == 1, unhealthy == 0, breach 1m0s, recover 5m0s",
		"shut":                        "healthy == 0, unhealthy > 0, breach 1m0s, recover 5m0s",
		"nothing between":             "healthy > 0, unhealthy < 1, breach 1m0s, recover 5m0s",
		"plain texts":                 "healthy < 99.5, unhealthy == 100, breach 1m0s, recover 5m0s",
	}
	for _, p := range config.Probes {
		h := p.Health
		got := fmt.Sprintf("healthy %v, unhealthy %v, breach %v, recover %v", h.Thresholds.Healthy, h.Thresholds.Unhealthy, h.Dwell.Breach, h.Dwell.Recover)
		if got != want[p.Name] {
			t.Errorf("%s: %s, want %s", p.Name, got, want[p.Name])
		}
	}
}

// TestNoThresholds: without a word about them a probe is not judged.
func TestNoThresholds(t *testing.T) {
	if p := loadProbes(t, `probes: [{name: plain, url: "wss://example.com/"}]`)["plain"]; p.Health != (health.Rules{}) {
		t.Errorf("judged by %+v", p.Health)
	}
}
