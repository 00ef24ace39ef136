package discovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a looker whose views a test writes.
type scripted struct {
	views []view // the last one stays
	at    []time.Duration
	begun time.Time
	ended bool
}

func (s *scripted) look(context.Context) view {
	s.at = append(s.at, time.Since(s.begun))
	seen := s.views[0]
	if len(s.views) > 1 {
		s.views = s.views[1:]
	}
	return seen
}

func (s *scripted) close() { s.ended = true }

// runScript runs a source with these views for a time, and returns the times at which the targets changed.
func runScript(t *testing.T, length time.Duration, most int, views ...view) (source *Source, looks *scripted, changes []time.Duration) {
	t.Helper()
	looks = &scripted{views: views, begun: time.Now()}
	source = &Source{looker: looks, maxTargets: most, jitter: func() float64 { return 0.5 }}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	source.Run(ctx, func() { changes = append(changes, time.Since(looks.begun)) })
	if !looks.ended {
		t.Error("the looker was not closed")
	}
	return source, looks, changes
}

// at makes a group of these addresses.
func at(name string, addresses ...string) group {
	l := list{most: len(addresses)}
	if err := l.addGroup(addresses, nil, nil); err != nil {
		panic(err)
	}
	return group{name: name, targets: l.sorted()}
}

// addresses are those of the targets.
func addresses(targets []Target) string {
	var list []string
	for _, t := range targets {
		list = append(list, t.Address)
	}
	return strings.Join(list, " ")
}

func TestRunTellsRealChangesAlone(t *testing.T) {
	const s = time.Second
	synctest.Test(t, func(t *testing.T) {
		source, looks, changes := runScript(t, 55*s, 3,
			view{wait: 10 * s}, // nothing at first is no change
			view{wait: 10 * s, groups: []group{at("a", "1", "2")}},
			view{wait: 10 * s, groups: []group{at("a", "2", "1", "1")}},         // the same set
			view{wait: 10 * s, groups: []group{at("a", "1"), at("b", "3")}},     // replaced
			view{wait: 10 * s, groups: []group{at("a", "1"), at("b", "4")}},     // replaced
			view{wait: 10 * s, groups: []group{at("b", "4")}},                   // a has ended
			view{wait: 10 * s, groups: []group{at("b", "4")}, problem: "never"}, // behind the end
		)
		if want := []time.Duration{10 * s, 30 * s, 40 * s, 50 * s}; !reflect.DeepEqual(changes, want) {
			t.Errorf("changed at %v, want %v", changes, want)
		}
		if want := []time.Duration{0, 10 * s, 20 * s, 30 * s, 40 * s, 50 * s}; !reflect.DeepEqual(looks.at, want) {
			t.Errorf("looked at %v, want %v", looks.at, want)
		}
		if got := addresses(source.Targets()); got != "4" {
			t.Errorf("targets %q", got)
		}
	})
}

func TestRunKeepsTargetsOfALookThatFails(t *testing.T) {
	const s = time.Second
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		source, looks, changes := runScript(t, 3600*s, 100,
			view{wait: 30 * s, groups: []group{at("a", "1", "2")}},
			view{wait: 40 * s, spread: true, refused: true, problem: "503"},
		)
		if len(changes) != 1 || addresses(source.Targets()) != "1 2" {
			t.Errorf("changes %v, targets %q", changes, addresses(source.Targets()))
		}
		if looks.at[1] != 30*s || looks.at[2] != 75*s || looks.at[3] != 120*s { // half of the spread
			t.Errorf("looked at %v", looks.at)
		}
		want := State{Targets: 2, Updated: begun, Failing: begun.Add(30 * s), Problem: "503", Succeeded: 1, Failed: int64(len(looks.at) - 1)}
		if got := source.State(); got != want {
			t.Errorf("state %+v, want %+v", got, want)
		}
	})
}

func TestRunGoesOnAfterAFailure(t *testing.T) {
	const s = time.Second
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		source, _, changes := runScript(t, 5*s, 100,
			view{wait: s, problem: "a cannot be read\x1b[2J\n", groups: []group{at("a"), at("b", "1")}},
			view{wait: 10 * s, groups: []group{at("a", "2"), at("b", "1")}},
		)
		if want := []time.Duration{0, s}; !reflect.DeepEqual(changes, want) {
			t.Errorf("changed at %v, want %v", changes, want)
		}
		want := State{Targets: 2, Updated: begun.Add(s), Succeeded: 1, Failed: 1}
		if got := source.State(); got != want {
			t.Errorf("state %+v, want %+v", got, want)
		}
	})
}

func TestUpdateBeyondMaxTargetsIsRefusedAsAWhole(t *testing.T) {
	const s = time.Second
	synctest.Test(t, func(t *testing.T) {
		source, _, changes := runScript(t, 5*s, 3,
			view{wait: s, groups: []group{at("a", "1"), at("b", "2")}},
			view{wait: 10 * s, groups: []group{at("a", "7", "8"), at("b", "2", "3")}},
		)
		if len(changes) != 1 || addresses(source.Targets()) != "1 2" {
			t.Errorf("changes %v, targets %q", changes, addresses(source.Targets()))
		}
		if got := source.State(); !strings.Contains(got.Problem, "max_targets (3)") || got.Targets != 2 || got.Failed != 1 {
			t.Errorf("state %+v", got)
		}
	})
}

func TestProblemIsFitToBeShown(t *testing.T) {
	source := &Source{maxTargets: 1}
	source.take(view{refused: true, problem: "a\nb\x1b[2J\u202e\xff" + strings.Repeat("é", maxProblem)}, time.Now())
	got := source.State().Problem
	if !strings.HasPrefix(got, "a\uFFFDb\uFFFD[2J\uFFFD\uFFFDé") || len(got) > maxProblem+3 {
		t.Errorf("problem %q", got)
	}
}

func TestOptionsThatAreNone(t *testing.T) {
	files := &Files{Patterns: []string{"*.json"}, Refresh: time.Second}
	dns := func(change func(*DNS)) Options {
		d := DNS{Names: []string{"a"}, Type: "A", Port: 1, Refresh: 1, Timeout: 1}
		change(&d)
		return Options{MaxTargets: 1, DNS: &d}
	}
	for name, options := range map[string]Options{
		"no source":       {MaxTargets: 1},
		"no targets":      {Files: files},
		"two sources":     {MaxTargets: 1, Files: files, DNS: dns(func(*DNS) {}).DNS},
		"no pattern":      {MaxTargets: 1, Files: &Files{Refresh: 1}},
		"bad pattern":     {MaxTargets: 1, Files: &Files{Refresh: 1, Patterns: []string{"[.json"}}},
		"other end":       {MaxTargets: 1, Files: &Files{Refresh: 1, Patterns: []string{"*.txt"}}},
		"no refresh":      {MaxTargets: 1, Files: &Files{Patterns: []string{"*.json"}}},
		"no http":         {MaxTargets: 1, HTTP: &HTTP{URL: "ftp://a", Refresh: 1, Timeout: 1}},
		"no host":         {MaxTargets: 1, HTTP: &HTTP{URL: "http:///a", Refresh: 1, Timeout: 1}},
		"no http timeout": {MaxTargets: 1, HTTP: &HTTP{URL: "http://a", Refresh: 1}},
		"no name":         dns(func(d *DNS) { d.Names = nil }),
		"no port":         dns(func(d *DNS) { d.Port = 0 }),
		"other type":      dns(func(d *DNS) { d.Type = "MX" }),
		"no dns timeout":  dns(func(d *DNS) { d.Timeout = 0 }),
	} {
		if source, err := New(options); err == nil || source != nil {
			t.Errorf("%s: %v, %v", name, source, err)
		}
	}
}

func BenchmarkTakeUnchanged(b *testing.B) {
	var list []string
	for i := range 10_000 {
		list = append(list, fmt.Sprint(rand.Int64(), i))
	}
	source := &Source{maxTargets: 10_000}
	seen := view{groups: []group{at("a", list...)}}
	for b.Loop() {
		source.take(seen, time.Now())
	}
}
