package agent

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// probeEndpointFile is a configuration with $TARGETS for /probe.
const probeEndpointFile = `
agent: {listen: "127.0.0.1:0", probe_endpoint: {targets: [$TARGETS]}}
otlp: {protocol: none}
probes:
  - {name: chat, url: "ws://127.0.0.1:1/"}
`

// askAgent asks an agent that does not run for a path, and returns the status and the body.
func askAgent(t *testing.T, a *Agent, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	a.status.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// TestProbeEndpointIsOff: /probe is off until targets are named, and its requests are counted.
func TestProbeEndpointIsOff(t *testing.T) {
	for targets, want := range map[string]struct {
		status       int
		text, metric string
	}{
		"":            {404, "/probe is off", `wsprobe_agent_probe_endpoint_requests_total{http_response_status_code="404"} 1`},
		`"127.0.0.1"`: {400, "module", `wsprobe_agent_probe_endpoint_requests_total{http_response_status_code="400"} 1`},
	} {
		a, err := New(loadFile(t, probeEndpointFile, map[string]string{"TARGETS": targets}), Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if status, text := askAgent(t, a, "/probe?target=127.0.0.1&module=none"); status != want.status || !strings.Contains(text, want.text) {
			t.Errorf("%s: %d %s", targets, status, text)
		}
		if _, text := askAgent(t, a, "/metrics"); !strings.Contains(text, want.metric+"\n") {
			t.Errorf("%s: no %s in\n%s", targets, want.metric, text)
		}
		if err := a.abandon(); err != nil {
			t.Error(err)
		}
	}
}

// TestProbeEndpointReloads: the next request goes by the targets of now.
func TestProbeEndpointReloads(t *testing.T) {
	off := loadFile(t, probeEndpointFile, nil)
	on := loadFile(t, probeEndpointFile, map[string]string{"TARGETS": `"127.0.0.1"`})
	a, err := New(off, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		cfg  config.Config
		want int
	}{{on, 400}, {off, 404}} {
		if restart, err := a.Reload(step.cfg); err != nil || len(restart) > 0 {
			t.Fatalf("%q %v", restart, err)
		}
		if status, text := askAgent(t, a, "/probe?target=127.0.0.1&module=none"); status != step.want {
			t.Errorf("%d %s, want %d", status, text, step.want)
		}
	}
	if err := a.abandon(); err != nil {
		t.Error(err)
	}
}
