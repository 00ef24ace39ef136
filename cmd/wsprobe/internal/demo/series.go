package demo

import (
	"slices"
	"time"
)

// keptRuns is the number of runs of a probe that are remembered, more than are ever shown. An export with several runs
// brings them metric by metric, and a run must not be forgotten before its last point is there.
const keptRuns = 100

// series is what was received about one probe.
type series struct {
	promised map[string]bool // the reasons that the endpoint gives on purpose

	runs   int   // received so far
	recent []run // in order of time, at most keptRuns

	counters map[outcome]float64 // wsprobe.runs
	broke    map[string]string   // the error type that rose last, by reason

	held *held // nil for an endpoint that is probed by runs
}

type outcome struct{ reason, errorType string }

func newSeries(promised []Outcome) *series {
	s := &series{
		promised: make(map[string]bool), counters: make(map[outcome]float64), broke: make(map[string]string),
	}
	for _, o := range promised {
		s.promised[o.Reason.String()] = true
	}
	return s
}

// at returns the run that ended at a time, a new one if there is none, and nil if it is too long ago. A
// request that is made twice finds its runs again.
func (s *series) at(t time.Time) *run {
	i, found := slices.BinarySearchFunc(s.recent, t, func(r run, t time.Time) int { return r.at.Compare(t) })
	if found {
		return &s.recent[i]
	}
	if len(s.recent) == keptRuns {
		if i == 0 {
			return nil
		}
		s.recent = slices.Delete(s.recent, 0, 1)
		i--
	}
	s.recent = slices.Insert(s.recent, i, run{at: t})
	return &s.recent[i]
}

// tell takes a counter of runs to account. The points of single runs do not bear the error type, but the counter
// that has risen does.
func (s *series) tell(reason, errorType string, runs float64) {
	o := outcome{reason, errorType}
	if runs > s.counters[o] {
		s.counters[o] = runs
		s.broke[reason] = errorType
	}
}

// last returns the newest run, and false if none has been received.
func (s *series) last() (run, bool) {
	for _, r := range slices.Backward(s.recent) {
		if r.reason != "" {
			return r, true
		}
	}
	return run{}, false
}

// history returns the last runs, n at most, oldest first.
func (s *series) history(n int) []run {
	var runs []run
	for _, r := range slices.Backward(s.recent) {
		if len(runs) == n {
			break
		}
		if r.reason != "" {
			runs = append(runs, r)
		}
	}
	slices.Reverse(runs)
	return runs
}
