package event_test

import (
	"slices"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// sink notes what it is told.
type sink struct{ events []event.Event }

func (s *sink) Observe(e *event.Event) { s.events = append(s.events, *e) }

// TestTrackerTellsEachSinkTheSame holds that all sinks are told each observation once, under one ID, and that IDs rise.
func TestTrackerTellsEachSinkTheSame(t *testing.T) {
	var one, two sink
	tracker := event.NewTracker(event.NewSinks(&one, &two))
	for range 1000 {
		tracker.Observe(&metrics.Observation{})
	}
	if !slices.Equal(one.events, two.events) || len(one.events) != 1000 {
		t.Errorf("%d and %d events", len(one.events), len(two.events))
	}
	if !slices.IsSortedFunc(one.events, func(a, b event.Event) int {
		if a.ID < b.ID {
			return -1
		}
		return 1 // also if they are equal
	}) {
		t.Error("the IDs do not rise")
	}
}

// TestChanged holds what is a change: with thresholds another status, and without them whether the probe is ok.
func TestChanged(t *testing.T) {
	run := func(r reasons.Code, s health.Status) metrics.Observation {
		return metrics.Observation{Result: probe.Result{Reason: r}, Health: health.State{Status: s}}
	}
	held := func(ok bool) metrics.Observation {
		return metrics.Observation{Session: &metrics.Session{Moment: metrics.SessionReported, OK: ok}}
	}
	for name, test := range map[string]struct {
		observed []metrics.Observation
		want     []bool
	}{
		"the first one":       {[]metrics.Observation{run(reasons.OK, 0)}, []bool{true}},
		"the same again":      {[]metrics.Observation{run(reasons.OK, 0), run(reasons.OK, 0)}, []bool{true, false}},
		"a failure":           {[]metrics.Observation{run(reasons.OK, 0), run(reasons.OpenFailed, 0)}, []bool{true, true}},
		"two kinds of it":     {[]metrics.Observation{run(reasons.OpenFailed, 0), run(reasons.ReplyTimeout, 0)}, []bool{true, false}},
		"a status, though ok": {[]metrics.Observation{run(reasons.OK, health.Healthy), run(reasons.OK, health.Degraded)}, []bool{true, true}},
		"a status that stays": {[]metrics.Observation{run(reasons.OK, health.Degraded), run(reasons.OpenFailed, health.Degraded)}, []bool{true, false}},
		"an end on purpose": {[]metrics.Observation{held(true), {Session: &metrics.Session{Moment: metrics.SessionEnded, End: &session.End{Cause: session.ByLifetime}}},
			{Session: &metrics.Session{Moment: metrics.SessionOpened, OK: true}}}, []bool{true, false, false}},
		"an explanation": {[]metrics.Observation{held(false), {Session: &metrics.Session{Moment: metrics.SessionExplained, OK: true}}}, []bool{true, false}},
		"a moment that thresholds do not judge": {[]metrics.Observation{run(reasons.OK, health.Degraded), held(false), run(reasons.OK, health.Degraded), run(reasons.OK, health.Healthy)},
			[]bool{true, false, false, true}},
		"a session": {[]metrics.Observation{held(true), held(true), held(false), held(true)}, []bool{true, false, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			var s sink
			tracker := event.NewTracker(event.NewSinks(&s))
			var got []bool
			for _, o := range test.observed {
				tracker.Observe(&o)
				got = append(got, s.events[len(s.events)-1].Changed)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// TestKind holds the names of the occasions.
func TestKind(t *testing.T) {
	var s sink
	tracker := event.NewTracker(event.NewSinks(&s))
	want := []string{"run", "session.opened", "session.answered", "session.reported", "session.ended", "session.explained"}
	tracker.Observe(&metrics.Observation{})
	for m := metrics.SessionOpened; m <= metrics.SessionExplained; m++ {
		tracker.Observe(&metrics.Observation{Session: &metrics.Session{Moment: m}})
	}
	for i, e := range s.events {
		if e.Kind != want[i] {
			t.Errorf("%q, want %q", e.Kind, want[i])
		}
	}
}
