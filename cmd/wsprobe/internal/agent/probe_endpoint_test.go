package agent

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
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

// modulesFile is a configuration with modules for /probe.
const modulesFile = `
agent: {listen: "127.0.0.1:0", location: lab, probe_endpoint: {targets: ["127.0.0.0/8"]}}
otlp: {protocol: none}
defaults: {labels: {team: web}, headers: {X-Token: hunter2-of-the-defaults}}
modules:
  - name: chat
    interpretation: round_trip_latency
    send_message: hi
    headers: {X-Token: hunter2-of-the-module, X-Target: "{{target.host}} {{target.port}}"}
    thresholds: {healthy: "< 30000"}
  - name: held
    session: {ping_interval: 1s}
  - {name: login, prepare: {url: "http://169.254.169.254/token"}}
`

// TestProbeEndpointRunsModules: a module runs with the defaults of its file and the parts of its target, also one whose
// probes would hold a session. Nothing shows its secrets.
func TestProbeEndpointRunsModules(t *testing.T) {
	asked := make(chan string, 10)
	s := wstest.Start(func(c *wstest.Conn) {
		r := c.Request()
		asked <- r.Header.Get("X-Token") + " " + r.Header.Get("X-Target") + " " + r.UserAgent()
		c.Accept()
		c.Send(wstest.Text(c.Message()))
		c.Serve()
	})
	defer s.Close()
	cfg := loadFile(t, modulesFile, nil)
	for _, m := range cfg.Modules {
		m.SetUserAgent("wsprobe/test")
	}
	a, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.abandon() }()
	at := s.Addr().String()
	_, port, _ := strings.Cut(at, ":")
	status, text := askAgent(t, a, "/probe?module=chat&debug=true&target="+at+"/path%3Ftoken=hunter2-of-the-target")
	for _, want := range []string{"probe_success 1\n", `team="web"`, `wsprobe_location="lab"`, `wsprobe_name="chat/` + at + `"`, "\nwsprobe_status{", "name: chat\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%d: no %s in\n%s", status, want, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	if got, want := <-asked, "hunter2-of-the-module 127.0.0.1 "+port+" wsprobe/test"; got != want {
		t.Errorf("the endpoint saw %q, want %q", got, want)
	}
	if status, text := askAgent(t, a, "/probe?module=held&target="+at); status != 200 || !strings.Contains(text, "probe_success 1\n") {
		t.Errorf("held: %d %s", status, text)
	}
	if status, text := askAgent(t, a, "/probe?module=chat&target=ws://127.0.0.1/%23fragment"); status != 400 || !strings.HasPrefix(text, "target: url must not have a fragment") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := askAgent(t, a, "/probe?module=login&target="+at); status != 200 || !strings.Contains(text, `error_type="address_not_permitted"`) {
		t.Errorf("login: %d %s", status, text)
	}
	if points := a.fleet.size(); points != 0 {
		t.Errorf("the fleet has %d probes", points)
	}
}
