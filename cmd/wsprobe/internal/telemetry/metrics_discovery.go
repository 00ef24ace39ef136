package telemetry

import (
	"maps"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// discoveryTable is the metrics of the sources of targets. It does not change.
var discoveryTable = map[metrics.ID]metrics.Metric{
	idDiscoveryTargets: {
		Name: "wsprobe.discovery.targets", Kind: metrics.UpDownCounter, Unit: "{target}", Attributes: []string{keyDiscovery},
		Description: "Targets that a source has, those without a probe included.",
	},
	idDiscoveryRejected: {
		Name: "wsprobe.discovery.rejected", Kind: metrics.UpDownCounter, Unit: "{target}", Attributes: []string{keyDiscovery, keyRejectCause},
		Description: "Of these, the ones that get no probe: invalid, duplicate or taken; or no_room, if an update is refused as a whole.",
	},
	idDiscoveryLooks: {
		Name: "wsprobe.discovery.looks", Kind: metrics.Counter, Unit: "{look}", Attributes: []string{keyDiscovery, keyLookOutcome},
		Description: "Looks of a source, by outcome: success or failure.",
	},
	idDiscoveryAge: {
		Name: "wsprobe.discovery.age", Kind: metrics.Gauge, Unit: "s", Attributes: []string{keyDiscovery},
		Description: "Time since the last look of a source that succeeded, or since it began if none did.",
	},
}

// DiscoveryStats are the numbers of a source of targets.
type DiscoveryStats struct {
	Name              string
	Targets           int
	Rejected          map[string]int // by cause
	Succeeded, Failed int64          // looks since the start
	Age               time.Duration  // of the last one that succeeded
}

// addDiscovery adds the points of sources of targets.
func addDiscovery(b *batcher, all []DiscoveryStats, start, now time.Time) {
	for i := range all {
		s := &all[i]
		set := func(more ...metrics.Attribute) metrics.Set {
			return b.sets.Alone(append([]metrics.Attribute{metrics.Text(keyDiscovery, s.Name)}, more...)...)
		}
		b.sum(idDiscoveryTargets, set(), start, now, int64(s.Targets))
		for _, cause := range slices.Sorted(maps.Keys(s.Rejected)) {
			b.sum(idDiscoveryRejected, set(metrics.Text(keyRejectCause, cause)), start, now, int64(s.Rejected[cause]))
		}
		b.sum(idDiscoveryLooks, set(metrics.Text(keyLookOutcome, "success")), start, now, s.Succeeded)
		b.sum(idDiscoveryLooks, set(metrics.Text(keyLookOutcome, "failure")), start, now, s.Failed)
		b.gauge(idDiscoveryAge, set(), start, now, s.Age.Seconds())
	}
}
