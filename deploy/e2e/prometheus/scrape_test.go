package prometheus

import (
	"fmt"
	"log/slog"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/scrape"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// scrapeJobs are the ways to fetch from agents with each form of histograms. Scrapes of one agent may meet, and the
// second one is then refused, so that no job has to have a sample of each moment.
const scrapeJobs = `
global: {scrape_interval: 300ms, scrape_timeout: 300ms}
scrape_configs:
  - {job_name: native, scrape_native_histograms: true}
  - {job_name: native as text}
  - {job_name: native not stored, scrape_protocols: [PrometheusProto]}
  - {job_name: classic, scrape_native_histograms: true}
  - {job_name: classic as OpenMetrics, scrape_protocols: [OpenMetricsText1.0.0]}
  - {job_name: classic as text, scrape_protocols: [PrometheusText0.0.4]}
  - {job_name: classic converted, scrape_native_histograms: true, convert_classic_histograms_to_nhcb: true}
  - {job_name: none}
`

// TestScrapedHistograms has Prometheus' own scraper fetch from agents with each form of histograms, in each way that a
// job may ask for. Only one of them loses the buckets: protobuf with native histograms that Prometheus does not store.
func TestScrapedHistograms(t *testing.T) {
	t.Parallel()
	b, e := newBackend(t), lab.NewEndpoint(t)
	agents := map[string]string{}
	for _, form := range []string{"native", "classic", "none"} {
		agents[form] = lab.FreeAddr(t)
		lab.StartAgent(t, lab.Settings{
			"agent":    map[string]any{"listen": agents[form], "metrics": map[string]any{"histograms": form}},
			"otlp":     map[string]any{"protocol": "none"},
			"defaults": map[string]any{"interval": "2s", "timeout_ms": 1900},
			"probes":   []any{e.RoundTrip("p", lab.Echo)},
		})
	}
	b.scrape(t, scrapeJobs, agents)
	const metric = "wsprobe_round_trip_duration_milliseconds"
	is := func(expr string, right func(v float64) bool) {
		t.Helper()
		b.await(t, expr, func(v promql.Vector) bool { return len(v) == 1 && right(v[0].F) })
	}
	zero := func(v float64) bool { return v == 0 }
	positive := func(v float64) bool { return v > 0 }
	absent := func(v promql.Vector) bool { return len(v) == 0 }

	for _, job := range []string{"native", "classic converted"} {
		of := fmt.Sprintf(`%s{job=%q}`, metric, job)
		is(`histogram_count(`+of+`) > 4`, positive)
		is(fmt.Sprintf(`histogram_count(%s) - on(job) wsprobe_runs_total{job=%q}`, of, job), zero)
		is(`histogram_quantile(0.5, `+of+`)`, positive)
		b.await(t, fmt.Sprintf(`{__name__=~"wsprobe_.*_(bucket|count|sum)", job=%q}`, job), absent)
	}
	of := func(job, suffix string) string { return fmt.Sprintf(`%s%s{job=%q}`, metric, suffix, job) }
	latency := `wsprobe_round_trip_latency_milliseconds{job="native"}`
	is(`histogram_quantile(1, `+of("native", "")+`) > bool on(job) 0.999 * max_over_time(`+latency+`[5m])`, positive)
	is(`histogram_quantile(0, `+of("native", "")+`) < bool on(job) 1.001 * min_over_time(`+latency+`[5m])`, positive)
	is(`histogram_sum(`+of("native", "")+`) - on() `+of("native as text", "_sum"), zero)
	is(`histogram_count(`+of("native", "")+`) - on() `+of("native as text", "_count"), zero)
	for _, job := range []string{"native as text", "classic", "classic as OpenMetrics", "classic as text"} {
		is(`count(`+of(job, "_bucket")+`)`, func(v float64) bool { return v == 25 })
		is(`count(`+metric+fmt.Sprintf(`_bucket{job=%q, le="10.0"}`, job)+`)`, positive) // whatever the page says
		is(`histogram_quantile(0.5, `+of(job, "_bucket")+`)`, positive)
		b.await(t, `histogram_count(`+of(job, "")+`)`, absent)
	}
	is(of("native not stored", "_count"), positive)
	is(`count(`+of("native not stored", "_bucket")+`)`, func(v float64) bool { return v == 1 }) // the one without a bound
	is(`wsprobe_runs_total{job="none"}`, positive)
	b.await(t, `{__name__=~".*_(bucket|count|sum)|`+metric+`", job="none"}`, absent)
}

// scrape has a manager of scrapes as Prometheus runs it fetch from agents until the test ends. The first word of the name
// of a job is the form of histograms of its agent.
func (b *backend) scrape(t *testing.T, jobs string, agents map[string]string) {
	t.Helper()
	cfg, err := config.Load(jobs, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	manager, err := scrape.NewManager(nil, nil, nil, nil, b.db, client.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.ApplyConfig(cfg); err != nil {
		t.Fatal(err)
	}
	targets := map[string][]*targetgroup.Group{}
	for _, job := range cfg.ScrapeConfigs {
		var form string
		if _, err := fmt.Sscan(job.JobName, &form); err != nil {
			t.Fatal(err)
		}
		targets[job.JobName] = []*targetgroup.Group{{Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(agents[form])}}}}
	}
	found, done := make(chan map[string][]*targetgroup.Group, 1), make(chan error, 1)
	go func() { done <- manager.Run(found) }()
	found <- targets
	t.Cleanup(func() {
		manager.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
