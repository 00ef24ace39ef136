package agent

import (
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// assessor follows the health of one probe. A nil assessor is that of a probe without thresholds.
type assessor struct {
	thresholds     health.Thresholds
	tracker        *health.Tracker
	interpretation probe.Interpretation
}

func newAssessor(p *config.Probe) *assessor {
	if !p.Health.Thresholds.Given() {
		return nil
	}
	return &assessor{p.Health.Thresholds, health.NewTracker(p.Health.Dwell), p.Headline()}
}

// pause has the health begin anew, see [health.Tracker.Pause].
func (a *assessor) pause() {
	if a != nil {
		a.tracker.Pause()
	}
}

// assess fills in the health of the probe after a run. It is called for each run, in their order. Without thresholds
// the status stays [health.Unknown].
func (a *assessor) assess(o *metrics.Observation) {
	if a == nil {
		return
	}
	change, changed := a.tracker.Observe(o.Result.Ended, a.thresholds.Judge(a.interpretation.Value(o.Result)))
	if o.Health = a.tracker.State(); changed {
		o.Change = new(change)
	}
}
