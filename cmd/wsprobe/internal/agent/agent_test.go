package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// agentFile is the configuration of these tests.
const agentFile = `
agent: {listen: "127.0.0.1:0"}
otlp: {endpoint: "$OTLP", interval: 1s}
defaults: {interval: 1s, headers: {Authorization: swordfish}}
probes:
  - {name: chat, url: "$ECHO?token=hunter2", interpretation: round_trip_latency, send_message: hi, labels: {team: blue}, thresholds: {unhealthy: "> 30000"}}
  - {name: silent, url: "$SILENT", interpretation: round_trip_latency, send_message: hi, timeout_ms: 100, thresholds: {healthy: "< 30000"}}
  - {name: refused, url: "$REFUSED", interpretation: connection_success, thresholds: {healthy: "== 1", unhealthy: "== 0"}}
`

// loadFile loads a configuration through a file, with its variables replaced.
func loadFile(t *testing.T, text string, vars map[string]string) config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	text = os.Expand(text, func(name string) string { return vars[name] })
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// patience bounds every wait of these tests. Only something that hangs reaches it.
const patience = time.Minute

// awaitPoints returns when n points of a metric of a probe have arrived.
func awaitPoints(t *testing.T, got *receiver.Inbox[receiver.Point], n int, metric, name string) {
	t.Helper()
	var err error
	for range patience / time.Second { // a machine that stands still for a minute takes a second of it
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = got.Await(ctx, n, receiver.Of(metric, name))
		if cancel(); err == nil {
			return
		}
	}
	t.Fatalf("%s of %s: %v", metric, name, err)
}

// explain says how an agent is whose test has failed, while it still runs.
func explain(t *testing.T, a *Agent, log *logtest.Log) {
	if !t.Failed() {
		return
	}
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
	t.Logf("readiness: %v; %d runs in flight; the export: %+v\n%s\n%s", a.ready(), a.scheduler.InFlight(), a.telemetry.ExportState(), log, &stacks)
}

// TestAgent runs the whole agent between endpoints and a back end.
func TestAgent(t *testing.T) {
	before := runtime.NumGoroutine()
	endpoints := wstest.Start(wstest.ByPath(map[string]wstest.Script{
		"/echo": wstest.Echo, "/silent": wstest.Silent, "/refused": wstest.Refuse(403, "no\n"),
	}))
	var got receiver.Inbox[receiver.Point]
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add})
	if err != nil {
		t.Fatal(err)
	}
	cfg := loadFile(t, agentFile, map[string]string{
		"OTLP": "http://" + back.Address,
		"ECHO": endpoints.URL + "echo", "SILENT": endpoints.URL + "silent", "REFUSED": endpoints.URL + "refused",
	})
	var log bytes.Buffer
	agent, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.ready(); err == nil || err.Error() != "not probing" {
		t.Errorf("ready before Run: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	for _, name := range []string{"chat", "silent", "refused"} {
		awaitPoints(t, &got, 2, "wsprobe.connection_success", name)
	}
	awaitReadiness(t, agent, isReady)
	checkPages(t, "http://"+agent.ListenAddress())
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := agent.ready(); err == nil {
		t.Error("ready after Run")
	}
	if _, err := net.Dial("tcp", agent.ListenAddress()); err == nil {
		t.Error("somebody listens after Run")
	}
	_ = back.Stop()
	endpoints.Close()
	checkPoints(t, &got)
	if text := log.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "swordfish") || !strings.Contains(text, "wsprobe ends") {
		t.Errorf("log:\n%s", text)
	}
	noGoroutineLeft(t, before)
}

// checkPages looks at an agent that works.
func checkPages(t *testing.T, base string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/healthz", "/readyz", "/", "/api/v1/probes"} {
		resp, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || strings.Contains(string(body), "hunter2") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
		var answer struct {
			Probes []struct {
				Status string
				Last   *json.RawMessage
			}
		}
		if path == "/api/v1/probes" && (json.Unmarshal(body, &answer) != nil || len(answer.Probes) != 3 || answer.Probes[0].Last == nil) {
			t.Errorf("%s: %s", path, body)
		}
		for i, p := range answer.Probes {
			if want := []string{"healthy", "no_data", "unhealthy"}[i]; p.Status != want {
				t.Errorf("probe %d is %s, want %s", i, p.Status, want)
			}
		}
	}
}

// checkPoints wants a point for each run, with its own time, and latencies only where they were measured.
func checkPoints(t *testing.T, got *receiver.Inbox[receiver.Point]) {
	t.Helper()
	for name, want := range map[string]struct {
		success            float64
		reason             string
		handshake, replied bool
		status             float64
	}{
		"chat":    {1, "ok", true, true, 0},
		"silent":  {1, "ws_reply_timeout", true, false, 3},
		"refused": {0, "ws_open_failed", false, false, 2},
	} {
		runs := got.Where(receiver.Of("wsprobe.connection_success", name))
		seen := make(map[time.Time]bool)
		for i, p := range runs {
			if p.Value != want.success || p.Attributes["wsprobe.reason"] != want.reason {
				t.Errorf("%s: value %v, attributes %v", name, p.Value, p.Attributes)
			}
			if seen[p.Time] || !p.Start.Before(p.Time) || i > 0 && !runs[i-1].Time.Before(p.Start) {
				t.Errorf("%s: run %d has the time of another: %v to %v", name, i, p.Start, p.Time)
			}
			seen[p.Time] = true
		}
		statuses := got.Where(receiver.Of("wsprobe.status", name))
		for _, p := range statuses {
			if p.Value != want.status || !seen[p.Time] {
				t.Errorf("%s: status %v at %v, want %v at the end of a run", name, p.Value, p.Time, want.status)
			}
		}
		if len(statuses) != len(runs) {
			t.Errorf("%s: %d statuses for %d runs", name, len(statuses), len(runs))
		}
		for metric, measured := range map[string]bool{"wsprobe.handshake_latency": want.handshake, "wsprobe.round_trip_latency": want.replied} {
			points := got.Where(receiver.Of(metric, name))
			if measured && len(points) != len(runs) || !measured && len(points) != 0 {
				t.Errorf("%s: %d points of %s for %d runs", name, len(points), metric, len(runs))
			}
			for _, p := range points {
				if !seen[p.Time] || p.Value <= 0 {
					t.Errorf("%s: %s %v at %v, which is no run's end", name, metric, p.Value, p.Time)
				}
			}
		}
		totals := 0.0
		for _, p := range got.Where(receiver.Of("wsprobe.runs", name)) {
			totals = max(totals, p.Value)
		}
		if int(totals) != len(runs) {
			t.Errorf("%s: wsprobe.runs counts %v, %d arrived", name, totals, len(runs))
		}
	}
	if team := got.Where(receiver.Of("wsprobe.connection_success", "chat"))[0].Attributes["team"]; team != "blue" {
		t.Errorf("label team: %v", team)
	}
}

// TestNewAgentHoldsNothing wants a start that fails to give back the address it took.
func TestNewAgentHoldsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const file = `
agent: {listen: "$LISTEN"}
probes: [{name: a, url: "ws://127.0.0.1:1/"}, {name: b, url: "ws://127.0.0.1:1/"}]
`
	log := slog.New(slog.DiscardHandler)
	cfg := loadFile(t, file, map[string]string{"LISTEN": taken.Addr().String()})
	if _, err := New(cfg, Options{Log: log}); err == nil || !strings.HasPrefix(err.Error(), "agent.listen: ") {
		t.Errorf("an address in use: %v", err)
	}
	_ = taken.Close()

	broken := cfg
	broken.OTLP.Endpoint = config.Endpoint{Address: "no port:x:y"}
	if _, err := New(broken, Options{Log: log}); err == nil {
		t.Error("telemetry took an endpoint that is none")
	}
	broken = cfg
	broken.Probes = append([]config.Probe(nil), cfg.Probes...)
	broken.Probes[0].Spec.URL, broken.Probes[1].Spec.URL = "http://a/?token=hunter2", "http://b/?token=hunter2"
	_, err = New(broken, Options{Log: log})
	if err == nil || !strings.Contains(err.Error(), `probe "a": `) || !strings.Contains(err.Error(), `probe "b": `) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("probes that are none: %v", err)
	}
	again, err := net.Listen("tcp", cfg.Agent.Listen)
	if err != nil {
		t.Fatalf("the address was not given back: %v", err)
	}
	_ = again.Close()
	noGoroutineLeft(t, before)
}

// noGoroutineLeft waits until no more goroutines are there than before.
func noGoroutineLeft(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, before %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
