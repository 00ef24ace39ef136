package e2e

import (
	"testing"
)

// TestScrapeNativeHistograms lets a real Prometheus store native histograms from /metrics, and compares them with what
// it stores of the same agent as text.
func TestScrapeNativeHistograms(t *testing.T) {
	program := need(t, "prometheus", "prometheus") // before anything is built
	nats := startNATS(t)
	settings := newSettings(t, newCollector(t)) // nobody is there
	settings.Agent["metrics"] = map[string]any{"histograms": "native"}
	settings.Probes = append(settings.Probes, roundTrip("chat", nats.WebsocketURL()))
	agent := startAgent(t, settings)
	t.Cleanup(func() { stopAgent(t, agent) })
	config := fileWith(t, "prometheus.yaml", `
global: {scrape_interval: 1s}
scrape_configs: [{job_name: wsprobe, static_configs: [{targets: [%q]}]}]
`, settings.Agent["listen"])
	native := runPrometheus(t, program, config, "--enable-feature=native-histograms")
	text := runPrometheus(t, program, config)

	const metric = "wsprobe_handshake_duration_milliseconds"
	t.Run("no classic buckets beside them", func(t *testing.T) {
		native.awaitOne(t, `histogram_count(`+metric+`)`, 2, 1e6)
		native.await(t, `{__name__=~"wsprobe_.*_(bucket|sum|count)"}`, func(s []sample) bool { return len(s) == 0 })
	})
	t.Run("classic ones in text", func(t *testing.T) {
		text.awaitOne(t, `count(count by (le) (`+metric+`_bucket))`, 25, 25)
		text.await(t, `histogram_count(`+metric+`)`, func(s []sample) bool { return len(s) == 0 })
	})
	t.Run("every run counts", func(t *testing.T) {
		native.awaitOne(t, `histogram_count(`+metric+`) - on(wsprobe_name) wsprobe_runs_total{wsprobe_reason="ok"}`, 0, 0)
		native.awaitOne(t, `histogram_count(wsprobe_agent_run_start_delay_milliseconds)`, 2, 1e6)
	})
	t.Run("a quantile is between the least and the greatest", func(t *testing.T) {
		const latency = `wsprobe_handshake_latency_milliseconds`
		native.awaitOne(t, `histogram_quantile(0.5, `+metric+`) >= on() (0.98 * min(min_over_time(`+latency+`[1m])))`, 0.001, 10_000)
		native.awaitOne(t, `(histogram_sum(`+metric+`) / histogram_count(`+metric+`)) / on() avg(avg_over_time(`+latency+`[1m]))`, 0.1, 10)
	})
}
