package metrics_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// names returns the metrics of a run and of what it leaves as it was.
func names(m metrics.Measured) (all []string) {
	m.Each(func(id metrics.ID, _ metrics.Variant) { all = append(all, metrics.Table()[id].Name) })
	return all
}

// TestMaintainedRuns: a run in maintenance is counted by its outcome, and is neither a success nor a failure. The streak
// begins anew at both ends.
func TestMaintainedRuns(t *testing.T) {
	s := metrics.NewSeries(chat(), metrics.Keep{Last: true})
	for range 5 {
		s.Record(refused(), health.Unhealthy)
	}
	begun := s.Maintain(noon, metrics.Within)
	run := s.RecordMaintained(refused())
	last, _ := s.Last()
	if begun.Streak != 0 || run.Streak != 0 || !last.Maintained {
		t.Errorf("streaks %d, %d, in maintenance: %v", begun.Streak, run.Streak, last.Maintained)
	}
	if got := fmt.Sprint(names(begun.Measured()), names(run.Measured()), names(last.Measured())); got != "[wsprobe.maintenance] [] [wsprobe.maintenance]" {
		t.Errorf("measured %s", got)
	}
	if full := s.RecordMaintained(good()); full.Count() != 5 { // connection_success, both latencies, a phase, the certificate
		t.Errorf("%d points", full.Count())
	}
	ended := s.Maintain(noon.Add(time.Hour), metrics.Outside)
	after := s.Record(refused(), health.Unknown)
	if ended.Maintained || ended.Streak != 0 || after.Streak != 1 {
		t.Errorf("after it the streaks are %d, %d", ended.Streak, after.Streak)
	}
	for _, o := range s.Totals().Outcomes {
		if want := map[reasons.Code]int64{reasons.OK: 1, refused().Reason: 7}[o.Reason]; o.Runs != want {
			t.Errorf("%d runs %s, want %d", o.Runs, o.Reason, want)
		}
	}
	if gone := s.Maintain(noon, metrics.NoWindows); names(gone.After(last.Has)) != nil && fmt.Sprint(names(gone.After(last.Has))) == "[wsprobe.maintenance]" {
		t.Error("a probe without windows has a maintenance")
	}
}

// TestMaintainedSession: the reports of a session in maintenance are neither successes nor failures.
func TestMaintainedSession(t *testing.T) {
	s := metrics.NewSeries(chat(), metrics.Keep{Last: true})
	report := func(ok, maintained bool) metrics.Run {
		run, told := s.RecordSession(&metrics.Observation{Result: *good(), Maintained: maintained,
			Session: &metrics.Session{Moment: metrics.SessionReported, Open: ok, OK: ok}})
		if !told {
			t.Fatal("a report is not told")
		}
		return run
	}
	report(false, false)
	s.Maintain(noon, metrics.Within)
	run := report(false, true)
	if last, _ := s.Last(); run.Streak != 0 || fmt.Sprint(names(last.Measured())) != "[wsprobe.maintenance wsprobe.session.open]" {
		t.Errorf("streak %d, measured %q", run.Streak, names(last.Measured()))
	}
	ended, _ := s.RecordSession(&metrics.Observation{Result: *refused(), Maintained: true,
		Session: &metrics.Session{Moment: metrics.SessionEnded, End: &session.End{Cause: session.ByFIN}}})
	if got := names(ended.After(ended.Measured())); fmt.Sprint(got) != "[wsprobe.session.open]" {
		t.Errorf("an end leaves %q", got)
	}
	s.Maintain(noon, metrics.Outside)
	if run := report(false, false); run.Streak != 1 {
		t.Errorf("streak %d after it", run.Streak)
	}
}
