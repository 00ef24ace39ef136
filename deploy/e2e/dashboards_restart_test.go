package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestDashboardRestart lets promtool evaluate queries of the dashboard while an agent that has restarted is there twice,
// under its old instance and its new one, for the names of each back end.
func TestDashboardRestart(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	for backEnd, agents := range map[string]struct{ before, after, elsewhere string }{
		"Prometheus": {
			before:    `job="wsprobe", instance="a", wsprobe_location="fra"`,
			after:     `job="wsprobe", instance="b", wsprobe_location="fra"`,
			elsewhere: `job="wsprobe", instance="c", wsprobe_location="nyc"`,
		},
		"VictoriaMetrics": {
			before:    `service_name="wsprobe", service_instance_id="a", service_version="1", host_name="x", wsprobe_location="fra"`,
			after:     `service_name="wsprobe", service_instance_id="b", service_version="2", host_name="y", wsprobe_location="fra"`,
			elsewhere: `service_name="wsprobe", service_instance_id="c", service_version="1", host_name="z", wsprobe_location="nyc"`,
		},
	} {
		t.Run(backEnd, func(t *testing.T) {
			file := restartFile(t, agents.before, agents.after, agents.elsewhere)
			if out, err := exec.Command(promtool, "test", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("promtool: %v\n%s", err, out)
			}
		})
	}
}

// restartFile writes a test for promtool: "good" is down in one place of two, "fine" in none.
func restartFile(t *testing.T, before, after, elsewhere string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("tests:\n  - interval: 10s\n    input_series:\n")
	for _, s := range []struct{ agent, metric, more, values string }{
		{before, "wsprobe_agent_probes", "", "2x59"},
		{after, "wsprobe_agent_probes", "", "_x60 2x12"},
		{elsewhere, "wsprobe_agent_probes", "", "2x72"},
		{before, "wsprobe_consecutive_failures", `wsprobe_name="good"`, "0+1x59"},
		{before, "wsprobe_consecutive_failures", `wsprobe_name="fine"`, "0x59"},
		{after, "wsprobe_consecutive_failures", `wsprobe_name="good"`, "_x60 1+1x12"},
		{after, "wsprobe_consecutive_failures", `wsprobe_name="fine"`, "_x60 0x12"},
		{elsewhere, "wsprobe_consecutive_failures", `wsprobe_name="good"`, "0x72"},
		{elsewhere, "wsprobe_consecutive_failures", `wsprobe_name="fine"`, "0x72"},
		{before, "wsprobe_success", `wsprobe_name="good"`, "0x59"},
		{before, "wsprobe_success", `wsprobe_name="fine"`, "1x59"},
		{after, "wsprobe_success", `wsprobe_name="good"`, "_x60 0x12"},
		{after, "wsprobe_success", `wsprobe_name="fine"`, "_x60 1x12"},
		{elsewhere, "wsprobe_success", `wsprobe_name="good"`, "1x72"},
		{elsewhere, "wsprobe_success", `wsprobe_name="fine"`, "1x72"},
		{after, "wsprobe_runs_total", `wsprobe_name="good", wsprobe_reason="ws_open_failed"`, "_x60 1+1x12"},
		{elsewhere, "wsprobe_runs_total", `wsprobe_name="good", wsprobe_reason="ok"`, "0+1x72"},
	} {
		fmt.Fprintf(&b, "      - {series: '%s{%s, %s}', values: '%s'}\n", s.metric, s.agent, s.more, s.values)
	}
	b.WriteString("    promql_expr_test:\n")
	places := `[{labels: '{wsprobe_location="fra"}', value: %d}, {labels: '{wsprobe_location="nyc"}', value: %d}]`
	for title, want := range map[string]string{
		"Probes":           "[{value: 4}]",
		"Down":             "[{value: 1}]",
		"Runs that are ok": fmt.Sprintf(places, 0, 1),
		"Up or down":       fmt.Sprintf(places, 0, 1),
	} {
		for _, expr := range queriesOf(t, title) {
			fmt.Fprintf(&b, "      - {eval_time: 12m, exp_samples: %s, expr: '%s'}\n", want, expr)
		}
	}
	return fileWith(t, "restart.tests.yaml", "%s", b.String())
}

// queriesOf returns those of the panels with a title, as they are for the probe "good".
func queriesOf(t *testing.T, title string) []string {
	t.Helper()
	var all []string
	for _, p := range readDashboard(t).Panels {
		if p.Title == title && p.Type != "table" {
			for _, target := range p.Targets {
				all = append(all, chosen.Replace(target.Expr))
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("the dashboard has no panel %q", title)
	}
	return all
}
