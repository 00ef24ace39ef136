package prometheus

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// chosen are what a person has chosen in the dashboard, and what Grafana makes of the time that is shown.
var chosen = strings.NewReplacer("$__rate_interval", "20s", "$__range", "1m", "$job", ".*", "$location", ".*", "[10m]", "[20s]")

// histogramQueries are the queries of the alerts and of the dashboard that ask for histograms.
func histogramQueries(t *testing.T) []string {
	t.Helper()
	var all []string
	rules, faults := rulefmt.ParseFile("../../alerts/wsprobe.rules.yaml", false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			all = append(all, rule.Expr)
		}
	}
	data, err := os.ReadFile("../../dashboards/wsprobe.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	var asking []string
	for _, query := range all {
		if strings.Contains(query, "_bucket") {
			name := "good"
			if strings.Contains(query, "wsprobe_session_") {
				name = "held"
			}
			asking = append(asking, chosen.Replace(strings.ReplaceAll(query, "$probe", name)))
		}
	}
	if len(asking) < 14 {
		t.Fatalf("%d queries of histograms, want those of the alerts and of the dashboard", len(asking))
	}
	return asking
}

// TestQueriesOfBothForms exports exponential histograms, which Prometheus stores as native ones, and wants an answer to
// each query of the alerts and of the dashboard that is about a histogram. Then a second agent exports the same probes with
// explicit buckets, too: no query may have more results than with one form.
func TestQueriesOfBothForms(t *testing.T) {
	t.Parallel()
	b, e := newBackend(t), lab.NewEndpoint(t)
	target := lab.FreeAddr(t)
	lab.StartProgram(t, "target", "--listen", target)
	handshake := e.RoundTrip("opened", lab.Echo)
	handshake["interpretation"] = "handshake_latency"
	delete(handshake, "send_message")
	settings := func(histograms string) lab.Settings {
		otlp := b.otlp("1s")
		otlp["histograms"] = histograms
		return lab.Settings{
			"agent":    map[string]any{"listen": "", "location": "lab", "id": histograms},
			"otlp":     otlp,
			"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
			"probes":   []map[string]any{e.RoundTrip("good", lab.Echo), handshake, lab.Held("held", target)},
		}
	}
	native := lab.StartAgent(t, settings("exponential"))
	queries := histogramQueries(t)
	answered := map[string]int{}
	for _, query := range queries {
		b.await(t, query, func(v promql.Vector) bool {
			answered[query] = len(v)
			return len(v) > 0
		})
	}
	for _, stored := range []string{"wsprobe_round_trip_duration_milliseconds_bucket", "wsprobe_session_duration_seconds_count"} {
		if v := b.query(t, stored); len(v) > 0 {
			t.Errorf("%s is stored beside native histograms: %v", stored, v)
		}
	}
	// The highest value is at most one bucket of the histogram away.
	b.await(t, `histogram_quantile(1, last_over_time(wsprobe_round_trip_duration_milliseconds{wsprobe_name="good"}[5m]))
		/ max_over_time(wsprobe_round_trip_latency_milliseconds{wsprobe_name="good"}[5m])`,
		func(v promql.Vector) bool { return len(v) == 1 && v[0].F > 0.9 && v[0].F < 1.1 })
	classic := lab.StartAgent(t, settings("explicit"))
	lab.Wait(t, 25*time.Second) // longer than the rates look back
	for _, query := range queries {
		results := b.query(t, query)
		for _, s := range results {
			if s.H != nil {
				t.Errorf("%s\nadds native histograms to the classic ones", query)
			}
		}
		if !strings.Contains(query, "sum by (le) (") && len(results) != answered[query] { // a heatmap has one for each bucket
			t.Errorf("%s\nhas %d results with both forms, and %d with one:\n%v", query, len(results), answered[query], results)
		}
	}
	native.Stop(t, lab.StopLimit)
	classic.Stop(t, lab.StopLimit)
	b.CheckAnswers(t)
}
