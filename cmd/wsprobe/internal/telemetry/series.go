package telemetry

import (
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// Series takes the results of one probe for the export of metrics and for scrapes. Its methods may be called by several
// goroutines.
type Series struct {
	pending  *pending
	identity *metrics.Identity
	counts   *metrics.Series
	since    time.Duration // from the start of the agent to that of the sums

	mu    sync.Mutex // held from the count of a run until it waits, so that no run follows the end of the series
	ended bool       // there is no such probe any more

	told told // touched by collections only
}

// told is what the export last said of a series.
type told struct {
	newest    time.Time        // of the points of its runs
	measured  metrics.Measured // by its last run
	reason    reasons.Code     // of its last connection_success
	streak    uint32           // after its last run
	ran       bool             // there was a run
	missed    bool             // that runs were missed, at last
	lagged    bool             // that at any time
	certified bool             // a run had a certificate
	behind    bool             // the streak is another than was exported
	within    bool             // a maintenance window
	counted   time.Time        // the end of the last deltas; zero before the first
	repetition
}

// Observe counts a run and has its points exported. The runs of one probe must be observed in order of time; other
// probes may be observed meanwhile. It does not keep the texts of the result.
func (s *Series) Observe(o *metrics.Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		s.pending.abandon(s)
		return
	}
	switch {
	case o.Session != nil:
		if run, told := s.counts.RecordSession(o); told {
			s.pending.add(noted{series: s, Run: run})
		}
	case o.Maintained:
		s.pending.add(noted{series: s, Run: s.counts.RecordMaintained(&o.Result)})
	default:
		s.pending.add(noted{series: s, Run: s.counts.Record(&o.Result, o.Health.Status)})
	}
}

// Maintain notes that a maintenance window of the probe has begun or ended, see [metrics.Series.Maintain].
func (s *Series) Maintain(at time.Time, is metrics.Maintenance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.pending.put(noted{series: s, Run: s.counts.Maintain(at, is)}, false)
	}
}

// Maintenance returns what [Series.Maintain] noted last. A probe that goes on with the series of another begins with
// it.
func (s *Series) Maintenance() metrics.Maintenance { return s.counts.Maintenance() }

// Note counts what happens in a held session, see [metrics.Series.Note].
func (s *Series) Note(e *session.Event, beats bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.counts.Note(e, beats)
	}
}

// Fix says that the outcome of a run is fixed. [Series.Observe] follows after its close handshake, or [Series.Abandon].
// Until then no export says anything of a later time, so that back ends get the points in order.
func (s *Series) Fix(ended time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.pending.fix(s, ended)
	}
}

// Abandon says that the result of a run that was fixed is not recorded.
func (s *Series) Abandon() { s.pending.abandon(s) }
