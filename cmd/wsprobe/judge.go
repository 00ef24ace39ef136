package main

import (
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// verdict is what a run makes of its probe.
type verdict struct {
	health.State
	change *health.Transition // nil if there is none
}

// judgeOf returns what judges the runs of one probe, in their order. The status of a probe without thresholds is always
// [health.Unknown].
func judgeOf(p *config.Probe) func(probe.Result) verdict {
	thresholds := p.Health.Thresholds
	if !thresholds.Given() {
		return func(probe.Result) verdict { return verdict{} }
	}
	tracker, interpretation := health.NewTracker(p.Health.Dwell), p.Spec.Interpretation
	return func(r probe.Result) verdict {
		change, changed := tracker.Observe(r.Ended, thresholds.Judge(interpretation.Value(r)))
		if !changed {
			return verdict{State: tracker.State()}
		}
		return verdict{tracker.State(), &change}
	}
}
