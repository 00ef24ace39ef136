package health_test

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
)

// TestPause: after a pause a status holds when it has lasted, but for the best, and a change is one from before.
func TestPause(t *testing.T) {
	const h, d, u = health.Healthy, health.Degraded, health.Unhealthy
	for _, c := range []struct {
		name          string
		before, after []health.Status // a minute apart; the dwell of a breach is two minutes
		want          []health.Status
		changed       int // which of those after; -1 for none
		from          health.Status
	}{
		{name: "well_before_and_after", before: []health.Status{h}, after: []health.Status{h, h}, want: []health.Status{h, h}, changed: -1},
		{name: "repaired", before: []health.Status{u}, after: []health.Status{h}, want: []health.Status{h}, changed: 0, from: u},
		{name: "still_broken", before: []health.Status{u}, after: []health.Status{u, u, u}, want: []health.Status{0, 0, u}, changed: -1},
		{name: "broken_after", before: []health.Status{h}, after: []health.Status{u, u, u}, want: []health.Status{0, 0, u}, changed: 2, from: h},
		{name: "slow_start_is_none", before: []health.Status{h}, after: []health.Status{u, u, h, u}, want: []health.Status{0, 0, h, h}, changed: -1},
		{name: "as_bad_as_lasted", before: []health.Status{h}, after: []health.Status{d, u, u}, want: []health.Status{0, 0, d}, changed: 2, from: h},
		{name: "never_ran_before", after: []health.Status{u, u, u}, want: []health.Status{0, 0, u}, changed: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracker := health.NewTracker(health.Dwell{Breach: 2 * time.Minute, Recover: 2 * time.Minute})
			now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
			for _, verdict := range c.before {
				tracker.Observe(now, verdict)
				now = now.Add(time.Minute)
			}
			tracker.Pause()
			tracker.Pause() // as at the end
			if got := tracker.State(); got != (health.State{}) {
				t.Errorf("paused it is %v", got)
			}
			for i, verdict := range c.after {
				change, changed := tracker.Observe(now, verdict)
				if got := tracker.State().Status; got != c.want[i] {
					t.Errorf("run %d: %v, want %v", i, got, c.want[i])
				}
				if changed && change.From != c.from || i == c.changed && !changed {
					t.Errorf("run %d: changed %v from %v", i, changed, change.From)
				}
				now = now.Add(time.Minute)
			}
		})
	}
}
