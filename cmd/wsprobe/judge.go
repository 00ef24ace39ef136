package main

import (
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// watcher is told when the status of a probe changes.
type watcher func(config.Probe, health.Transition)

// judgeOf returns what judges the runs of one probe, in their order. What it returns of a probe without thresholds is
// always [health.Unknown].
func judgeOf(p *config.Probe, watchers ...watcher) func(probe.Result) health.State {
	thresholds := p.Health.Thresholds
	if !thresholds.Given() {
		return func(probe.Result) health.State { return health.State{} }
	}
	tracker := health.NewTracker(p.Health.Dwell)
	return func(r probe.Result) health.State {
		verdict := thresholds.Judge(p.Spec.Interpretation.Value(r))
		if change, changed := tracker.Observe(r.Ended, verdict); changed {
			for _, tell := range watchers {
				tell(*p, change)
			}
		}
		return tracker.State()
	}
}
