package agent

import (
	"errors"

	"github.com/wsprobe/wsprobe/config"
)

// config returns the configuration that is in force, without its probes. It is read-only.
func (a *Agent) config() *config.Config { return a.effective.Load() }

// hold makes a configuration that in force.
func (a *Agent) hold(cfg config.Config) {
	cfg.Probes = nil
	a.effective.Store(&cfg)
}

// hosts are the names under which people may ask for the status page now.
func (a *Agent) hosts() []string { return hostNames(a.config().Agent) }

// origins are those of pages that may read the feed now.
func (a *Agent) origins() []string { return a.config().Agent.Origins }

// Reload makes a configuration that of the agent, as [Agent.Apply] does with its probes. It may be called at any time, by
// several goroutines. All of it is applied, or none: an error says what cannot be applied.
//
// Values that need a restart keep what they had at the start. Restart has their paths, in the order of [Settings], and
// all else of the configuration is in force then. The warnings of the configuration are for the caller to tell.
func (a *Agent) Reload(cfg config.Config) (restart []string, err error) {
	a.applying.Lock()
	defer a.applying.Unlock()
	restart = keep(&cfg, a.config())
	probes, err := a.plan(&cfg, cfg.Agent.Shard.Of(cfg.Probes))
	if err != nil {
		return nil, err
	}
	export, err := a.telemetry.Change(telemetryOptions(cfg, a.options, nil))
	if err != nil {
		return nil, err
	}
	asked, err := probeSettings(&cfg)
	var streams *streamPlan
	if err == nil {
		streams, err = a.outlets.plan(cfg.Streams)
	}
	if err == nil {
		err = a.outlets.handOver(streams)
	}
	if err != nil {
		return nil, errors.Join(err, export.Discard())
	}
	a.outlets.apply(streams)
	export.Apply()
	a.endpoint.Set(asked)
	if err := a.install(&cfg, probes); err != nil {
		return nil, err // what was planned is right, so this is an error of ours
	}
	a.scheduler.SetMaxConcurrent(cfg.Agent.MaxConcurrent)
	a.hub.SetMaxConcurrent(cfg.Agent.MaxConcurrent)
	if a.options.LogLevel != nil {
		a.options.LogLevel.Set(cfg.Agent.LogLevel)
	}
	a.hold(cfg)
	return restart, nil
}

// keep takes the values that need a restart over from the configuration that is in force. It returns the paths of those
// that are others in the next one.
func keep(next *config.Config, now *config.Config) (restart []string) {
	for _, s := range settings {
		if s.keep != nil && s.keep(next, now) {
			restart = append(restart, s.Path)
		}
	}
	return restart
}
