package agent

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"

	"github.com/wsprobe/wsprobe/config"
)

// instanceID is who an agent is, the same after a restart, or empty if nothing about it stays. On one host, the port of
// the status page tells agents apart, and else the directory of the spool does: no two agents can share either. Agents
// in network namespaces of their own, as in Kubernetes, have host names of their own, too.
func instanceID(cfg config.Config) string {
	if cfg.Agent.ID != "" {
		return cfg.Agent.ID
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return ""
	}
	var id string
	if _, port, err := net.SplitHostPort(cfg.Agent.Listen); err == nil && port != "0" {
		id = net.JoinHostPort(host, port)
	} else if cfg.OTLP.Spool.Dir != "" {
		id = host + ":" + cfg.OTLP.Spool.Dir
	} else {
		return ""
	}
	if shard := cfg.Agent.Shard; shard.Count > 1 {
		id += fmt.Sprintf("/shard-%d", shard.Index)
	}
	return id
}

// hostNames are the names under which people may ask for the status page: those of agent.hosts, and that in agent.url,
// which they reach it by. Without agent.hosts the latter counts on a loopback address only, where a proxy must be.
func hostNames(agent config.Agent) []string {
	host, _, _ := net.SplitHostPort(agent.Listen)
	address, err := netip.ParseAddr(host)
	if loopback := host == "localhost" || err == nil && address.IsLoopback(); len(agent.Hosts) == 0 && !loopback {
		return nil
	}
	if u, err := url.Parse(agent.URL); err == nil && u.Hostname() != "" {
		return append(slices.Clone(agent.Hosts), u.Hostname())
	}
	return agent.Hosts
}
