package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestScrapeForms lets a real Prometheus that asks for protobuf fetch from the agent, everything as well as a selection.
func TestScrapeForms(t *testing.T) {
	program := need(t, "prometheus", "prometheus") // before anything is built
	nats := startNATS(t)
	settings := newSettings(t, newCollector(t)) // nobody is there
	for _, team := range []string{"web", "core"} {
		one := roundTrip(team, nats.WebsocketURL())
		one["labels"] = map[string]string{"team": team, "k8s.pod": "\"\\é"}
		settings.Probes = append(settings.Probes, one)
	}
	agent := startAgent(t, settings)
	t.Cleanup(func() { stopAgent(t, agent) })

	var mu sync.Mutex
	types := make(map[string]bool)
	between := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: settings.Agent["listen"].(string)})
		},
		ModifyResponse: func(r *http.Response) error {
			mu.Lock()
			defer mu.Unlock()
			form, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
			types[form+" "+r.Header.Get("Content-Encoding")] = true
			return nil
		},
	})
	t.Cleanup(between.Close)
	p := runPrometheus(t, program, fileWith(t, "prometheus.yaml", `
global: {scrape_interval: 2s}
scrape_configs:
  - job_name: all
    static_configs: [{targets: [%[1]q]}]
  - job_name: selected
    params: {name: [wsprobe_success, wsprobe_handshake_*_count], label: [team=web]}
    static_configs: [{targets: [%[1]q]}]
`, strings.TrimPrefix(between.URL, "http://")), "--enable-feature=native-histograms")

	p.awaitOne(t, `wsprobe_success{job="all", team="web", k8s_pod="\"\\é"}`, 1, 1)
	p.awaitOne(t, `wsprobe_runs_total{job="all", team="core", wsprobe_reason="ok"}`, 2, 1e6)
	p.awaitOne(t, `histogram_quantile(0.99, sum by (le) (rate(wsprobe_round_trip_duration_milliseconds_bucket{job="all", team="web"}[1m])))`, 0.001, 800)
	p.awaitOne(t, `wsprobe_agent_probes{job="all"}`, 2, 2)
	p.awaitOne(t, `count(target_info{job="all"})`, 1, 1)
	p.awaitOne(t, `count(count by (__name__) ({job="selected", __name__=~"wsprobe_.*|go_.*|target_info"}))`, 4, 4) // a gauge, and the three of a histogram
	p.awaitOne(t, `count(count by (team) ({job="selected", __name__=~"wsprobe_.*"}))`, 1, 1)
	p.awaitOne(t, `max(up) + min(up)`, 2, 2)
	mu.Lock()
	defer mu.Unlock()
	if len(types) != 1 || !types["application/vnd.google.protobuf gzip"] {
		t.Errorf("Prometheus got %v", types)
	}
}
