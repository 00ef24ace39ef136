package agent

import (
	"fmt"
	"net/url"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/permit"
)

// probeSettings are what /probe goes by: the modules of a configuration, and who may be asked for. The patterns of a
// valid one are right.
func probeSettings(cfg *config.Config) (prometheus.Settings, error) {
	targets, err := permit.Parse(cfg.Agent.ProbeEndpoint.Targets)
	if err != nil {
		return prometheus.Settings{}, fmt.Errorf("agent.probe_endpoint.targets: %w", err)
	}
	modules := make(map[string]prometheus.Module, len(cfg.Modules))
	for _, m := range cfg.Modules {
		modules[m.Name] = servedModule(m)
	}
	return prometheus.Settings{Modules: modules, Targets: targets, MaxConcurrent: cfg.Agent.ProbeEndpoint.MaxConcurrent, Location: cfg.Agent.Location}, nil
}

// prober is what makes a probe of a module for a target.
type prober interface {
	Probe(name, url string, texts map[string]string) (config.Probe, error)
}

// servedModule is a module as /probe needs it. Of a module with a session, it is the run that opens it.
func servedModule(m *config.Module) prometheus.Module {
	made := func(name, target string) (prometheus.Probe, error) {
		p, err := probeOf(m, name, target)
		if err != nil {
			return prometheus.Probe{}, err
		}
		own := p
		own.Session = nil // the headline is that of the run
		id, err := identify(&own)
		return prometheus.Probe{Spec: p.Spec, Identity: id, Rules: p.Health.Thresholds}, err
	}
	shown := "name: " + m.Name + "\n"
	if m, ok := any(m).(interface{ Shown() string }); ok {
		shown = m.Shown()
	}
	return prometheus.Module{Probe: made, Shown: shown}
}

// probeOf makes the probe of a module for the URL of a target, whose parts fill its placeholders.
func probeOf(m any, name, target string) (config.Probe, error) {
	u, err := url.Parse(target)
	if err != nil {
		return config.Probe{}, fmt.Errorf("must be a URL")
	}
	texts := map[string]string{"address": u.Host, "host": u.Hostname(), "port": u.Port()}
	maker, ok := m.(prober)
	if !ok {
		return config.Probe{}, fmt.Errorf("modules make no probes yet")
	}
	return maker.Probe(name, target, texts)
}
