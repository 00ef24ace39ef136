package victoriametrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// chosen are what a person has chosen in the dashboard, and what Grafana makes of the time that is shown.
var chosen = strings.NewReplacer(
	"$__rate_interval", "20s", "$__range", "1m", "$job", ".*", "$location", ".*", "$probe", "good",
)

// checkDashboard wants an answer to every query of the dashboard, with the labels that its legend names. Panels without
// need an answer only.
func (d database) checkDashboard(t *testing.T, without ...string) {
	data, err := os.ReadFile("../../dashboards/wsprobe.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	queries := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries++
			expr := chosen.Replace(target.Expr)
			switch {
			case panel.Title == "Status": // of one probe, which takes one with thresholds
				expr = strings.ReplaceAll(expr, `"good"`, `"judged"`)
			case strings.Contains(expr, "wsprobe_tls_time_left_seconds"):
				expr = strings.ReplaceAll(expr, `"good"`, `"secure"`)
			case strings.Contains(expr, "wsprobe_session_"):
				expr = strings.ReplaceAll(expr, `"good"`, `"held"`)
			}
			d.await(t, expr, found)
			if !slices.Contains(without, panel.Title) {
				d.checkLegend(t, panel.Title, expr, target.LegendFormat)
			}
		}
	}
	if queries < 30 {
		t.Errorf("%d queries, want those of the whole dashboard", queries)
	}
}

// optional are labels that a legend may name though no series has them.
var optional = map[string]bool{
	"error_type": true, // a run that is ok has none
	"job":        true, // VictoriaMetrics has service_name and service_instance_id in their place
	"instance":   true,
}

func (d database) checkLegend(t *testing.T, title, expr, legend string) {
	t.Helper()
	labels := map[string]bool{}
	for _, s := range d.query(t, expr) {
		for name := range s.labels {
			labels[name] = true
		}
	}
	for _, name := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(legend, -1) {
		if !labels[name[1]] && !optional[name[1]] {
			t.Errorf("%s: no series of %s has %s", title, expr, name[1])
		}
	}
}
