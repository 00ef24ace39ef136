package e2e

import (
	"os/exec"
	"testing"
)

// TestAlertRules runs the unit tests of the alerts with Prometheus' own tool, and lets it read the configuration that
// loads them.
func TestAlertRules(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	for _, args := range [][]string{
		{"check", "rules", "alerts/wsprobe.rules.yaml"},
		{"test", "rules", "alerts/wsprobe.tests.yaml"},
		{"check", "config", "prometheus.yaml"},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
