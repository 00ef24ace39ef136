package status

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/scheduler"
)

// skippedProbe is what the API says of the skips of a probe.
type skippedProbe struct {
	Skipped     int64   `json:"skipped"`
	RecentSkips []Skips `json:"recent_skips"`
}

// TestRecentSkips: the API and the page say by each cause what was skipped, since when and what to change, as long as
// the last of them is no more than 15 minutes ago.
func TestRecentSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Board{}
		entry := add(b, "chat", "ws://example.com/", probe.ConnectionSuccess, time.Second)
		quiet := add(b, "quiet", "ws://example.com/", probe.ConnectionSuccess, time.Second)
		s := &Server{Board: b, Ready: ready}
		answer := func() (probes []skippedProbe) {
			t.Helper()
			_, _, body := get(t, s, "GET", "/api/v1/probes")
			var all struct{ Probes []skippedProbe }
			if err := json.Unmarshal([]byte(body), &all); err != nil || !strings.Contains(body, `"recent_skips": []`) {
				t.Fatalf("%v in %s", err, body)
			}
			return all.Probes
		}
		begin := time.Now().UTC()
		entry.Skip(scheduler.SkipOverlap, 1)
		quiet.record(probe.Result{Opened: true}, health.State{})
		time.Sleep(time.Minute)
		entry.Skip(scheduler.SkipMissed, 5)
		entry.Skip(scheduler.SkipOverlap, 1)
		entry.record(probe.Result{Opened: true}, health.State{}) // a run does not undo what was skipped
		time.Sleep(time.Minute)

		got, last := answer(), begin.Add(time.Minute)
		want := []Skips{
			{"overlap", 2, begin, last, SkipHint(scheduler.SkipOverlap)},
			{"missed", 5, last, last, SkipHint(scheduler.SkipMissed)},
		}
		if skips := got[0].RecentSkips; len(skips) != 2 || skips[0] != want[0] || skips[1] != want[1] || got[0].Skipped != 7 {
			t.Errorf("got %+v of %d, want %+v of 7", skips, got[0].Skipped, want)
		}
		if len(got[1].RecentSkips) != 0 {
			t.Errorf("skips of a probe without any: %+v", got[1].RecentSkips)
		}
		_, _, body := get(t, s, "GET", "/")
		for _, line := range []string{
			"2 runs skipped since " + begin.Format(time.RFC3339) + ", the last 1 min 0 s ago (overlap): the run before was still going: raise interval, or lower timeout_ms",
			"5 runs skipped since " + last.Format(time.RFC3339) + ", the last 1 min 0 s ago (missed): the agent came too late",
		} {
			if strings.Count(body, line) != 1 {
				t.Errorf("the page lacks %q", line)
			}
		}

		time.Sleep(skipMemory - time.Minute)
		if skips := answer()[0].RecentSkips; len(skips) != 2 {
			t.Errorf("after %v: %+v", skipMemory, skips)
		}
		time.Sleep(time.Nanosecond)
		if got := answer()[0]; len(got.RecentSkips) != 0 || got.Skipped != 7 {
			t.Errorf("after more than %v: %+v of %d, want none of 7", skipMemory, got.RecentSkips, got.Skipped)
		}
		entry.Skip(scheduler.SkipOverlap, 1)
		if skips := answer()[0].RecentSkips; len(skips) != 1 || skips[0].Runs != 1 || !skips[0].Since.Equal(time.Now()) {
			t.Errorf("a skip after a pause: %+v, want it alone", skips)
		}
	})
}
