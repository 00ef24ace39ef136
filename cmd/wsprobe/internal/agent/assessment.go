package agent

import (
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// assessment is what a run makes of the health of its probe.
type assessment struct {
	health.State
	change *health.Transition // nil if there is none
}

// assessor returns what assesses the runs of one probe, in their order. The status of a probe without thresholds is
// always [health.Unknown].
func assessor(p *config.Probe) func(probe.Result) assessment {
	thresholds := p.Health.Thresholds
	if !thresholds.Given() {
		return func(probe.Result) assessment { return assessment{} }
	}
	tracker, interpretation := health.NewTracker(p.Health.Dwell), p.Spec.Interpretation
	return func(r probe.Result) assessment {
		change, changed := tracker.Observe(r.Ended, thresholds.Judge(interpretation.Value(r)))
		if !changed {
			return assessment{State: tracker.State()}
		}
		return assessment{tracker.State(), &change}
	}
}
