package agent

import (
	"os"
	"slices"
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

// TestHostNames: a proxy in front of a loopback address has the name in agent.url, which must not narrow any other
// address.
func TestHostNames(t *testing.T) {
	const url = "https://probes.example/wsprobe"
	for name, c := range map[string]struct {
		agent config.Agent
		want  []string
	}{
		"nothing":                {config.Agent{Listen: ":9464"}, nil},
		"url anywhere":           {config.Agent{Listen: ":9464", URL: url}, nil},
		"url on loopback":        {config.Agent{Listen: "127.0.0.1:9464", URL: url}, []string{"probes.example"}},
		"url on localhost":       {config.Agent{Listen: "localhost:9464", URL: url}, []string{"probes.example"}},
		"url on IPv6 loopback":   {config.Agent{Listen: "[::1]:9464", URL: url}, []string{"probes.example"}},
		"hosts":                  {config.Agent{Listen: ":9464", Hosts: []string{"a"}}, []string{"a"}},
		"hosts and url anywhere": {config.Agent{Listen: ":9464", URL: url, Hosts: []string{"a"}}, []string{"a", "probes.example"}},
	} {
		if got := hostNames(c.agent); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
