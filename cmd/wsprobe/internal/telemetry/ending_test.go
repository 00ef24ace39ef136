package telemetry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// seriesOf are the last points of each series of a probe, by its metric and the attributes that tell its series apart.
func seriesOf(requests [][]receiver.Point, name string) map[string]receiver.Point {
	last := make(map[string]receiver.Point)
	for _, p := range slices.Concat(requests...) {
		if p.Attributes[metrics.KeyName] != name {
			continue
		}
		key := strings.TrimPrefix(p.Metric, "wsprobe.")
		for _, attribute := range []string{metrics.KeyReason, metrics.KeyErrorType, metrics.KeyPhase} {
			if v, there := p.Attributes[attribute]; there {
				key += fmt.Sprint(" ", v)
			}
		}
		last[key] = p
	}
	return last
}

// TestEndOfASeries: all that a probe has measured arrives, then every series of it ends, and nothing of it comes later.
func TestEndOfASeries(t *testing.T) {
	for _, markers := range []bool{true, false} {
		t.Run(fmt.Sprintf("end_markers_%v", markers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := &tape{}
				r := taped(t, Options{Interval: 10 * time.Second, EndMarkers: markers}, tp)
				gone, stays := r.probe(chat()), r.probe(metrics.Target{Name: "other"})
				r.until(5 * time.Second)
				gone.Record(refused(time.Now().Add(-5*time.Millisecond)), unjudged)
				r.until(11 * time.Second)
				certified := good(time.Now().Add(-3*time.Millisecond), time.Millisecond)
				certified.CertificateExpiry = time.Now().Add(time.Hour)
				gone.Record(certified, probehealth.Healthy)
				gone.Fix(time.Now()) // a run in its close handshake, which is not recorded any more
				r.End(gone.Series)
				stays.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
				gone.Record(good(time.Now(), time.Millisecond), unjudged)
				r.until(21 * time.Second)
				ended := len(tp.points(t))
				gone.Record(good(time.Now(), time.Millisecond), unjudged)
				r.until(41 * time.Second)
				stays.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
				r.stop(t)

				requests := tp.points(t)
				checkOrder(t, requests)
				last := seriesOf(requests, "chat")
				for key, p := range last {
					if p.NoValue != markers {
						t.Errorf("%s: no value: %v, want %v", key, p.NoValue, markers)
					}
				}
				if later := seriesOf(requests[ended:], "chat"); len(later) > 0 {
					t.Errorf("after its end: %v", slices.Sorted(maps.Keys(later)))
				}
				if len(seriesOf(requests[ended:], "other")) == 0 {
					t.Error("the other probe ended, too")
				}
				runs := 0.0
				for _, p := range slices.Concat(requests...) {
					if p.Metric == "wsprobe.runs" && p.Attributes[metrics.KeyName] == "chat" && p.Attributes[metrics.KeyReason] == "ok" && !p.NoValue {
						runs = max(runs, p.Value)
					}
				}
				if runs != 1 || len(last) < 16 {
					t.Errorf("%v runs that were ok, want 1; %d series", runs, len(last))
				}
			})
		})
	}
}

// TestEndOfASeriesThatNeverRan says nothing.
func TestEndOfASeriesThatNeverRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second, EndMarkers: true}, tp)
		r.End(r.probe(chat()).Series)
		r.until(11 * time.Second)
		r.stop(t)
		if got := seriesOf(tp.points(t), "chat"); len(got) > 0 {
			t.Errorf("%v", got)
		}
	})
}

// TestHeir: a probe of the same name and attributes goes on with the series and their sums. Only what its runs have no
// value of ends.
func TestHeir(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*metrics.Target)
		late   bool // the heir runs after the next collection only
		ends   bool
	}{
		"same":             {change: func(*metrics.Target) {}},
		"same, runs later": {change: func(*metrics.Target) {}, late: true},
		"another interval": {change: func(t *metrics.Target) { t.Interval = time.Hour }},
		"another address":  {change: func(t *metrics.Target) { t.Address = "elsewhere.example.com" }, ends: true},
		"another label":    {change: func(t *metrics.Target) { t.Labels = map[string]string{"team": "blue"} }, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := &tape{}
				r := taped(t, Options{Interval: 10 * time.Second, EndMarkers: true}, tp)
				old := r.probe(chat())
				r.until(5 * time.Second)
				old.Record(silent(time.Now().Add(-5*time.Millisecond)), probehealth.Healthy)
				old.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), probehealth.Healthy)
				r.until(15 * time.Second)
				target := chat()
				c.change(&target)
				heir := r.replace(old, target)
				run := func() { heir.Record(silent(time.Now().Add(-12*time.Millisecond)), unjudged) }
				if !c.late {
					run()
				}
				r.until(25 * time.Second)
				run()
				r.until(35 * time.Second)
				r.stop(t)

				requests := tp.points(t)
				checkOrder(t, requests)
				var ended []string
				starts := make(map[time.Time]bool)
				silences := 0.0
				for _, p := range slices.Concat(requests...) {
					if p.Attributes["server.address"] != "chat.example.com" || p.Attributes["team"] != "web" {
						continue
					}
					if p.NoValue && p.Time.Before(r.began.Add(34*time.Second)) {
						ended = append(ended, strings.TrimPrefix(p.Metric, "wsprobe."))
					}
					if p.Metric == "wsprobe.runs" && !p.NoValue {
						starts[p.Start] = true
						if p.Attributes[metrics.KeyReason] == "ws_reply_timeout" {
							silences = p.Value
						}
					}
				}
				slices.Sort(ended)
				ended = slices.Compact(ended)
				if c.ends {
					if !slices.Contains(ended, "success") || !slices.Contains(ended, "runs") || silences != 1 {
						t.Errorf("ended %v, %v silent runs", ended, silences)
					}
					return
				}
				// The heir's runs have no reply and no status.
				want := []string{"connection_success", "phase.duration", "round_trip_latency", "status"}
				if !slices.Equal(ended, want) {
					t.Errorf("ended %v, want %v", ended, want)
				}
				runs := 3.0
				if c.late {
					runs = 2
				}
				if len(starts) != 1 || silences != runs {
					t.Errorf("%v silent runs since %v, want %v since one time", silences, starts, runs)
				}
			})
		})
	}
}

// TestHeirBeginsAnew: what is no sum is that of the heir alone, its failures in a row and the intervals without a run.
func TestHeirBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telemetry := newTest(t, Options{Exposition: true}, new(stub))
		var err error
		if telemetry.exposition, err = telemetry.newExposition(); err != nil {
			t.Fatal(err)
		}
		target := chat()
		target.Interval = time.Minute
		old := telemetry.probe(target)
		for range 3 {
			old.Record(refused(time.Now()), unjudged)
		}
		time.Sleep(10 * time.Minute)
		said := func(metric string) string { return strings.Join(scraped(t, telemetry, "wsprobe_"+metric+"{"), "\n") }
		if got := said("missed_intervals"); !strings.HasSuffix(got, " 10") {
			t.Errorf("before: %q", got)
		}
		heir := telemetry.replace(old, target)
		for _, metric := range []string{"success", "consecutive_failures", "missed_intervals"} {
			if got := said(metric); got != "" {
				t.Errorf("of an heir that has not run: %q", got)
			}
		}
		heir.Record(refused(time.Now()), unjudged)
		if got := said("consecutive_failures"); !strings.HasSuffix(got, " 1") {
			t.Errorf("after one failure: %q", got)
		}
		if got := said("runs_total"); !strings.HasSuffix(got, " 4") {
			t.Errorf("after four runs: %q", got)
		}
	})
}

// TestIntervalsThatWereMissedEnd: the series of missed intervals ends with its probe, also if none is missed any more.
func TestIntervalsThatWereMissedEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second, EndMarkers: true}, tp)
		target := chat()
		target.Interval = 6 * time.Second
		s := r.probe(target)
		run := func(at time.Duration) {
			r.until(at)
			s.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
		}
		run(time.Second)
		run(39 * time.Second) // the collections at 20 and 30 s have told of missed ones
		r.until(45 * time.Second)
		r.End(s.Series)
		r.until(55 * time.Second)
		r.stop(t)
		var values []string
		for _, p := range slices.Concat(tp.points(t)...) {
			switch {
			case p.Metric != "wsprobe.missed_intervals":
			case p.NoValue:
				values = append(values, "end")
			default:
				values = append(values, fmt.Sprint(p.Value))
			}
		}
		if n := len(values); n < 3 || values[n-2] != "0" || values[n-1] != "end" {
			t.Errorf("missed intervals are %v", values)
		}
	})
}

// TestTotalsWaitForTheirStart: a collection that speaks of a time before a probe came says nothing of it.
func TestTotalsWaitForTheirStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second}, tp)
		closing := r.probe(metrics.Target{Name: "closing"})
		r.until(9500 * time.Millisecond)
		result := good(time.Now().Add(-3*time.Millisecond), time.Millisecond)
		closing.Fix(result.Ended)
		time.Sleep(200 * time.Millisecond)
		late := r.probe(chat())
		time.Sleep(100 * time.Millisecond)
		late.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
		r.until(10500 * time.Millisecond)
		closing.Record(result, unjudged)
		r.until(21 * time.Second)
		late.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
		r.stop(t)
		sums := 0
		for _, p := range slices.Concat(tp.points(t)...) {
			if !p.Start.Before(p.Time) {
				t.Errorf("%s of %v: from %v to %v", p.Metric, p.Attributes[metrics.KeyName], p.Start, p.Time)
			}
			if p.Metric == "wsprobe.runs" && p.Attributes[metrics.KeyName] == "chat" {
				sums++
			}
		}
		if sums != 2 {
			t.Errorf("%d totals, want those of the second collection and of the stop", sums)
		}
	})
}

// TestEndInAScrape: a page does not have an ended probe any more, at once.
func TestEndInAScrape(t *testing.T) {
	telemetry := newScraped(t)
	series := telemetry.probe(chat())
	telemetry.probe(metrics.Target{Name: "other"}).Record(good(midnight, time.Millisecond), unjudged)
	series.Record(good(midnight, time.Millisecond), unjudged)
	if got := scraped(t, telemetry, "wsprobe_success{"); len(got) != 2 {
		t.Errorf("before: %q", got)
	}
	telemetry.End(series.Series)
	series.Record(good(midnight.Add(time.Minute), time.Millisecond), unjudged)
	if got := scraped(t, telemetry, "wsprobe_success{"); len(got) != 1 || !strings.Contains(got[0], `"other"`) {
		t.Errorf("after: %q", got)
	}
}

// TestEndsFreeMemory: what probes take that came and went does not add up.
func TestEndsFreeMemory(t *testing.T) {
	telemetry := newTest(t, Options{EndMarkers: true, Exposition: true}, new(stub))
	telemetry.producer.begin()
	probes := make([]*metrics.Identity, 1000)
	for i := range probes {
		target := chat()
		target.Name = fmt.Sprint("probe-", i)
		probes[i] = metrics.NewIdentity(target)
	}
	var series []*Series
	replace := func() {
		series = telemetry.Replace(series, probes)
		for _, s := range series {
			s.Observe(&metrics.Observation{Result: good(midnight, time.Millisecond)})
		}
		telemetry.End(series...)
		telemetry.producer.produceAll(func(...otlp.Scope) {})
	}
	for range 3 {
		replace()
	}
	before := heap()
	for range 50 {
		replace()
	}
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("%d KiB more after 50,000 probes that came and went", grown>>10)
	}
}
