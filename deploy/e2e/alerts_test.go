package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAlertRules runs the unit tests of the alerts with Prometheus' own tool, and lets it read the configuration that
// loads them.
func TestAlertRules(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	tests, err := filepath.Glob("../alerts/*.tests.yaml")
	if err != nil || len(tests) < 4 {
		t.Fatalf("tests of the alerts: got %v, %v", tests, err)
	}
	checks := [][]string{{"check", "rules", "../alerts/wsprobe.rules.yaml"}, {"check", "config", "../prometheus.yaml"}}
	for _, file := range tests {
		checks = append(checks, []string{"test", "rules", file})
	}
	for _, args := range checks {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
