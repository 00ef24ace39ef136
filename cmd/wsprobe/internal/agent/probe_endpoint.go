package agent

import (
	"errors"
	"fmt"
	"strings"

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
		modules[m.Name] = prometheus.Module{Shown: m.Shown(), Probe: func(name, target string) (prometheus.Probe, error) {
			return probeOf(m, name, target)
		}}
	}
	return prometheus.Settings{Modules: modules, Targets: targets, MaxConcurrent: cfg.Agent.ProbeEndpoint.MaxConcurrent, Location: cfg.Agent.Location}, nil
}

// probeOf makes the probe of a module for the URL of a target, whose parts fill its placeholders. Of a module with a
// session, it is the run that opens it.
func probeOf(m *config.Module, name, target string) (prometheus.Probe, error) {
	p, err := m.ProbeURL(name, target)
	if err != nil {
		return prometheus.Probe{}, withoutPlaces(err)
	}
	p.Session = nil // the headline is that of the run
	id, err := identify(&p)
	return prometheus.Probe{Spec: p.Spec, Identity: id, Rules: p.Health.Thresholds}, err
}

// withoutPlaces names the fields that are wrong, and no file: whoever asks need not know it.
func withoutPlaces(err error) error {
	faults, ok := errors.AsType[*config.Error](err)
	if !ok {
		return err
	}
	var problems []string
	for _, f := range faults.Faults {
		problems = append(problems, f.Path+" "+f.Problem)
	}
	return errors.New(strings.Join(problems, "; "))
}
