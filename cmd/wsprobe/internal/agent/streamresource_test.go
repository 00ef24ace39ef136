package agent

import (
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// TestStreamsDescribeTheAgent: events name the agent and its place as the other signals do, also an agent that has no
// name of its own.
func TestStreamsDescribeTheAgent(t *testing.T) {
	for _, id := range []string{"", "probe-7"} {
		cfg := config.Config{Agent: config.Agent{ID: id, Location: "fra"}}
		cfg.OTLP.Resource.ServiceName, cfg.OTLP.Resource.Attributes = "feeds", map[string]string{"team": "core"}
		got := eventOptions(config.Encoding{}, false, telemetryOptions(cfg, Options{Version: "1.2.3"}, nil))
		if got.Agent == "" || id != "" && got.Agent != id || got.Location != "fra" || got.Version != "1.2.3" {
			t.Errorf("%q has the options %+v", id, got)
		}
		resource := map[string]string{}
		for _, a := range got.Resource {
			resource[a.Key] = a.Value.String()
		}
		for key, want := range map[string]string{"service.instance.id": got.Agent, "service.name": "feeds", "service.version": "1.2.3", "team": "core", "wsprobe.location": "fra"} {
			if resource[key] != want {
				t.Errorf("%s is %q, want %q", key, resource[key], want)
			}
		}
	}
}
