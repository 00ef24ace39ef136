package main

import (
	"os"
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// TestInstanceID: what tells an agent from others, and stays when it is restarted.
func TestInstanceID(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip("this machine has no name")
	}
	spool := config.Spool{Dir: "/var/spool/wsprobe"}
	for name, c := range map[string]struct {
		agent config.Agent
		spool config.Spool
		want  string
	}{
		"configured":       {config.Agent{ID: "probes-1", Listen: "127.0.0.1:9464"}, spool, "probes-1"},
		"by its port":      {config.Agent{Listen: "127.0.0.1:9464"}, spool, host + ":9464"},
		"by its shard":     {config.Agent{Listen: ":9464", Shard: config.Shard{Index: 2, Count: 8}}, spool, host + ":9464/shard-2"},
		"one of one":       {config.Agent{Listen: ":9464", Shard: config.Shard{Count: 1}}, config.Spool{}, host + ":9464"},
		"by its spool":     {config.Agent{}, spool, host + ":/var/spool/wsprobe"},
		"on any free port": {config.Agent{Listen: "127.0.0.1:0"}, spool, host + ":/var/spool/wsprobe"},
		"by nothing":       {config.Agent{}, config.Spool{}, ""},
	} {
		if got := instanceID(config.Config{Agent: c.agent, OTLP: config.OTLP{Spool: c.spool}}); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
