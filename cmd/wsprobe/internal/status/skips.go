package status

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// skipMemory is how long the last skipped run of a probe is shown.
const skipMemory = 15 * time.Minute

// skipHints say what a skip means, and what to change.
var skipHints = map[scheduler.Skip]string{
	scheduler.SkipOverlap:       "the run before was still going: raise interval, or lower timeout_ms (a run takes up to 0.5 s longer)",
	scheduler.SkipMaxConcurrent: "all places were taken: raise agent.max_concurrent, or share the probes among agents (agent.shard)",
	scheduler.SkipMissed:        "the agent came too late: give it more CPU, unless its machine was suspended",
}

// SkipHint says for people what a cause means and what to change.
func SkipHint(cause scheduler.Skip) string { return skipHints[cause] }

// Skips are skipped runs of a probe by one cause, as the API shows them.
type Skips struct {
	Cause string    `json:"cause"` // overlap, max_concurrent or missed
	Runs  int64     `json:"runs"`
	Since time.Time `json:"since"` // the first of them
	Last  time.Time `json:"last"`
	Hint  string    `json:"hint"`
}

// skipRecord keeps the skips of a probe, each of them without a gap of skipMemory. Most probes have none.
type skipRecord struct {
	mu  sync.Mutex
	all []Skips // in order of their causes' first skips
}

// add notes skipped runs.
func (s *skipRecord) add(cause scheduler.Skip, runs int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.all {
		of := &s.all[i]
		if of.Cause != string(cause) {
			continue
		}
		if now.Sub(of.Last) > skipMemory {
			of.Runs, of.Since = 0, now
		}
		of.Runs, of.Last = of.Runs+runs, now
		return
	}
	s.all = append(s.all, Skips{Cause: string(cause), Runs: runs, Since: now, Last: now, Hint: SkipHint(cause)})
}

// recent returns the skips that are still worth showing.
func (s *skipRecord) recent(now time.Time) []Skips {
	recent := []Skips{} // not null in JSON
	if s == nil {
		return recent
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.all {
		if now.Sub(of.Last) <= skipMemory {
			of.Since, of.Last = of.Since.UTC(), of.Last.UTC()
			recent = append(recent, of)
		}
	}
	return recent
}

// text says for people what was skipped and when.
func (s Skips) text(now time.Time) string {
	var b strings.Builder
	if s.Runs == 1 {
		fmt.Fprintf(&b, "1 run skipped %s", ago(now.Sub(s.Last)))
	} else {
		fmt.Fprintf(&b, "%d runs skipped since %s, the last %s", s.Runs, s.Since.Format(time.RFC3339), ago(now.Sub(s.Last)))
	}
	fmt.Fprintf(&b, " (%s): %s", s.Cause, s.Hint)
	return b.String()
}
