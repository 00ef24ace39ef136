package telemetry

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// judgements is what a collection says of a probe: the last value of each of these metrics, or that it ends.
func judgements(scopes ...otlp.Scope) string {
	var all []string
	for _, m := range []metrics.ID{metrics.InMaintenance, metrics.Success, metrics.Status, metrics.ConsecutiveFailures} {
		said := ""
		for _, scope := range scopes {
			for _, p := range gauges(scope, m) {
				if said = fmt.Sprint(p.Value.Float()); p.NoValue {
					said = "ends"
				}
			}
		}
		all = append(all, said)
	}
	return fmt.Sprintf("%q", all)
}

// TestMaintenanceIsExported: a window is told at its beginning and its end and with every collection, success and status
// end with its beginning, and the streak is 0 until runs count again.
func TestMaintenanceIsExported(t *testing.T) {
	telemetry := newTest(t, Options{EndMarkers: true}, new(stub))
	series, at := telemetry.probe(chat()), midnight
	collect := func(what, want string) {
		t.Helper()
		if got := judgements(allRequests(telemetry)...); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	failed := func(maintained bool) {
		at = at.Add(time.Minute)
		o := &metrics.Observation{Probe: series.identity, Result: refused(at), Maintained: maintained}
		if !maintained {
			o.Health.Status = health.Unhealthy
		}
		series.Series.Observe(o)
	}
	failed(false)
	failed(false)
	collect("without windows", `["" "0" "2" "2"]`)
	series.Maintain(at.Add(time.Second), metrics.Outside)
	collect("outside", `["0" "" "" "2"]`)
	series.Maintain(at.Add(2*time.Second), metrics.Within)
	collect("at the beginning", `["1" "ends" "ends" "0"]`)
	failed(true)
	collect("within", `["1" "" "" "0"]`)
	collect("within, without a run", `["" "" "" ""]`)
	series.Maintain(at.Add(time.Second), metrics.Outside)
	collect("at the end", `["0" "" "" "0"]`)
	failed(false)
	collect("behind it", `["0" "0" "2" "1"]`)
	series.Maintain(at.Add(time.Second), metrics.NoWindows)
	collect("without windows again", `["ends" "" "" "1"]`)
	failed(false)
	collect("and after that", `["" "0" "2" "2"]`)
}

// TestMaintenanceHoldsNoRunBack: a window that begins while a run is in its close handshake says nothing of that run.
func TestMaintenanceHoldsNoRunBack(t *testing.T) {
	p := newPending(3, func(int) {})
	s := &Series{}
	p.fix(s, midnight)
	p.put(noted{series: s}, false)
	if len(p.closing) != 1 {
		t.Error("the run is taken for one that was told")
	}
	p.add(noted{series: s})
	if len(p.closing) != 0 {
		t.Error("the run is waited for although it was told")
	}
}

// TestRecordsInMaintenance: a failure in maintenance is a record that says so, and changes no outcome.
func TestRecordsInMaintenance(t *testing.T) {
	b := newBackend(t)
	in := keepRecords(b)
	e := exportTo(t, b.start(t), Options{Logs: true})
	s := e.probe(chat())
	maintained := func(o *metrics.Observation) { o.Maintained = true; s.records.Observe(o) }
	s.records.Observe(&metrics.Observation{Probe: s.identity, Result: refused(midnight)})
	maintained(&metrics.Observation{Probe: s.identity, Result: refused(midnight.Add(time.Minute))})
	maintained(&metrics.Observation{Probe: s.identity, Result: good(midnight.Add(2*time.Minute), time.Millisecond)})
	maintained(moment(s, metrics.SessionReported, refused(midnight.Add(3*time.Minute)), midnight, metrics.Session{}))
	maintained(moment(s, metrics.SessionReported, good(midnight.Add(4*time.Minute), time.Millisecond), midnight, metrics.Session{OK: true}))
	s.records.Observe(&metrics.Observation{Probe: s.identity, Result: good(midnight.Add(5*time.Minute), time.Millisecond)})
	var got []string
	for _, r := range in.await(t, 4) {
		got = append(got, fmt.Sprint(r.Event, " ", r.Attributes["wsprobe.maintenance"], " ", r.Attributes["wsprobe.failed_runs"]))
	}
	e.end(t)
	want := []string{"wsprobe.outcome.changed <nil> <nil>", "wsprobe.run.failed <nil> <nil>", "wsprobe.run.failed true <nil>", "wsprobe.outcome.changed <nil> 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
