package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// moduleSettings are the settings of an agent that only answers /probe.
func moduleSettings(t *testing.T, targets ...string) lab.Settings {
	t.Helper()
	return lab.Settings{
		"agent": map[string]any{"listen": lab.FreeAddr(t), "log_level": "debug",
			"probe_endpoint": map[string]any{"targets": targets, "max_concurrent": 20}},
		"otlp": map[string]any{"protocol": "none"},
		"modules": []any{map[string]any{"name": "chat", "interpretation": "round_trip_latency", "send_message": "ping", "expect_message": "ping",
			"labels": map[string]any{"team": "messaging"}}},
		"probes": []any{map[string]any{"name": "closed", "url": "ws://127.0.0.1:1/", "interval": "1h"}},
	}
}

// listenOf is the address of an agent with these settings.
func listenOf(s lab.Settings) string { return s["agent"].(map[string]any)["listen"].(string) }

// startModules runs an agent that only answers /probe, and waits until it does.
func startModules(t *testing.T, s lab.Settings) {
	t.Helper()
	agent := lab.StartAgent(t, s)
	listening(t, agent, listenOf(s))
	t.Cleanup(func() { agent.Stop(t, time.Minute) })
}

// startRelabelling runs deploy/prometheus-probe.yaml with other targets and another agent, and nothing else changed.
func startRelabelling(t *testing.T, agent string, targets []string) prometheus {
	t.Helper()
	program := need(t, "prometheus", "prometheus")
	data, err := os.ReadFile("../prometheus-probe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	config["global"] = map[string]any{"scrape_interval": "2s", "evaluation_interval": "2s"}
	config["scrape_configs"].([]any)[0].(map[string]any)["static_configs"] = []any{map[string]any{"targets": targets}}
	if data, err = yaml.Marshal(config); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "127.0.0.1:9464", agent)
	return runPrometheus(t, program, fileWith(t, "prometheus.yaml", "%s", text))
}

// blackboxDashboard has expressions of public dashboards and alerts for blackbox_exporter, with the number of their series for
// a target that is good, over TLS whose certificate is refused, closed, and named but not permitted.
var blackboxDashboard = []struct {
	expr                       string // of $target
	good, tls, closed, refused int
}{
	{`probe_success{instance="$target"}`, 1, 1, 1, 1},
	{`probe_duration_seconds{instance="$target"}`, 1, 1, 1, 1},
	{`avg(probe_duration_seconds{instance=~"$target"}) by (instance)`, 1, 1, 1, 1},
	{`probe_http_duration_seconds{instance=~"$target"}`, 5, 5, 5, 5},
	{`sum(probe_http_duration_seconds{instance=~"$target"}) by (instance)`, 1, 1, 1, 1},
	{`probe_http_status_code{instance=~"$target"}`, 1, 1, 1, 1},
	{`probe_http_version{instance=~"$target"}`, 1, 1, 1, 1},
	{`probe_http_ssl{instance=~"$target"}`, 1, 1, 1, 1},
	{`avg(probe_dns_lookup_time_seconds{instance=~"$target"})`, 1, 1, 1, 1},
	{`probe_ip_protocol{instance=~"$target"}`, 1, 1, 1, 1},
	{`probe_ssl_earliest_cert_expiry{instance=~"$target"} - time()`, 0, 1, 0, 0},
	{`(probe_ssl_earliest_cert_expiry{instance=~"$target"} - time()) / 86400 < 1e6`, 0, 1, 0, 0},
	{`avg_over_time(probe_success{instance="$target"}[1m])`, 1, 1, 1, 1},
	{`wsprobe_round_trip_latency_milliseconds{instance="$target", team="messaging"}`, 1, 0, 0, 0},
	{`wsprobe_failure_info{instance="$target"}`, 0, 1, 1, 1},
	{`probe_success{instance="$target"} == 0`, 0, 1, 1, 1},
}

// TestProbeEndpoint has a real Prometheus ask an agent for targets by the relabelling of blackbox_exporter, and asks it
// what dashboards ask.
func TestProbeEndpoint(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	settings := moduleSettings(t, "127.0.0.0/8")
	startModules(t, settings)
	good := strings.TrimPrefix(lab.NewEndpoint(t).URL, "ws://") + "/echo/a"
	tls := lab.NewTLSEndpoint(t).URL + "/echo/b"
	closed := "ws://" + closedPort(t) + "/"
	const refused, unknown = "ws://nowhere.invalid/", "ws://169.254.169.254/"
	p := startRelabelling(t, listenOf(settings), []string{good, tls, closed, refused, unknown})
	for _, d := range blackboxDashboard {
		for target, want := range map[string]int{good: d.good, tls: d.tls, closed: d.closed, refused: d.refused} {
			p.await(t, strings.ReplaceAll(d.expr, "$target", target), func(s []sample) bool { return len(s) == want })
		}
	}
	p.awaitOne(t, `probe_success{instance="`+good+`"}`, 1, 1)
	p.awaitOne(t, `probe_http_status_code{instance="`+good+`"}`, 101, 101)
	p.awaitOne(t, `up{instance="`+closed+`"}`, 1, 1)
	p.awaitOne(t, `up{instance="`+unknown+`"}`, 0, 0) // 403: a target that may not be asked for
	for target, errorType := range map[string]string{tls: "tls_certificate_untrusted", closed: "connection_refused"} {
		p.await(t, `wsprobe_failure_info{instance="`+target+`"}`, func(s []sample) bool { return len(s) == 1 && s[0].labels["error_type"] == errorType })
	}
	checkWithPromtool(t, promtool, "http://"+listenOf(settings)+"/probe?target="+url.QueryEscape(tls))
}

// TestProbeEndpointIsGuarded asks an agent for what it must not connect to, and listens there.
func TestProbeEndpointIsGuarded(t *testing.T) {
	settings := moduleSettings(t, "*")
	startModules(t, settings)
	endpoint := lab.NewEndpoint(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(endpoint.URL, "ws://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "a.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "0", "127.1", "2130706433",
		"0x7f000001", "0177.0.0.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127.0.0.1.", "①27.0.0.1", "127。0。0。1"} {
		query := url.Values{"target": {"ws://" + host + ":" + port + "/echo/x"}}
		resp, err := http.Get("http://" + listenOf(settings) + "/probe?" + query.Encode())
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !strings.Contains(string(body), "\nprobe_success 0\n") && resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", host, resp.StatusCode, body)
		}
	}
	if visits := endpoint.Visits(); len(visits) > 0 {
		t.Errorf("the agent came: %v", visits)
	}
}

// TestProbeEndpointTakesItsTime: a run may last longer than the server's deadlines for pages, and a client that leaves
// ends it.
func TestProbeEndpointTakesItsTime(t *testing.T) {
	settings := moduleSettings(t, "127.0.0.1")
	settings["modules"] = []any{map[string]any{"name": "slow", "interpretation": "round_trip_latency", "send_message": "ping", "expect_message": "other",
		"timeout_ms": 12000}}
	startModules(t, settings)
	target := url.QueryEscape(lab.NewEndpoint(t).URL + "/ignores-close/x")
	resp, err := http.Get("http://" + listenOf(settings) + "/probe?target=" + target)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !strings.Contains(string(body), `wsprobe_reason="ws_reply_mismatch"`) {
		t.Errorf("%d %v %s", resp.StatusCode, err, body)
	}
}

// TestBlackboxNames compares the names of the metrics of /probe with those of a real blackbox_exporter, which probes the
// same server: the page on blackbox_exporter has each of them, as there or as missing.
func TestBlackboxNames(t *testing.T) {
	program := need(t, "prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(server.Close)
	addr := lab.FreeAddr(t)
	blackbox := lab.Start(t, program, "--web.listen-address="+addr, "--config.file="+fileWith(t, "blackbox.yml", "%s", `
modules: {http: {prober: http, http: {tls_config: {insecure_skip_verify: true}}}}`))
	listening(t, blackbox, addr)
	theirs := metricNames(t, "http://"+addr+"/probe?module=http&target="+url.QueryEscape(server.URL))
	if !slices.Contains(theirs, "probe_ssl_earliest_cert_expiry") {
		t.Fatalf("blackbox_exporter does not reach the server: %q", theirs)
	}
	page, err := os.ReadFile("../blackbox.md")
	if err != nil {
		t.Fatal(err)
	}
	table := func(name string) []string {
		_, rest, _ := strings.Cut(string(page), "<!-- begin "+name+" -->")
		rest, _, _ = strings.Cut(rest, "<!-- end ")
		var names []string
		for _, match := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)").FindAllStringSubmatch(rest, -1) {
			names = append(names, match[1])
		}
		return names
	}
	there, missing := table("metrics of blackbox"), table("missing metrics of blackbox")
	for _, name := range theirs {
		if !slices.Contains(there, name) && !slices.Contains(missing, name) {
			t.Errorf("%s is not on the page", name)
		}
	}
	settings := moduleSettings(t, "127.0.0.0/8")
	settings["modules"] = []any{map[string]any{"name": "tls", "tls": map[string]any{"insecure_skip_verify": true}}}
	startModules(t, settings)
	ours := metricNames(t, "http://"+listenOf(settings)+"/probe?target="+url.QueryEscape(lab.NewTLSEndpoint(t).URL+"/echo/x"))
	for _, name := range there {
		verified := name == "probe_ssl_last_chain_expiry_timestamp_seconds" // of a chain that was verified, which this is not
		if !verified && !slices.Contains(ours, name) {
			t.Errorf("/probe has no %s", name)
		}
	}
	for _, name := range ours {
		if !slices.Contains(there, name) && !strings.HasPrefix(name, "wsprobe_") {
			t.Errorf("/probe has %s, which is not on the page", name)
		}
	}
}

// metricNames are the names of the metrics of an answer.
func metricNames(t *testing.T, from string) []string {
	t.Helper()
	resp, err := http.Get(from)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", resp.StatusCode, err, body)
	}
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(string(body), -1) {
		names = append(names, match[1])
	}
	return names
}
