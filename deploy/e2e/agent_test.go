package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// settings are a configuration file of the agent, in the agent's own words.
type settings struct {
	Agent    map[string]any   `yaml:"agent,omitempty"`
	OTLP     map[string]any   `yaml:"otlp,omitempty"`
	Defaults map[string]any   `yaml:"defaults,omitempty"`
	Probes   []map[string]any `yaml:"probes"`
	Streams  []map[string]any `yaml:"streams,omitempty"`
	Modules  []map[string]any `yaml:"modules,omitempty"`
	Discover []map[string]any `yaml:"discover,omitempty"`
}

// newSettings returns a configuration without probes that exports to the Collector every second.
func newSettings(t *testing.T, c *collector) settings {
	t.Helper()
	return settings{
		Agent:    map[string]any{"listen": lab.FreeAddr(t), "location": "e2e", "log_level": "debug"},
		OTLP:     map[string]any{"endpoint": "http://" + c.grpc, "interval": "1s"},
		Defaults: map[string]any{"interval": "1s", "timeout_ms": 800},
	}
}

// roundTrip is a probe that NATS answers.
func roundTrip(name, url string) map[string]any {
	return map[string]any{
		"name":           name,
		"url":            url,
		"interpretation": "round_trip_latency",
		"send_message":   "PING\r\n",
		"expect_message": "PONG",
	}
}

// write stores the configuration and returns the file's path.
func (s settings) write(t *testing.T) string {
	t.Helper()
	data, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startAgent runs `wsprobe run` with the configuration.
func startAgent(t *testing.T, s settings, env ...string) *lab.Process {
	t.Helper()
	return lab.StartWith(t, env, built(t, agentBinary), "run", "-c", s.write(t))
}

// stopAgent ends the agent as an orchestrator does, and returns when it was told to stop.
func stopAgent(t *testing.T, agent *lab.Process) (at time.Time) {
	t.Helper()
	at = time.Now()
	agent.Stop(t, lab.StopLimit)
	t.Logf("the agent stopped in %v", time.Since(at).Round(time.Millisecond))
	return at
}

// checkReadiness waits until the agent answers on /readyz with a status, and wants it to be alive whatever that is.
func checkReadiness(t *testing.T, s settings, want int) {
	t.Helper()
	base := "http://" + s.Agent["listen"].(string)
	lab.Eventually(t, 10*time.Second, "readiness with status "+strconv.Itoa(want), func() (bool, string) {
		status := get(t, base+"/readyz")
		return status == want, strconv.Itoa(status)
	})
	if status := get(t, base+"/healthz"); status != http.StatusOK {
		t.Errorf("GET /healthz: status %d, want 200", status)
	}
}

// get returns the status of a page of the agent.
func get(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
