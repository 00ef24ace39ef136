package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestScrape lets a real Prometheus fetch from the agent itself, without any Collector, and asks it what people ask.
func TestScrape(t *testing.T) {
	promtool := need(t, "promtool", "prometheus") // before anything is built
	nats, dying := startNATS(t), startNATS(t)
	settings := newSettings(t, newCollector(t)) // nobody is there
	good := roundTrip("good", nats.WebsocketURL())
	good["labels"] = map[string]string{"team": "messaging", "le": "label"}
	good["thresholds"] = map[string]any{"healthy": "< 30000"}
	settings.Probes = append(settings.Probes, good, roundTrip("dying", dying.WebsocketURL()),
		map[string]any{"name": "closed", "url": "ws://" + closedPort(t) + "/", "interpretation": "connection_success"})
	agent := startAgent(t, settings)
	t.Cleanup(func() { stopAgent(t, agent) })
	listen := settings.Agent["listen"].(string)
	p := startPrometheus(t, listen, listen)

	t.Run("latest latency", func(t *testing.T) {
		p.awaitOne(t, `wsprobe_round_trip_latency_milliseconds{wsprobe_name="good", team="messaging"}`, 0.001, 800)
		p.awaitOne(t, `wsprobe_status{wsprobe_name="good"}`, 0, 0)
	})
	t.Run("failure ratio by reason", func(t *testing.T) {
		for name, reason := range map[string]string{"good": "ok", "closed": "ws_open_failed"} {
			runs := fmt.Sprintf(`(increase(wsprobe_runs_total{wsprobe_name=%q}[1m]))`, name)
			p.await(t, `sum by (wsprobe_reason)`+runs+` / on() group_left sum`+runs, func(s []sample) bool {
				return len(s) == 1 && s[0].labels["wsprobe_reason"] == reason && s[0].value == 1
			})
		}
	})
	t.Run("p99", func(t *testing.T) {
		p.awaitOne(t, `histogram_quantile(0.99, sum by (le) (rate(wsprobe_round_trip_duration_milliseconds_bucket{wsprobe_name="good"}[1m])))`, 0.001, 800)
	})
	t.Run("the agent itself", func(t *testing.T) {
		p.awaitOne(t, `wsprobe_agent_probes`, 3, 3)
		p.awaitOne(t, `wsprobe_agent_config_loads_total{wsprobe_config_outcome="success"}`, 1, 1)
		p.awaitOne(t, `sum(process_cpu_time_seconds_total)`, 0, 1e6)
	})
	t.Run("no data while an endpoint is down", func(t *testing.T) {
		const latency = `wsprobe_round_trip_latency_milliseconds{wsprobe_name="dying"}`
		p.awaitOne(t, latency, 0.001, 800)
		dying.Shutdown()
		p.awaitOne(t, `wsprobe_connection_success{wsprobe_name="dying", wsprobe_reason="ws_open_failed"}`, 0, 0)
		p.await(t, latency, func(s []sample) bool { return len(s) == 0 })
	})
	t.Run("promtool", func(t *testing.T) { checkWithPromtool(t, promtool, "http://"+listen+"/metrics") })
}

// checkWithPromtool wants Prometheus' own tool to have nothing to say about a page of metrics but for the unit.
func checkWithPromtool(t *testing.T, promtool, url string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(string(page))
	out, err := cmd.CombinedOutput()
	if len(out) == 0 {
		t.Fatalf("promtool has nothing to say at all: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "use base unit") {
			t.Errorf("promtool: %s", line)
		}
	}
}
