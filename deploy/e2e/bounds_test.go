package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestQueriesMatchNoBound: a bound is le="10" or le="10.0" by the way that a histogram took into Prometheus, and native
// histograms have none. A query that matches on it would find nothing, without a word.
func TestQueriesMatchNoBound(t *testing.T) {
	matcher := regexp.MustCompile(`[{,]\s*le\s*(=|!=|=~|!~)\s*["'\x60]`)
	texts := map[string][]string{"../alerts": rulesText(t), "../dashboards": nil}
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			texts["../dashboards"] = append(texts["../dashboards"], target.Expr)
		}
	}
	pages, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../alerts/README.md", "../../README.md", "../../probe/metrics/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[page] = strings.Split(string(text), "\n")
	}
	for place, queries := range texts {
		if len(queries) == 0 {
			t.Errorf("%s: no query", place)
		}
		for _, query := range queries {
			if matcher.MatchString(query) {
				t.Errorf("%s: %s", place, query)
			}
		}
	}
}
