package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// metricsFile has a probe of each kind that metrics tell apart.
const metricsFile = `
agent: {listen: "@LISTEN@"}
otlp: {endpoint: "http://127.0.0.1:1", interval: 1s, logs: true, traces: true}
defaults: {interval: 1s}
probes:
  - {name: good, url: "@URL@good?token=hunter2", interpretation: round_trip_latency, send_message: hi, labels: {le: blue}, thresholds: {healthy: "< 30000"}}
  - {name: refused, url: "@URL@refused?token=hunter2"}
`

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	back, err := receiver.Start(&receiver.Receiver{})
	if err != nil {
		t.Fatal(err)
	}
	_ = back.Stop()
	return back.Address
}

// TestMetricsPage scrapes the built agent: Prometheus' own linter has nothing to say about the names but for the unit,
// which is milliseconds everywhere in wsprobe, and nothing is there that the table of metrics does not have.
func TestMetricsPage(t *testing.T) {
	endpoints := wstest.Start(wstest.ByPath(map[string]wstest.Script{"/good": wstest.Echo, "/refused": wstest.Refuse(403, "no")}))
	t.Cleanup(endpoints.Close)
	address := freeAddress(t)
	agent, log := startAgent(t, fill(t, metricsFile, "@LISTEN@", address, "@URL@", endpoints.URL))
	page := awaitPage(t, "http://"+address+"/metrics", `wsprobe_runs_total{.*wsprobe_name="good",wsprobe_reason="ok"} [2-9]`,
		`wsprobe_runs_total{.*wsprobe_name="refused",wsprobe_reason="ws_open_failed"} [2-9]`,
		`wsprobe_status{.*wsprobe_name="good"} 0\n`, `wsprobe_round_trip_latency_milliseconds{.*wsprobe_name="good"}`,
		`wsprobe_connection_success{.*wsprobe_name="refused",wsprobe_reason="ws_open_failed"} 0\n`,
		`wsprobe_agent_config_loads_total{wsprobe_config_outcome="success"} 1\n`, `go_goroutines \d`, `exported_le="blue"`)
	endAgent(t, agent, log)
	if strings.Contains(page, "hunter2") || regexp.MustCompile(`handshake_latency_milliseconds{.*"refused"`).MatchString(page) {
		t.Errorf("a secret, or a latency that was not measured, in\n%s", page)
	}
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Text, "use base unit") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	checkFamilies(t, page)
}

// scrapedFile is of an agent that exports nothing. What else it says about the export is left over from when it did.
const scrapedFile = `
agent: {listen: "@LISTEN@"}
otlp: {protocol: none, endpoint: "http://@OTLP@", interval: 1s, logs: true, traces: true, spool: {dir: "@SPOOL@"}}
probes: [{name: good, url: "@URL@", interval: 1s, timeout_ms: 1000, interpretation: round_trip_latency, send_message: hi}]
`

// TestScrapedOnly: an agent without an export is ready, answers scrapes, and neither calls the receiver nor makes a spool.
func TestScrapedOnly(t *testing.T) {
	endpoint := wstest.Start(wstest.Echo)
	t.Cleanup(endpoint.Close)
	receiver, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var listening sync.WaitGroup
	listening.Go(func() {
		if _, err := receiver.Accept(); err == nil {
			t.Error("the receiver was called")
		}
	})
	address, spool := freeAddress(t), filepath.Join(t.TempDir(), "spool")
	agent, log := startAgent(t, fill(t, scrapedFile, "@LISTEN@", address, "@OTLP@", receiver.Addr().String(), "@URL@", endpoint.URL, "@SPOOL@", spool))
	awaitPage(t, "http://"+address+"/readyz", `^ok`)
	page := awaitPage(t, "http://"+address+"/metrics", `wsprobe_runs_total{.*wsprobe_reason="ok"} [3-9]`, `wsprobe_round_trip_latency_milliseconds{`)
	if regexp.MustCompile(`wsprobe_agent_export_(requests|points?_dropped)_total{.*} [1-9]`).MatchString(page) {
		t.Errorf("an export in\n%s", page)
	}
	endAgent(t, agent, log)
	_ = receiver.Close()
	listening.Wait()
	if _, err := os.Stat(spool); !os.IsNotExist(err) {
		t.Errorf("a spool: %v", err)
	}
	if text := log.String(); !strings.Contains(text, "otlp=none") || strings.Contains(text, "level=WARN") {
		t.Errorf("the log is\n%s", text)
	}
}

// fill writes a configuration file with values in the places that are left for them.
func fill(t *testing.T, text string, values ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(values...).Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// endAgent ends an agent as a supervisor does.
func endAgent(t *testing.T, agent *exec.Cmd, log *bytes.Buffer) {
	t.Helper()
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := agent.Wait(); err != nil {
		t.Errorf("the agent ends with %v:\n%s", err, log)
	}
}

// awaitPage asks until everything is there.
func awaitPage(t *testing.T, url string, patterns ...string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var page string
	for end := time.Now().Add(patience); time.Now().Before(end); {
		resp, err := client.Get(url)
		if err != nil {
			continue // not up yet
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		page = string(body)
		missing := func(pattern string) bool { return !regexp.MustCompile(pattern).MatchString(page) }
		if !slices.ContainsFunc(patterns, missing) {
			return page
		}
	}
	t.Fatalf("not all of %q in\n%s", patterns, page)
	return ""
}

// checkFamilies wants each family of a page to be a metric of the table.
func checkFamilies(t *testing.T, page string) {
	t.Helper()
	known := []string{"target_info"}
	plain := strings.NewReplacer(".", "_")
	for _, m := range slices.Concat(telemetry.Metrics(), telemetry.SelfMetrics()) {
		known = append(known, plain.Replace(m.Name), plain.Replace(strings.TrimSuffix(m.Name, ".count"))+"s")
	}
	for _, line := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(page, -1) {
		name := line[1]
		for _, end := range []string{"_total", "_milliseconds", "_seconds", "_bytes", "_percent"} {
			name = strings.TrimSuffix(name, end)
		}
		if !slices.Contains(known, name) {
			t.Errorf("%s is not in the table", line[1])
		}
	}
}
