package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// prometheus is a real one, which fetches from a Collector what that has received, and from an agent.
type prometheus struct {
	*lab.Process
	addr string
}

// startPrometheus runs deploy/prometheus.yaml for a Collector, or an agent in its place, and an agent, with a pace that
// suits a test.
func startPrometheus(t *testing.T, collector, agent string) prometheus {
	t.Helper()
	program := need(t, "prometheus", "prometheus")
	data, err := os.ReadFile("../prometheus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs("../" + config["rule_files"].([]any)[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	config["rule_files"] = []any{rules}
	// A scrape has as long as the interval: on a busy machine a second is not enough.
	config["global"] = map[string]any{"scrape_interval": "2s", "evaluation_interval": "2s"}
	data, err = yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("127.0.0.1:8889", collector, "127.0.0.1:9464", agent).Replace(string(data))
	return runPrometheus(t, program, fileWith(t, "prometheus.yaml", "%s", text))
}

// runPrometheus runs a Prometheus with a configuration and further flags, and waits until it answers queries.
func runPrometheus(t *testing.T, program, config string, flags ...string) prometheus {
	t.Helper()
	p := prometheus{addr: lab.FreeAddr(t)}
	flags = append(flags, "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+p.addr, "--log.level=warn")
	p.Process = lab.Start(t, program, flags...)
	lab.Eventually(t, 30*time.Second, "Prometheus to be ready", func() (bool, string) {
		p.Running(t)
		resp, err := http.Get("http://" + p.addr + "/-/ready")
		if err != nil {
			return false, err.Error()
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK, resp.Status
	})
	return p
}

// sample is one element of the answer to a query.
type sample struct {
	labels map[string]string
	value  float64
}

// api asks Prometheus and returns the data of its answer.
func (p prometheus) api(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Get("http://" + p.addr + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: status %d: %v", path, resp.StatusCode, err)
	}
	if answer.Status != "success" {
		t.Fatalf("%s %s: %s", path, query, answer.Error)
	}
}

// query evaluates an expression now.
func (p prometheus) query(t *testing.T, expr string) []sample {
	t.Helper()
	var data struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	p.api(t, "/api/v1/query", url.Values{"query": {expr}}, &data)
	if data.ResultType != "vector" {
		t.Fatalf("%s: a %s, want a vector", expr, data.ResultType)
	}
	var samples []sample
	for _, r := range data.Result {
		value, err := strconv.ParseFloat(r.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, sample{r.Metric, value})
	}
	return samples
}

// await waits until the answer to a query is right.
func (p prometheus) await(t *testing.T, expr string, right func([]sample) bool) {
	t.Helper()
	lab.Eventually(t, 5*time.Minute, expr, func() (bool, string) {
		p.Running(t)
		got := p.query(t, expr)
		return right(got), fmt.Sprint(got)
	})
}

// awaitOne waits until a query has one answer within bounds.
func (p prometheus) awaitOne(t *testing.T, expr string, from, to float64) {
	t.Helper()
	p.await(t, expr, func(s []sample) bool { return len(s) == 1 && s[0].value >= from && s[0].value <= to })
}
