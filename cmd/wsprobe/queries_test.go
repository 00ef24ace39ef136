package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// queries returns the expressions of the alerts and of the dashboard, and the annotations, which have queries, too.
func queries(t *testing.T) []string {
	t.Helper()
	var all []string
	for file, decode := range map[string]func([]byte, any) error{
		"deploy/alerts/wsprobe.rules.yaml": yaml.Unmarshal, "deploy/dashboards/wsprobe.json": json.Unmarshal,
	} {
		data, err := os.ReadFile(root + file)
		if err != nil {
			t.Fatal(err)
		}
		var content any
		if err := decode(data, &content); err != nil {
			t.Fatal(err)
		}
		all = append(all, texts(content, "")...)
	}
	if len(all) < 100 {
		t.Fatalf("%d queries, want those of all rules and panels", len(all))
	}
	return all
}

// texts returns the queries below a value, which has a key.
func texts(value any, key string) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		for name, below := range v {
			if key == "annotations" {
				name = "expr"
			}
			all = append(all, texts(below, name)...)
		}
	case []any:
		for _, below := range v {
			all = append(all, texts(below, key)...)
		}
	case string:
		if key == "expr" {
			all = append(all, v)
		}
	}
	return all
}

// histogramNames are the names of the histograms in Prometheus, without the suffix of a classic one.
func histogramNames() []string {
	units := map[string]string{"ms": "_milliseconds", "s": "_seconds", "By": "_bytes"}
	names := []string{"wsprobe_agent_run_start_delay_milliseconds"}
	for _, m := range metrics.Table() {
		if m.Kind == metrics.Histogram {
			names = append(names, strings.ReplaceAll(m.Name, ".", "_")+units[m.Unit])
		}
	}
	return names
}

// TestQueriesOfHistograms proves that each query about a histogram asks for both of its forms in Prometheus, and for nothing
// that some back end cannot tell: native histograms have no series of buckets, VictoriaMetrics knows no histogram_count
// and no histogram_sum, and the text of a label le depends on the way of the export.
func TestQueriesOfHistograms(t *testing.T) {
	matcher := regexp.MustCompile(`\ble\s*(=|!)`)
	unknown := regexp.MustCompile(`\bhistogram_(count|sum|avg|fraction)\b`)
	var asked int
	for _, query := range queries(t) {
		if matcher.MatchString(query) {
			t.Errorf("a matcher of le in\n%s", query)
		}
		if found := unknown.FindString(query); found != "" {
			t.Errorf("%s, which VictoriaMetrics or Prometheus 2.42 does not know, in\n%s", found, query)
		}
		for _, name := range histogramNames() {
			classic, native := strings.Count(query, name+"_bucket{")+strings.Count(query, name+"_bucket["),
				strings.Count(query, name+"{")+strings.Count(query, name+"[")
			asked += classic
			if classic != native {
				t.Errorf("%s: classic histograms %d times and native ones %d times in\n%s", name, classic, native, query)
			}
			if strings.Contains(query, name+"_count") || strings.Contains(query, name+"_sum") {
				t.Errorf("%s: a count or a sum, which native histograms have no series of, in\n%s", name, query)
			}
		}
		if strings.Contains(query, "_bucket") && !strings.Contains(query, " or ") && !strings.Contains(query, "\nor\n") {
			t.Errorf("both forms are not joined by or in\n%s", query)
		}
	}
	if asked < 15 {
		t.Errorf("%d queries of histograms, want more", asked)
	}
}
