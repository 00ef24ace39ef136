package metrics

import (
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// Observation is the result of one run of a probe, or a moment of its held session, and the health of the probe after
// it. Every sink of results is told the same Observation, and keeps no pointer to it. It holds no secret: the texts of a
// result are redacted.
type Observation struct {
	Probe  *Identity
	Result probe.Result

	// Health is the state of the probe after the run; its Status is [health.Unknown] without thresholds. Change is the
	// transition that the run brought about, nil if there is none.
	Health health.State
	Change *health.Transition

	// Maintained says that the probe was in a maintenance window: the result is no success and no failure, and the health
	// is unknown.
	Maintained bool

	// Session is about the held session of the probe; nil for the result of a run.
	Session *Session

	// Words are the words in which hints are given; nil means the fields of a configuration file.
	Words reasons.Words
}
