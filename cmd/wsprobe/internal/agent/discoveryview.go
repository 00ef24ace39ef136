package agent

import (
	"fmt"
	"maps"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
)

// views are the sources of targets as the page and the API show them.
func (d *discoverer) views() []status.Discovery {
	sources := *d.shown.Load()
	all := make([]status.Discovery, len(sources))
	for i, s := range sources {
		state := s.state()
		v := status.Discovery{Name: s.cfg.Name, Kind: s.cfg.Kind(), Module: s.cfg.Module.Name, Targets: state.Targets, Probes: s.probes,
			Updated: known(state.Updated), Failing: known(state.Failing), Refused: s.refused, Counts: s.counts}
		if v.Failing != nil {
			v.Problem = state.Problem
		}
		for _, r := range s.rejected {
			v.Rejected = append(v.Rejected, status.Rejection(r))
		}
		all[i] = v
	}
	return all
}

// maxNoted is how many sources have a note each.
const maxNoted = 3

// notes tell of sources that have failed since the start. They leave the agent ready: a source keeps nobody from probing
// for the others, and no restart mends it.
func (d *discoverer) notes() []string {
	var notes []string
	more := 0
	for _, s := range *d.shown.Load() {
		state := s.state()
		switch {
		case !state.Updated.IsZero() || state.Failing.IsZero():
		case len(notes) == maxNoted:
			more++
		default:
			notes = append(notes, fmt.Sprintf("the source of targets %q has never answered, and so has no probes: it fails since %s: %s",
				s.cfg.Name, state.Failing.UTC().Format(time.RFC3339), state.Problem))
		}
	}
	if more > 0 {
		notes = append(notes, fmt.Sprintf("%d more sources of targets have never answered", more))
	}
	return notes
}

// stats are the numbers of the sources in the words of the telemetry.
func (d *discoverer) stats() []telemetry.DiscoveryStats {
	sources := *d.shown.Load()
	all := make([]telemetry.DiscoveryStats, len(sources))
	for i, s := range sources {
		state := s.state()
		rejected := map[string]int{causeInvalid: 0, causeDuplicate: 0, causeTaken: 0, causeNoRoom: s.noRoom}
		maps.Copy(rejected, s.counts)
		since := state.Updated
		if since.IsZero() {
			since = s.began
		}
		all[i] = telemetry.DiscoveryStats{Name: s.cfg.Name, Targets: state.Targets, Rejected: rejected,
			Succeeded: state.Succeeded, Failed: state.Failed, Age: max(time.Since(since), 0)}
	}
	return all
}
