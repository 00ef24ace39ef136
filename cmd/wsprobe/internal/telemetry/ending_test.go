package telemetry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
)

// seriesOf are the last points of each series of a probe, by its metric and the attributes that tell its series apart.
func seriesOf(requests [][]receiver.Point, name string) map[string]receiver.Point {
	last := make(map[string]receiver.Point)
	for _, p := range slices.Concat(requests...) {
		if p.Attributes[keyName] != name {
			continue
		}
		key := strings.TrimPrefix(p.Metric, "wsprobe.")
		for _, attribute := range []string{keyReason, keyErrorType, keyPhase} {
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
				gone, stays := r.Probe(chat()), r.Probe(Target{Name: "other"})
				r.until(5 * time.Second)
				gone.Record(refused(time.Now().Add(-5*time.Millisecond)), unjudged)
				r.until(11 * time.Second)
				certified := good(time.Now().Add(-3*time.Millisecond), time.Millisecond)
				certified.CertificateExpiry = time.Now().Add(time.Hour)
				gone.Record(certified, probehealth.Healthy)
				gone.Fix(time.Now()) // a run in its close handshake, which is not recorded any more
				r.End(gone)
				stays.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
				gone.Record(good(time.Now(), time.Millisecond), unjudged)
				r.until(21 * time.Second)
				ended := len(tp.points(t))
				gone.Record(good(time.Now(), time.Millisecond), unjudged)
				r.until(41 * time.Second)
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
					if p.Metric == "wsprobe.runs" && p.Attributes[keyName] == "chat" && p.Attributes[keyReason] == "ok" && !p.NoValue {
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
		r.End(r.Probe(chat()))
		r.until(11 * time.Second)
		r.stop(t)
		if got := seriesOf(tp.points(t), "chat"); len(got) > 0 {
			t.Errorf("%v", got)
		}
	})
}

// TestHeir: a probe of the same name and attributes goes on with the series, and its sums begin where the others ended.
func TestHeir(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Target)
		late   bool // the heir runs after the collection that ends the other
		ends   bool
	}{
		"same":             {change: func(*Target) {}},
		"same, runs later": {change: func(*Target) {}, late: true},
		"another address":  {change: func(t *Target) { t.Address = "elsewhere.example.com" }, ends: true},
		"another label":    {change: func(t *Target) { t.Labels = map[string]string{"team": "blue"} }, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := &tape{}
				r := taped(t, Options{Interval: 10 * time.Second, EndMarkers: true}, tp)
				old := r.Probe(chat())
				r.until(5 * time.Second)
				old.Record(refused(time.Now().Add(-5*time.Millisecond)), unjudged)
				old.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
				r.until(15 * time.Second)
				r.End(old)
				target := chat()
				c.change(&target)
				heir := r.Probe(target)
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
				sums := make(map[time.Time]time.Time) // the last point by the start
				for _, p := range slices.Concat(requests...) {
					if p.Attributes["server.address"] != "chat.example.com" || p.Attributes["team"] != "web" {
						continue
					}
					if p.NoValue && p.Time.Before(r.began.Add(34*time.Second)) {
						ended = append(ended, strings.TrimPrefix(p.Metric, "wsprobe."))
					}
					if p.Metric == "wsprobe.runs" && !p.NoValue {
						sums[p.Start] = p.Time
					}
				}
				slices.Sort(ended)
				ended = slices.Compact(ended)
				if c.ends {
					if !slices.Contains(ended, "success") || !slices.Contains(ended, "runs") || len(sums) != 1 {
						t.Errorf("ended %v, sums %v", ended, sums)
					}
					return
				}
				// The heir's runs have no reply: that is what ends, with the round trip and the outcomes of the other.
				if want := []string{"connection_success", "phase.duration", "round_trip_latency", "runs"}; !slices.Equal(ended, want) {
					t.Errorf("ended %v, want %v", ended, want)
				}
				starts := slices.SortedFunc(maps.Keys(sums), time.Time.Compare)
				if len(starts) != 2 || starts[1].Before(sums[starts[0]]) {
					t.Errorf("sums %v: those of the heir must begin where the others ended", sums)
				}
			})
		})
	}
}

// TestEndInAScrape: a page does not have an ended probe any more, at once.
func TestEndInAScrape(t *testing.T) {
	telemetry := newScraped(t)
	series := telemetry.Probe(chat())
	telemetry.Probe(Target{Name: "other"}).Record(good(midnight, time.Millisecond), unjudged)
	series.Record(good(midnight, time.Millisecond), unjudged)
	if got := scraped(t, telemetry, "wsprobe_success{"); len(got) != 2 {
		t.Errorf("before: %q", got)
	}
	telemetry.End(series)
	series.Record(good(midnight.Add(time.Minute), time.Millisecond), unjudged)
	if got := scraped(t, telemetry, "wsprobe_success{"); len(got) != 1 || !strings.Contains(got[0], `"other"`) {
		t.Errorf("after: %q", got)
	}
}

// TestEndsFreeMemory: what probes take that came and went does not add up.
func TestEndsFreeMemory(t *testing.T) {
	telemetry := newTest(t, Options{EndMarkers: true, Scrapes: true}, new(stub))
	telemetry.producer.begin()
	replace := func() {
		for i := range 1000 {
			target := chat()
			target.Name = fmt.Sprint("probe-", i)
			series := telemetry.Probe(target)
			series.Record(good(midnight, time.Millisecond), unjudged)
			telemetry.End(series)
		}
		telemetry.producer.produceAll(func(...metricdata.ScopeMetrics) {})
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
