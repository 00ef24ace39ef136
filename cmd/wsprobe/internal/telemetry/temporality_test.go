package telemetry

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// collected returns the points of one collection, those about the process included.
func collected(t *testing.T, telemetry *Telemetry) []receiver.Point {
	t.Helper()
	var all []otlp.Scope
	telemetry.producer.produceAll(func(scopes ...otlp.Scope) { all = append(all, scopes...) })
	return pointsOf(t, telemetry, all)
}

// seriesText is what tells the series of a point from others.
func seriesText(p *receiver.Point) string {
	text := p.Metric
	for _, key := range slices.Sorted(maps.Keys(p.Attributes)) {
		text += fmt.Sprint(" ", key, "=", p.Attributes[key])
	}
	return text
}

// isTotal reports whether a point counts what took place.
func isTotal(p *receiver.Point) bool {
	return p.Kind == "sum" && p.Monotonic || strings.Contains(p.Kind, "histogram")
}

// TestDeltas: the deltas of each series follow each other in time without a gap, none says nothing, and they add up to
// the totals of an agent with cumulative ones. Up-down counters stay as they are.
func TestDeltas(t *testing.T) {
	for name, o := range map[string]Options{
		"explicit": {Temporality: TemporalityDelta}, "exponential": {Temporality: TemporalityDelta, Exponential: true, MaxScale: 20},
		"lowmemory": {Temporality: TemporalityLowMemory},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				telemetry := newTest(t, o, new(stub))
				whole := newTest(t, Options{Exponential: o.Exponential, MaxScale: o.MaxScale}, new(stub))
				both := []*Telemetry{telemetry, whole}
				var probes []*observed
				for _, each := range both {
					probes = append(probes, each.probe(chat()))
				}
				sums, until := map[string]float64{}, map[string]time.Time{}
				for round := range 40 {
					time.Sleep(10 * time.Second)
					for range rand.IntN(3) {
						r := good(time.Now().Add(-time.Second), time.Duration(rand.IntN(1+10*round)+1)*time.Millisecond)
						for i, each := range both {
							probes[i].Record(r, unjudged)
							each.ObserveStart(time.Millisecond)
						}
					}
					if rand.IntN(4) == 0 {
						for i := range both {
							probes[i].Record(refused(time.Now().Add(-time.Second)), unjudged)
							both[i].ObserveSkip("busy", 2)
						}
					}
					for _, p := range collected(t, telemetry) {
						checkDelta(t, &p, until, o.Temporality)
						if isTotal(&p) && !p.Cumulative {
							sums[seriesText(&p)] += p.Value
							sums[seriesText(&p)+" count"] += float64(p.Count)
						}
					}
				}
				for _, p := range collected(t, whole) {
					key := seriesText(&p)
					if !isTotal(&p) || !strings.HasPrefix(p.Metric, "wsprobe.") {
						continue
					}
					if diff := sums[key] - p.Value; diff > 1e-6 || diff < -1e-6 || sums[key+" count"] != float64(p.Count) {
						t.Errorf("%s: %v and %v in all, want %v and %d", key, sums[key], sums[key+" count"], p.Value, p.Count)
					}
				}
				if sums[`wsprobe.agent.runs.started`] < 0 || len(sums) < 6 {
					t.Errorf("only %v", sums)
				}
			})
		})
	}
}

// checkDelta checks the temporality of a point, and that a delta begins where that before it ended.
func checkDelta(t *testing.T, p *receiver.Point, until map[string]time.Time, temporality Temporality) {
	t.Helper()
	if !isTotal(p) {
		if p.Kind == "sum" && !p.Cumulative {
			t.Errorf("an up-down counter is a delta: %+v", p)
		}
		return
	}
	ofProcess := !strings.HasPrefix(p.Metric, "wsprobe.")
	if p.Cumulative != (ofProcess && temporality == TemporalityLowMemory) {
		t.Errorf("%s: cumulative %v", p.Metric, p.Cumulative)
	}
	if p.Cumulative {
		return
	}
	key := seriesText(p)
	if p.Value == 0 && p.Count == 0 || !p.Start.Before(p.Time) {
		t.Errorf("%s: %v and %d from %v to %v", key, p.Value, p.Count, p.Start, p.Time)
	}
	if before, there := until[key]; there && p.Start.Before(before) {
		t.Errorf("%s: from %v, but there was one until %v", key, p.Start, before)
	}
	until[key] = p.Time
}

// TestDeltasFollowEachOther: a delta begins at the collection before, also if that had nothing to say, and the first one
// at the start of the series.
func TestDeltasFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		telemetry := newTest(t, Options{Temporality: TemporalityDelta}, new(stub))
		series := telemetry.probe(chat())
		var got []string
		for _, run := range []bool{true, false, true} {
			time.Sleep(10 * time.Second)
			if run {
				series.Record(good(time.Now().Add(-time.Second), time.Millisecond), unjudged)
			}
			for _, p := range collected(t, telemetry) {
				if p.Metric == "wsprobe.runs" || p.Metric == "wsprobe.handshake.duration" {
					got = append(got, fmt.Sprintf("%s %v from %v to %v", p.Metric, p.Value, p.Start.Sub(began).Round(time.Second), p.Time.Sub(began).Round(time.Second)))
				}
			}
		}
		want := []string{"wsprobe.runs 1 from 0s to 10s", "wsprobe.handshake.duration 1 from 0s to 10s",
			"wsprobe.runs 1 from 20s to 30s", "wsprobe.handshake.duration 1 from 20s to 30s"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestDeltasOfAProbeThatGoes: its last delta is said once, and no marker ends what is no value that lasts.
func TestDeltasOfAProbeThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telemetry := newTest(t, Options{Temporality: TemporalityDelta, EndMarkers: true}, new(stub))
		series := telemetry.probe(chat())
		var runs float64
		var ends int
		collect := func() {
			time.Sleep(10 * time.Second)
			for _, p := range collected(t, telemetry) {
				if p.Metric == "wsprobe.runs" {
					runs += p.Value
				}
				if p.NoValue {
					ends++
				}
				if p.NoValue && isTotal(&p) {
					t.Errorf("a delta ends: %+v", p)
				}
			}
		}
		series.Record(good(time.Now(), time.Millisecond), unjudged)
		collect()
		series.Record(good(time.Now(), time.Millisecond), unjudged)
		telemetry.End(series.Series)
		collect()
		collect()
		if runs != 2 || ends == 0 {
			t.Errorf("%v runs, %d ends of gauges", runs, ends)
		}
	})
}

// TestScrapesStayCumulative: the page counts from the start, whatever the export does.
func TestScrapesStayCumulative(t *testing.T) {
	telemetry := newTest(t, Options{Temporality: TemporalityDelta, Exposition: true}, new(stub))
	series := telemetry.probe(chat())
	for want := range 3 {
		series.Record(good(time.Now(), time.Millisecond), unjudged)
		collected(t, telemetry)
		var r metrics.Reading
		series.counts.Read(metrics.Runs, &r)
		if all := r.Samples(); len(all) != 1 || all[0].Value.Float() != float64(want+1) {
			t.Errorf("after %d runs: %+v", want+1, all)
		}
	}
}

// TestDeltasOutliveARestart: what waits in a directory is delivered by the next agent, and every run counts once.
func TestDeltasOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	log := newLogbook()
	first := exportTo(t, newBackend(t), Options{SpoolDir: dir, Logger: log.logger(), Temporality: TemporalityDelta})
	record(first.probe(chat()), 10)
	log.await(t, "export deferred")
	first.end(t)

	b := newBackend(t)
	b.start(t)
	second := exportTo(t, b, Options{SpoolDir: dir, Temporality: TemporalityDelta})
	record(second.probe(chat()), 5)
	b.await(t, "the runs of both", runsArrived(15))
	second.end(t)
	b.stop()
	var runs float64
	for _, p := range b.points {
		if p.Metric == "wsprobe.runs" {
			runs += p.Value
		}
	}
	if runs != 15 {
		t.Errorf("%v runs, want 15", runs)
	}
}
