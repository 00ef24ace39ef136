package event

import (
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

func TestSelection(t *testing.T) {
	of := func(reason reasons.Code, changed bool) *Event {
		p := metrics.NewIdentity(metrics.Target{Name: "feed-eu", Labels: map[string]string{"team": "core", "tier": "1"}})
		return &Event{Changed: changed, Observation: &metrics.Observation{Probe: p, Result: probe.Result{Reason: reason}}}
	}
	for _, c := range []struct {
		name      string
		selection Selection
		event     *Event
		want      bool
	}{
		{"nothing restricts", Selection{}, of(reasons.OK, false), true},
		{"a name", Selection{Probes: []string{"other", "feed-*"}}, of(reasons.OK, false), true},
		{"no name", Selection{Probes: []string{"other"}}, of(reasons.OK, false), false},
		{"a label", Selection{Labels: map[string][]string{"team": {"edge", "core"}}}, of(reasons.OK, false), true},
		{"each label must match", Selection{Labels: map[string][]string{"team": {"core"}, "tier": {"2"}}}, of(reasons.OK, false), false},
		{"a label that the probe has not", Selection{Labels: map[string][]string{"zone": {""}}}, of(reasons.OK, false), false},
		{"a reason", Selection{Reasons: []string{"ok"}}, of(reasons.OK, false), true},
		{"another reason", Selection{Reasons: []string{"ok"}}, of(reasons.OpenFailed, false), false},
		{"a change", Selection{Changes: true}, of(reasons.OK, true), true},
		{"no change", Selection{Changes: true}, of(reasons.OK, false), false},
	} {
		if got := c.selection.Admits(c.event); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
