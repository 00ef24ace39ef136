package forms

import (
	"context"
	"maps"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/cumulativetodeltaprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
)

// sink keeps what comes out of a processor.
type sink struct {
	mu  sync.Mutex
	got ledger
}

func (s *sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(_ context.Context, metrics pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got.add(metrics)
	return nil
}

// start runs a processor with its defaults until the test ends.
func (s *sink) start(t *testing.T, factory processor.Factory, change func(component.Config)) consume {
	t.Helper()
	config := factory.CreateDefaultConfig()
	if change != nil {
		change(config)
	}
	p, err := factory.CreateMetrics(t.Context(), processortest.NewNopSettings(factory.Type()), config, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p.ConsumeMetrics
}

// checkTotals wants the counters and histograms of a probe to have counted the runs that the agent sent one by one.
func checkTotals(t *testing.T, sent, got *ledger, probe string) {
	t.Helper()
	runs := len(sent.values("wsprobe.connection_success", probe))
	if n, _ := got.totals("wsprobe.runs", probe); runs == 0 || int(n) != runs {
		t.Errorf("%s: wsprobe.runs is %v in the end, want %d", probe, n, runs)
	}
	for metric, single := range map[string]string{
		"wsprobe.round_trip.duration": "wsprobe.round_trip_latency", "wsprobe.handshake.duration": "wsprobe.handshake_latency",
	} {
		want := 0.0
		values := sent.values(single, probe)
		for _, v := range values {
			want += v
		}
		sum, count := got.totals(metric, probe)
		if int(count) != len(values) || math.Abs(sum-want) > 1e-6*want {
			t.Errorf("%s: %s has %d values of %v ms in the end, want %d of %v ms", probe, metric, count, sum, len(values), want)
		}
	}
}

// TestDifferencesBecomeTotals has deltatocumulative add up the differences of an agent that is restarted during an
// outage. Its totals must be those of the runs, never fall, and go on where those of the process before ended.
func TestDifferencesBecomeTotals(t *testing.T) {
	t.Parallel()
	for _, histograms := range []string{"explicit", "exponential"} {
		t.Run(histograms, func(t *testing.T) {
			t.Parallel()
			e, out := lab.NewEndpoint(t), &sink{}
			in := newIntake(t, out.start(t, deltatocumulativeprocessor.NewFactory(), nil))
			settings := in.settings("delta", histograms, e.RoundTrip("a", lab.Echo), e.RoundTrip("b", lab.Echo))
			settings["otlp"].(map[string]any)["spool"] = map[string]any{"dir": t.TempDir()}
			agent := lab.StartAgent(t, settings)
			in.awaitRuns(t, agent, "a", 4)
			in.SetUnavailable(true)
			e.SetDown("b", true)
			lab.Wait(t, 4*time.Second)
			agent.Stop(t, lab.StopLimit)
			agent = lab.StartAgent(t, settings)
			lab.Wait(t, 4*time.Second)
			e.SetDown("b", false)
			in.SetUnavailable(false)
			in.awaitRuns(t, agent, "b", 8)
			in.awaitRuns(t, agent, "b", 4)
			agent.Stop(t, lab.StopLimit)
			in.check(t)
			for _, probe := range []string{"a", "b"} {
				checkTotals(t, &in.sent, &out.got, probe)
			}
			e.CheckStored(t, "wsprobe.connection_success", map[string]int{"a": in.runs("a"), "b": in.runs("b")},
				func(lab.Visit) bool { return false }) // none twice
			out.got.checkTotalsGrow(t)
			if histograms == "exponential" {
				checkBuckets(t, &in.sent, &out.got, "a")
			}
		})
	}
}

// checkTotalsGrow wants every series to have one start, and totals that never fall.
func (l *ledger) checkTotalsGrow(t *testing.T) {
	t.Helper()
	last := map[string]point{}
	for _, p := range l.points {
		if p.metric != "wsprobe.runs" && p.metric != "wsprobe.round_trip.duration" && p.metric != "wsprobe.handshake.duration" {
			continue
		}
		key := p.metric + p.series
		before, known := last[key]
		last[key] = p
		if !p.cumulative {
			t.Errorf("%s of %s is a difference", p.metric, p.series)
		}
		if known && (p.start != before.start || p.value < before.value || p.count < before.count) {
			t.Errorf("%s of %s is %v since %v, after %v since %v", p.metric, p.series, p.value, p.start, before.value, before.start)
		}
	}
	if len(last) == 0 {
		t.Error("no total came")
	}
}

// checkBuckets wants the exponential histogram of round trips to have each value of a run in its bucket.
func checkBuckets(t *testing.T, sent, got *ledger, probe string) {
	t.Helper()
	points := got.of("wsprobe.round_trip.duration", probe)
	if len(points) == 0 {
		t.Fatal("no histogram came")
	}
	last := points[len(points)-1]
	want := map[int32]uint64{}
	for _, v := range sent.values("wsprobe.round_trip_latency", probe) {
		want[int32(math.Ceil(math.Log2(v)*math.Ldexp(1, int(last.scale))))-1]++
	}
	if !maps.Equal(last.inBuckets, want) {
		t.Errorf("buckets of scale %d: got %v, want %v", last.scale, last.inBuckets, want)
	}
}

// TestTotalsBecomeDifferences has cumulativetodelta make differences of the totals of an agent that starts after it and
// is restarted. They must add up to the runs, those before the first export included.
func TestTotalsBecomeDifferences(t *testing.T) {
	t.Parallel()
	for _, histograms := range []string{"explicit", "exponential"} {
		t.Run(histograms, func(t *testing.T) {
			t.Parallel()
			e, out := lab.NewEndpoint(t), &sink{}
			in := newIntake(t, out.start(t, cumulativetodeltaprocessor.NewFactory(), nil))
			settings := in.settings("cumulative", histograms, e.RoundTrip("a", lab.Echo), e.RoundTrip("b", lab.Echo))
			agent := lab.StartAgent(t, settings)
			in.awaitRuns(t, agent, "a", 4)
			e.SetDown("b", true)
			agent.Stop(t, lab.StopLimit)
			agent = lab.StartAgent(t, settings)
			in.awaitRuns(t, agent, "b", 4)
			agent.Stop(t, lab.StopLimit)
			in.check(t)
			for _, probe := range []string{"a", "b"} {
				checkTotals(t, &in.sent, &out.got, probe)
			}
		})
	}
}

// TestFirstFailureAfterARestartOfTheCollector starts cumulativetodelta anew beside a running agent. A probe then fails
// for the first time. With the default for initial values the first export of that counter is lost, because it counts
// from a time before the processor. Differences of the agent itself lose nothing.
func TestFirstFailureAfterARestartOfTheCollector(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		temporality string
		lost        bool
	}{{"cumulative", true}, {"delta", false}} {
		t.Run(test.temporality, func(t *testing.T) {
			t.Parallel()
			e, before, after := lab.NewEndpoint(t), &sink{}, &sink{}
			in := newIntake(t, before.start(t, cumulativetodeltaprocessor.NewFactory(), nil))
			agent := lab.StartAgent(t, in.settings(test.temporality, "explicit", e.RoundTrip("a", lab.Echo)))
			in.awaitRuns(t, agent, "a", 3)
			in.setNext(after.start(t, cumulativetodeltaprocessor.NewFactory(), nil))
			in.awaitRuns(t, agent, "a", 2)
			e.SetDown("a", true)
			in.awaitRuns(t, agent, "a", 4)
			agent.Stop(t, lab.StopLimit)
			in.check(t)
			var first, failed, told float64
			for _, p := range in.sent.of("wsprobe.runs", "a") {
				if p.reason != "ok" {
					if first == 0 {
						first = p.value
					}
					if p.cumulative {
						failed = p.value
					} else {
						failed += p.value
					}
				}
			}
			for _, p := range after.got.of("wsprobe.runs", "a") {
				if p.reason != "ok" {
					told += p.value
				}
			}
			want := failed
			if test.lost {
				want -= first
			}
			if failed < 3 || told != want {
				t.Errorf("%v failures are told of %v, want %v; the first export had %v", told, failed, want, first)
			}
		})
	}
}
