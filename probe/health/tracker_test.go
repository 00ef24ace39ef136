package health_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
)

// letters stand for statuses, so that a series of runs is a word.
var letters = map[rune]health.Status{'h': health.Healthy, 'd': health.Degraded, 'u': health.Unhealthy,
	'n': health.NoData}

// letter writes a status as its letter.
func letter(s health.Status) string { return s.String()[:1] }

// TestTracker follows series of runs that end every 30 s; the verdicts make one word, the statuses another. The dwell
// is 60 s for the worse and 120 s for the better.
func TestTracker(t *testing.T) {
	for _, c := range []struct {
		name, verdicts, want string
	}{
		{"first_verdict_at_once", "u", "u"},
		{"first_verdict_no_data", "n", "n"},
		{"one_slow_run", "huhhh", "hhhhh"},
		{"breach_after_60s", "huuuu", "hhhuu"},
		{"recover_after_120s", "uhhhhhh", "uuuuuhh"},
		{"interrupted_breach_begins_anew", "huuhuuu", "hhhhhhu"},
		{"interrupted_recovery_begins_anew", "uhhhhuhhhhh", "uuuuuuuuuuh"},
		{"degraded_first_then_unhealthy", "hdduuu", "hhhddu"}, // each after 60 s of its own
		{"unhealthy_or_no_data_is_at_least_unhealthy", "hunununu", "hhhuuuuu"},
		{"degraded_or_unhealthy_is_at_least_degraded", "hdududu", "hhhdddd"},
		{"healthy_or_degraded_is_at_most_degraded", "uhdhdhd", "uuuuudd"},
		{"no_data_is_a_breach", "hnnnn", "hhhnn"},
		{"data_again_is_a_recovery", "nhhhhhh", "nnnnnhh"},
		{"unhealthy_after_no_data_is_a_recovery", "nuuuuuu", "nnnnnuu"},
		{"every_other_run_fails", "hnhnhnhnhn", "hhhhhhhhhh"},
		{"worse_while_recovering", "dhhunuuu", "ddddduuu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracker := health.NewTracker(health.Dwell{Breach: time.Minute, Recover: 2 * time.Minute})
			var got strings.Builder
			for i, l := range c.verdicts {
				tracker.Observe(start.Add(time.Duration(i)*30*time.Second), letters[l])
				got.WriteString(letter(tracker.State().Status))
			}
			if got.String() != c.want {
				t.Errorf("verdicts %s: got %s, want %s", c.verdicts, &got, c.want)
			}
		})
	}
}

// TestTrackerWithoutDwell: the status is that of the last run.
func TestTrackerWithoutDwell(t *testing.T) {
	tracker := health.NewTracker(health.Dwell{})
	for i, l := range "hdunndhuhnhd" {
		tracker.Observe(start.Add(time.Duration(i)*time.Second), letters[l])
		if got := tracker.State().Status; got != letters[l] {
			t.Errorf("run %d: %v, want %v", i, got, letters[l])
		}
	}
}

// TestTransitions: what a change tells is where it came from, where it leads, when it began and when it was decided.
func TestTransitions(t *testing.T) {
	tracker := health.NewTracker(health.Dwell{Breach: 45 * time.Second})
	if got := tracker.State(); got != (health.State{}) {
		t.Errorf("before the first run: %v", got)
	}
	var got []string
	for i, l := range "hhuuuuhd" {
		at := start.Add(time.Duration(i) * 30 * time.Second)
		if c, changed := tracker.Observe(at, letters[l]); changed {
			got = append(got, fmt.Sprintf("%v to %v since %v at %v", c.From, c.To, c.Since.Sub(start), c.At.Sub(start)))
			if want := (health.State{Status: c.To, Since: c.At}); tracker.State() != want {
				t.Errorf("state %v after %v", tracker.State(), c)
			}
		}
	}
	want := []string{
		"unknown to healthy since 0s at 0s",
		"healthy to unhealthy since 1m0s at 2m0s", // 45 s are over when the run after them ends
		"unhealthy to healthy since 3m0s at 3m0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSkippedRunsNeitherConfirmNorInterrupt: what has lasted is the time between the runs that took place.
func TestSkippedRunsNeitherConfirmNorInterrupt(t *testing.T) {
	tracker := health.NewTracker(health.Dwell{Breach: time.Minute})
	tracker.Observe(start, health.Healthy)
	tracker.Observe(start.Add(30*time.Second), health.Unhealthy)
	if _, changed := tracker.Observe(start.Add(2*time.Minute), health.Unhealthy); !changed {
		t.Error("two runs 90 s apart are not 60 s of unhealthy")
	}
}
