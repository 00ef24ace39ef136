package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// watched is an agent with probes of every sort, whose results end up in a Prometheus.
type watched struct {
	prometheus
	dying natsServer // of the probe "dying"
}

// pageURL is where the agent's page is said to be.
const pageURL = "https://probes.example.com/"

// startWatched runs an agent, its endpoints, a Collector and a Prometheus.
func startWatched(t *testing.T) watched {
	t.Helper()
	need(t, "prometheus", "prometheus") // before anything is built
	nats, dying, silent := startNATS(t), startNATS(t), startSilent(t)
	secure, authority := startNATSWithTLS(t)
	c := newCollector(t)
	c.start(t)
	settings := newSettings(t, c)
	settings.Agent["url"] = pageURL
	p := startPrometheus(t, c.prometheus, settings.Agent["listen"].(string))
	mismatch := roundTrip("mismatch", nats.WebsocketURL())
	mismatch["expect_message"], mismatch["timeout_ms"] = "NEVER SENT", 300
	judged := roundTrip("judged", nats.WebsocketURL())
	judged["thresholds"] = map[string]any{"unhealthy": "> 0"}
	good := roundTrip("good", secure.WebsocketURL())
	good["tls"] = map[string]any{"ca_file": authority}
	good["labels"] = map[string]string{"team": "messaging"}
	settings.Probes = append(settings.Probes, good, mismatch, judged, roundTrip("dying", dying.WebsocketURL()),
		map[string]any{"name": "handshake", "url": nats.WebsocketURL(),
			"maintenance": []any{map[string]any{"from": "2099-01-01T00:00:00Z", "to": "2099-01-02T00:00:00Z"}}},
		map[string]any{"name": "closed", "url": "ws://" + closedPort(t) + "/", "interpretation": "connection_success"},
		// Much longer than its interval, so that runs are skipped, and three intervals are missed between two that end.
		map[string]any{"name": "silent", "url": "ws://" + silent.addr + "/", "timeout_ms": 4500},
	)
	target := lab.FreeAddr(t)
	lab.Start(t, built(t, agentBinary), "target", "--listen", target)
	settings.Probes = append(settings.Probes, lab.Held("held", target))
	targets := filepath.Join(t.TempDir(), "targets.json") // one of them is no endpoint
	if err := os.WriteFile(targets, []byte(`[{"targets": ["http://a.example.com/"]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	settings.Modules = append(settings.Modules, map[string]any{"name": "found"})
	settings.Discover = append(settings.Discover, map[string]any{"module": "found", "files": []string{targets}})
	lost := filepath.Join(t.TempDir(), "buffer")
	settings.Streams = append(settings.Streams,
		map[string]any{"name": "drained", "url": "ws://" + target + "/drain-1012?every=3s"},
		map[string]any{"name": "away", "url": "ws://" + closedPort(t) + "/",
			"buffer": map[string]any{"type": "disk", "dir": lost, "max_events": 10}})
	agent := startAgent(t, settings)
	lab.Eventually(t, lab.StopLimit, "the stream tries to connect", func() (bool, string) {
		return strings.Contains(agent.Output(), "stream cannot connect"), agent.Output()
	})
	if err := os.RemoveAll(lost); err != nil { // a disk that breaks
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAgent(t, agent) })
	return watched{p, dying}
}

// TestPrometheus asks a real Prometheus what people ask theirs about wsprobe.
func TestPrometheus(t *testing.T) {
	w := startWatched(t)
	t.Run("latest latency", func(t *testing.T) {
		w.awaitOne(t, `wsprobe_round_trip_latency_milliseconds{wsprobe_name="good", job="wsprobe", wsprobe_location="e2e", team="messaging"}`, 0.001, 800)
		w.awaitOne(t, `wsprobe_handshake_latency_milliseconds{wsprobe_name="mismatch"}`, 0.001, 800)
		w.awaitOne(t, `wsprobe_tls_time_left_seconds{wsprobe_name="good"}`, 1, 1e10)
	})
	t.Run("up or down", func(t *testing.T) {
		for name, want := range map[string]float64{"good": 1, "mismatch": 0, "closed": 0} {
			w.awaitOne(t, fmt.Sprintf(`wsprobe_success{wsprobe_name=%q}`, name), want, want)
		}
		w.awaitOne(t, `max_over_time(wsprobe_session_open{wsprobe_name="held"}[1m])`, 1, 1)
		w.awaitOne(t, `wsprobe_connection_success{wsprobe_name="mismatch"}`, 1, 1) // it opens, and its application is wrong
		w.awaitOne(t, `count(count by (wsprobe_location) ({__name__=~"wsprobe_.+|process_.+|go_.+"}))`, 1, 1)
	})
	t.Run("failure ratio by reason", func(t *testing.T) {
		for name, reason := range map[string]string{
			"good": "ok", "mismatch": "ws_reply_mismatch", "closed": "ws_open_failed", "silent": "ws_handshake_timeout",
		} {
			runs := fmt.Sprintf(`(increase(wsprobe_runs_total{wsprobe_name=%q}[1m]))`, name)
			w.await(t, `sum by (wsprobe_reason)`+runs+` / on() group_left sum`+runs, func(s []sample) bool {
				return len(s) == 1 && s[0].labels["wsprobe_reason"] == reason && s[0].value == 1
			})
		}
	})
	t.Run("p99", func(t *testing.T) {
		w.awaitOne(t, `histogram_quantile(0.99, sum by (le) (rate(wsprobe_round_trip_duration_milliseconds_bucket{wsprobe_name="good"}[1m])))`, 0.001, 800)
	})
	t.Run("status", func(t *testing.T) {
		w.awaitOne(t, `wsprobe_status`, 2, 2)
		w.awaitOne(t, `ALERTS{alertname="WsprobeUnhealthy", alertstate="firing", wsprobe_name="judged"}`, 1, 1)
	})
	t.Run("exports", func(t *testing.T) { // once, and from the agent itself
		w.awaitOne(t, `wsprobe_agent_export_requests_total{job="wsprobe", instance=~".+:[0-9]+", wsprobe_export_outcome="accepted"}`, 1, 1e9)
		w.awaitOne(t, `count(wsprobe_agent_export_point_sent_total)`, 1, 1)
		w.awaitOne(t, `up{job="wsprobe"}`, 1, 1)
	})
	t.Run("configuration and targets", func(t *testing.T) {
		w.awaitOne(t, `wsprobe_agent_config_stale`, 0, 0)
		w.awaitOne(t, `wsprobe_agent_config_loads_total{wsprobe_config_outcome="success"}`, 1, 1)
		w.awaitOne(t, `wsprobe_discovery_targets{wsprobe_discovery_name="found"}`, 1, 1)
		w.awaitOne(t, `wsprobe_discovery_rejected{wsprobe_discovery_cause="invalid"}`, 1, 1)
		w.awaitOne(t, `wsprobe_discovery_looks_total{wsprobe_discovery_outcome="success"}`, 1, 1e9)
		w.awaitOne(t, `wsprobe_discovery_age_seconds`, 0, 600)
	})
	t.Run("alerts", func(t *testing.T) { checkAlerts(t, w.prometheus) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, w.prometheus) })
	t.Run("no data while an endpoint is down", func(t *testing.T) {
		const latency = `wsprobe_round_trip_latency_milliseconds{wsprobe_name="dying"}`
		w.awaitOne(t, latency, 0.001, 800)
		w.dying.Shutdown()
		w.awaitOne(t, `wsprobe_connection_success{wsprobe_name="dying", wsprobe_reason="ws_open_failed"}`, 0, 0)
		w.await(t, latency, func(s []sample) bool { return len(s) == 0 })
		w.await(t, `wsprobe_connection_success{wsprobe_name="dying", wsprobe_reason="ok"}`, func(s []sample) bool { return len(s) == 0 })
	})
}

// checkAlerts wants Prometheus to evaluate every rule, and to know every metric that the rules are about.
func checkAlerts(t *testing.T, p prometheus) {
	for _, last := range []string{ // to be there
		"wsprobe:tls_time_left_seconds:min", "wsprobe:headline_milliseconds:p95_10m", "wsprobe_agent_run_skipped_total", "wsprobe_missed_intervals",
		"wsprobe:session_cuts:increase20m", "wsprobe_stream_connections_shutdown_total", "wsprobe_stream_connections_failed_total",
		"wsprobe_stream_buffer_age_seconds", "wsprobe_stream_buffer_failures_total",
	} {
		p.await(t, "count("+last+")", func(s []sample) bool { return len(s) == 1 })
	}
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.api(t, "/api/v1/rules", nil, &data)
	rules := 0
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			rules++
			if rule.Health == "err" {
				t.Errorf("%s: %s", rule.Name, rule.LastError)
			}
		}
	}
	if rules < 27 {
		t.Errorf("%d rules, want those of deploy/alerts", rules)
	}
	checkNames(t, p, rulesText(t))
	checkAnnotations(t, p)
}

// checkAnnotations waits for alerts and wants them to say what their templates ask Prometheus for.
func checkAnnotations(t *testing.T, p prometheus) {
	p.awaitOne(t, `ALERTS{alertname="WsprobeDown", alertstate="firing", wsprobe_name="closed"}`, 1, 1)
	var data struct {
		Alerts []struct{ Labels, Annotations map[string]string }
	}
	p.api(t, "/api/v1/alerts", nil, &data)
	found := false
	for _, alert := range data.Alerts {
		for name, text := range alert.Annotations {
			if text == "" || strings.Contains(text, "error") && strings.Contains(text, "template") {
				t.Errorf("%s: %s: %q", alert.Labels["alertname"], name, text)
			}
		}
		if alert.Labels["alertname"] != "WsprobeDown" || alert.Labels["wsprobe_name"] != "closed" {
			continue
		}
		found = true
		if got, want := alert.Annotations["agent"], "wsprobe in e2e, "+pageURL; got != want {
			t.Errorf("agent: got %q, want %q", got, want)
		}
		if got, want := alert.Annotations["reason"], "ws_open_failed (connection_refused)."; !strings.HasPrefix(got, want) {
			t.Errorf("reason: got %q, want it to begin with %q", got, want)
		}
	}
	if !found {
		t.Error("no alert for the endpoint that is closed")
	}
}

// rulesText returns the expressions of all rules, and their annotations, which have queries, too.
func rulesText(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../alerts/wsprobe.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Expr        string            `yaml:"expr"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			all = append(all, rule.Expr)
			all = slices.AppendSeq(all, maps.Values(rule.Annotations))
		}
	}
	return all
}

// checkNames wants every name of wsprobe in texts, of a metric or of a label, to be one that Prometheus has seen. A
// misspelled one would be an alert that never fires.
func checkNames(t *testing.T, p prometheus, texts []string) {
	t.Helper()
	var metrics, labels []string
	p.api(t, "/api/v1/label/__name__/values", nil, &metrics)
	p.api(t, "/api/v1/labels", url.Values{}, &labels)
	known := slices.Concat(metrics, labels)
	used := map[string]bool{}
	for _, text := range texts {
		for _, name := range regexp.MustCompile(`\bwsprobe[a-z0-9_:]+`).FindAllString(text, -1) {
			used[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		// A rule names the native form of a histogram beside the classic one, which is what is stored here.
		if !slices.Contains(known, name) && !slices.Contains(known, name+"_bucket") {
			t.Errorf("%s is neither a metric nor a label", name)
		}
	}
	if len(used) < 10 {
		t.Errorf("%d names, want more", len(used))
	}
}
