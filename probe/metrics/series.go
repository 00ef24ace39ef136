package metrics

import (
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// Series counts the runs of one probe. It exports nothing: readers take the [Run] that [Series.Record] returns, and the
// [Totals] whenever they want. Its methods may be called by several goroutines.
type Series struct {
	keep Keep

	mu        sync.Mutex
	interval  time.Duration // between two runs; 0 if there is none
	streak    uint32        // failed runs in a row, outside of maintenance
	changes   uint32        // see [Series.Changes]
	windows   Maintenance
	active    time.Time  // when the last run was recorded, or else when the series was made
	total     *tally     // nil before the first run, and if nobody reads totals
	added     *tally     // since the last Collect, nil for nothing
	exemplars *exemplars // since the last Collect, nil for none
	last      lastRun    // nil before the first run
	shown     *exemplars // nil for none
}

// Keep says what a series keeps besides its totals.
type Keep struct {
	// Last keeps the last run, for [Series.Last].
	Last bool
	// Exemplars keeps the traces of runs that were counted: those since the last Collect, and with Last the last ones,
	// too.
	Exemplars bool
	// Forms are those of the buckets of histograms: each takes memory of its own, so keep those that are read.
	Forms Forms
	// Deltas has Collect return what was added since the last Collect, in DeltaForms. Totals are then kept only with
	// Last. Between a Collect and the next run, that takes no memory.
	Deltas     bool
	DeltaForms Forms
}

// totals reports whether totals are kept.
func (k Keep) totals() bool { return k.Last || !k.Deltas }

// Outcome is how often the runs of a probe ended in one way.
type Outcome struct {
	Reason    reasons.Code
	ErrorType reasons.ErrorType
	Runs      int64
}

// NewSeries returns the series of a probe that has not run yet.
func NewSeries(id *Identity, k Keep) *Series {
	return &Series{keep: k, interval: id.target.Interval, active: time.Now()}
}

// Record counts a run and returns its numbers. The status is that of the probe after the run, Unknown for a probe
// without thresholds. The runs of one probe must be recorded in order of time. It keeps no text of the result.
func (s *Series) Record(r *probe.Result, status health.Status) Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streak++; r.Reason == reasons.OK {
		s.streak = 0
	}
	run := s.record(r)
	run.Has, run.Status = run.Has|hasSuccess, status
	run.has(HasStatus, status != health.Unknown)
	s.keepLast(run)
	return run
}

// RecordMaintained is [Series.Record] for a run in maintenance, which is neither a success nor a failure.
func (s *Series) RecordMaintained(r *probe.Result) Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := s.record(r)
	s.keepLast(run)
	return run
}

// record counts a run. The caller holds the lock.
func (s *Series) record(r *probe.Result) Run {
	s.active = time.Now()
	s.changes++
	s.counted(func(t *tally, f Forms) { t.run(f, r) })
	if s.keep.Exemplars && r.Traced() {
		s.note(r)
	}
	return newRun(r, s.streak)
}

// keepLast keeps a run for [Series.Last], with what it leaves as it was.
func (s *Series) keepLast(run Run) {
	if !s.keep.Last {
		return
	}
	if s.last != nil {
		before := s.last.run()
		run.adopt(&before)
	}
	s.last.set(&run)
}

// note keeps a run that was counted as an exemplar. The caller holds the lock.
func (s *Series) note(r *probe.Result) {
	if s.exemplars == nil {
		s.exemplars = &exemplars{}
	}
	collected := s.total
	if s.keep.Deltas {
		collected = s.added
	}
	s.exemplars.note(r, collected.outcome(r.Reason, r.ErrorType))
	if s.keep.Last {
		if s.shown == nil {
			s.shown = &exemplars{}
		}
		s.shown.note(r, s.total.outcome(r.Reason, r.ErrorType))
	}
}

// Resume has the series go on for another probe with the same attributes, which has not run yet: the totals stay.
func (s *Series) Resume(interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interval, s.active, s.streak, s.last = interval, time.Now(), 0, nil
	s.changes++
}

// Changes is another number after each change of the totals.
func (s *Series) Changes() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// Last returns the last run with its times in UTC, if it is kept and there was one. For a held session, it has what is
// true now.
func (s *Series) Last() (Run, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return Run{}, false
	}
	return s.last.run(), true
}

// Missed returns the number of whole intervals without a run. It goes by the monotonic clock.
func (s *Series) Missed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interval <= 0 {
		return 0
	}
	return int64(time.Since(s.active) / s.interval)
}
