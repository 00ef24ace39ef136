package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is what these tests read of a Grafana dashboard.
type dashboard struct {
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct {
		RefID, Expr, LegendFormat string
		Datasource                struct{ UID string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	data, err := os.ReadFile("../dashboards/wsprobe.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboard looks for what makes Grafana show a dashboard other than it was meant.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	known := "$__range $__rate_interval ${datasource}"
	for _, v := range d.Templating.List {
		known += " $" + v.Name
	}
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %d %q: no id of its own, or no title", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: wider than the page", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				place := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[place]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[place] = p.Title
			}
		}
		for _, target := range p.Targets {
			for _, variable := range regexp.MustCompile(`\$\w+`).FindAllString(target.Expr, -1) {
				if !strings.Contains(known+" ", variable+" ") {
					t.Errorf("%s: %s is no variable", p.Title, variable)
				}
			}
			for _, by := range regexp.MustCompile(`by \([^)]*\)`).FindAllString(target.Expr, -1) {
				// Two places that see different things are not to be added up. The heatmap, of one picture, says that it does.
				if !strings.Contains(by, "wsprobe_location") && p.Type != "heatmap" {
					t.Errorf("%s: %s adds places up", p.Title, by)
				}
			}
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%s: the data source %q is that of one Grafana", p.Title, target.Datasource.UID)
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s: shows nothing", p.Title)
		}
	}
}

// chosen are what a person has chosen in the dashboard, and what Grafana makes of the time that is shown.
var chosen = strings.NewReplacer(
	"$__rate_interval", "20s", "$__range", "1m", "$job", ".*", "$location", ".*", "$probe", "good",
)

// checkDashboard wants an answer from Prometheus to every query of the dashboard, with the labels that its legend names.
func checkDashboard(t *testing.T, p prometheus) {
	d := readDashboard(t)
	queries := 0
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			queries++
			expr := chosen.Replace(target.Expr)
			switch {
			case panel.Title == "Status": // of one probe, for which it takes one that has thresholds
				expr = strings.ReplaceAll(expr, `"good"`, `"judged"`)
			case strings.Contains(expr, "wsprobe_session_"):
				expr = strings.ReplaceAll(expr, `"good"`, `"held"`)
			}
			p.await(t, expr, func(s []sample) bool { return len(s) > 0 })
			labels := map[string]bool{}
			for _, s := range p.query(t, expr) {
				for name := range s.labels {
					labels[name] = true
				}
			}
			for _, name := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				// A run that is ok has no error_type, and the services and instances of VictoriaMetrics have names of their own.
				optional := []string{"error_type", "service_name", "service_instance_id"}
				if !labels[name[1]] && !slices.Contains(optional, name[1]) {
					t.Errorf("%s: no series of %s has %s", panel.Title, expr, name[1])
				}
			}
		}
	}
	if queries < 30 {
		t.Errorf("%d queries, want those of the whole dashboard", queries)
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.Definition)
		if parts == nil {
			t.Errorf("variable %s: %q", v.Name, v.Definition)
			continue
		}
		p.await(t, "group by ("+parts[2]+") ("+chosen.Replace(parts[1])+")", func(s []sample) bool {
			return len(s) > 0 && s[0].labels[parts[2]] != ""
		})
	}
}
