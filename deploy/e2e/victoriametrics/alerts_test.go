package victoriametrics

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
	"go.yaml.in/yaml/v3"
)

const rulesFile = "../../alerts/wsprobe.rules.yaml"

// lookBack is how long an instant query of vmalert sees the last sample of a series: the default of 5 minutes, made
// short for a test.
const lookBack = 15 * time.Second

// alerting is a vmalert that evaluates the rules of deploy/alerts every second.
type alerting struct{ url string }

func startAlerting(t *testing.T, d database) alerting {
	t.Helper()
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	addr := lab.FreeAddr(t)
	lab.Start(t, built(t, alertProgram), "-rule="+rules, "-datasource.url="+d.url, "-remoteWrite.url="+d.url,
		"-notifier.blackhole", "-evaluationInterval=1s", "-datasource.queryStep="+lookBack.String(),
		"-rule.evalDelay=0s", // 30 s by default
		"-httpListenAddr="+addr, "-loggerLevel=WARN")
	return alerting{"http://" + addr}
}

// alert is one that is pending or firing.
type alert struct {
	Name   string
	State  string
	Labels map[string]string
}

func (a alerting) alerts(t *testing.T) []alert {
	t.Helper()
	body := get(t, a.url+"/api/v1/alerts", nil)
	defer body.Close()
	var answer struct{ Data struct{ Alerts []alert } }
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data.Alerts
}

// silent returns the alerts of silent agents, pending ones included.
func (a alerting) silent(t *testing.T) []alert {
	t.Helper()
	var silent []alert
	for _, alert := range a.alerts(t) {
		if alert.Name == "WsprobeAgentSilent" {
			silent = append(silent, alert)
		}
	}
	return silent
}

// checkRules wants every rule to be evaluated without an error.
func (a alerting) checkRules(t *testing.T) {
	t.Helper()
	type rule struct{ Name, Health, LastError, LastEvaluation string }
	var answer struct {
		Data struct{ Groups []struct{ Rules []rule } }
	}
	body := get(t, a.url+"/api/v1/rules", nil)
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, group := range answer.Data.Groups {
		for _, r := range group.Rules {
			rules++
			if r.Health != "ok" || r.LastError != "" {
				t.Errorf("rule %s: %s %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if rules == 0 {
		t.Error("vmalert has no rules")
	}
}

// watched are the settings of an agent with a probe for each kind of result.
func watched(t *testing.T, d database, e *lab.Endpoint) lab.Settings {
	t.Helper()
	judged := e.RoundTrip("judged", lab.Echo)
	judged["thresholds"] = map[string]any{"healthy": "< 30000"}
	secure := lab.NewTLSEndpoint(t).RoundTrip("secure", lab.Echo)
	secure["tls"] = map[string]any{"insecure_skip_verify": true}
	secure["interpretation"] = "handshake_latency"
	delete(secure, "send_message")
	secure["maintenance"] = []any{map[string]any{"from": "2099-01-01T00:00:00Z", "to": "2099-01-02T00:00:00Z"}}
	late := e.RoundTrip("late", lab.Slow) // longer than three intervals, so that runs are skipped and intervals missed
	late["timeout_ms"] = 10000
	e.SetDown("dead", true)
	target := lab.FreeAddr(t)
	lab.StartProgram(t, "target", "--listen", target)
	targets := filepath.Join(t.TempDir(), "targets.json") // one of them is no endpoint
	if err := os.WriteFile(targets, []byte(`[{"targets": ["http://a.example.com/"]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	return lab.Settings{
		"agent":    map[string]any{"listen": lab.FreeAddr(t), "location": "lab"},
		"otlp":     d.otlp("1s"),
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 900},
		"probes":   []map[string]any{e.RoundTrip("good", lab.Echo), e.RoundTrip("dead", lab.Echo), judged, secure, late, lab.Held("held", target)},
		"modules":  []map[string]any{{"name": "found"}},
		"discover": []map[string]any{{"module": "found", "files": []string{targets}}},
		"streams": []map[string]any{
			{"name": "drained", "url": "ws://" + target + "/drain-1012?every=3s"},
			{"name": "away", "url": "ws://" + lab.FreeAddr(t) + "/",
				"buffer": map[string]any{"type": "disk", "dir": filepath.Join(filepath.Dir(targets), "buffer"), "max_events": 10}},
		},
	}
}

// TestAlertsOfProbes wants a critical alert for the probe that fails and none for the one that is good.
func TestAlertsOfProbes(t *testing.T) {
	t.Parallel()
	d, e := startDatabase(t), lab.NewEndpoint(t)
	settings := watched(t, d, e)
	agent := lab.StartAgent(t, settings)
	d.await(t, `wsprobe_runs_total{wsprobe_name="dead"} > 3`, found)
	d.await(t, `wsprobe_stream_connections_failed_total{wsprobe_stream_name="away"}`, found)
	streams := settings["streams"].([]map[string]any)
	if err := os.RemoveAll(streams[1]["buffer"].(map[string]any)["dir"].(string)); err != nil { // a disk that breaks
		t.Fatal(err)
	}
	a := startAlerting(t, d)
	critical := map[string]bool{}
	lab.Eventually(t, 3*time.Minute, "a critical alert for the probe that fails", func() (bool, string) {
		agent.Running(t)
		alerts := a.alertsIfReady(t)
		for _, alert := range alerts {
			if alert.State == "firing" && alert.Labels["severity"] == "critical" {
				critical[alert.Labels["wsprobe_name"]] = true
			}
		}
		return critical["dead"], fmt.Sprint(alerts)
	})
	if critical["good"] {
		t.Error("a critical alert for the probe that is good, too")
	}
	a.checkRules(t)
	t.Run("every rule looks at metrics that are there", d.checkRuleMetrics)
	t.Run("every query of the dashboard finds something", func(t *testing.T) { d.checkDashboard(t) })
	agent.Stop(t, lab.StopLimit)
}

// alertsIfReady returns no alerts as long as vmalert does not listen yet.
func (a alerting) alertsIfReady(t *testing.T) []alert {
	t.Helper()
	resp, err := http.Get(a.url + "/health")
	if err != nil {
		return nil
	}
	_ = resp.Body.Close()
	return a.alerts(t)
}

// absent are metrics that rules may name though this agent does not export them.
var absent = map[string]string{
	"up": "only of agents that Prometheus scrapes",
}

// checkRuleMetrics wants every metric that a rule names to be stored, histograms in their classic form.
func (d database) checkRuleMetrics(t *testing.T) {
	data, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct{ Rules []struct{ Expr string } }
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			for _, name := range metricNames(t, rule.Expr) {
				names[name] = true
			}
		}
	}
	if len(names) == 0 {
		t.Error("the rules name no metric")
	}
	for name := range names {
		if absent[name] == "" {
			d.await(t, fmt.Sprintf("count({__name__=~%q})", name+"(_bucket)?"), found)
		}
	}
}

// metricNames returns the metrics of an expression, parsed as VictoriaMetrics does.
func metricNames(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := metricsql.Parse(expr)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return nil
	}
	var names []string
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		metric, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, filters := range metric.LabelFilterss {
			for _, f := range filters {
				if f.Label == "__name__" && !f.IsRegexp && !f.IsNegative {
					names = append(names, f.Value)
				}
			}
		}
	})
	return names
}

// TestRestartIsNoSilence restarts the agent and wants no alert of a silent one, once what the old process exported
// is out of sight; then it kills the agent and wants that alert.
func TestRestartIsNoSilence(t *testing.T) {
	t.Parallel()
	d, e := startDatabase(t), lab.NewEndpoint(t)
	settings := watched(t, d, e)
	agent := lab.StartAgent(t, settings)
	d.await(t, "wsprobe_agent_probes", found)
	a := startAlerting(t, d)
	lab.Wait(t, 5*time.Second)
	agent.Stop(t, lab.StopLimit)
	agent = lab.StartAgent(t, settings)
	lab.Wait(t, lookBack+10*time.Second)
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); lab.Wait(t, time.Second) {
		agent.Running(t)
		if silent := a.silent(t); len(silent) > 0 {
			t.Fatalf("after a restart: %+v", silent)
		}
	}
	agent.Kill(t)
	lab.Eventually(t, time.Minute, "an alert of the agent that was killed", func() (bool, string) {
		return len(a.silent(t)) > 0, fmt.Sprint(a.alerts(t))
	})
}
