package e2e

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestDifferencesAddUp exports differences and exponential histograms, and starts the Collector late. What it received
// must add up to the runs, those that waited included.
func TestDifferencesAddUp(t *testing.T) {
	const before, after = 3, 3
	nats := startNATS(t)
	c := newCollector(t)
	config := newSettings(t, c)
	config.OTLP["temporality"], config.OTLP["histograms"] = "delta", "exponential"
	config.Probes = append(config.Probes, roundTrip("chat", nats.WebsocketURL()))
	agent := startAgent(t, config)
	awaitRuns(t, agent, nats, before)
	up := time.Now()
	c.start(t)
	lab.Eventually(t, 60*time.Second, fmt.Sprintf("%d runs with a Collector", after), func() (bool, string) {
		agent.Running(t)
		n := endedAfter(c.received(t), up)
		return n >= after, fmt.Sprint(n)
	})
	stopAgent(t, agent)
	got := c.received(t)

	runs := len(got.of("wsprobe.connection_success", "chat"))
	if runs < before-1+after {
		t.Errorf("%d runs arrived, want at least %d", runs, before-1+after)
	}
	if sum := sumOf(got.of("wsprobe.runs", "chat")); sum != float64(runs) {
		t.Errorf("the differences of wsprobe.runs add up to %v, want %d", sum, runs)
	}
	single := got.of("wsprobe.round_trip_latency", "chat")
	checkExponential(t, got.of("wsprobe.round_trip.duration", "chat"), sumOf(single), len(single))
	checkDifferences(t, got)
	checkSentOnce(t, got)
}

// checkExponential wants the histograms to have counted so many values of this sum together.
func checkExponential(t *testing.T, points []point, sum float64, count int) {
	t.Helper()
	counted := 0
	for _, p := range points {
		inBuckets := uint64(0)
		for _, n := range p.buckets {
			inBuckets += n
		}
		if p.kind != pmetric.MetricTypeExponentialHistogram || len(p.buckets) > 160 || inBuckets != p.count {
			t.Errorf("%v has the kind %v, %d buckets with %d of %d values", p, p.kind, len(p.buckets), inBuckets, p.count)
		}
		counted += int(p.count)
	}
	const rounding = 1e-6
	if got := sumOf(points); counted != count || count == 0 || got < sum*(1-rounding) || got > sum*(1+rounding) {
		t.Errorf("the histograms have %d values of %v ms, want %d of %v ms", counted, got, count, sum)
	}
}

// checkDifferences wants each total that only grows to be a difference that begins where the one before ended, or
// later, and each other total to be cumulative.
func checkDifferences(t *testing.T, got received) {
	t.Helper()
	ends := map[string]time.Time{}
	for _, p := range got.points {
		if p.kind == pmetric.MetricTypeGauge {
			continue
		}
		if grows := p.kind != pmetric.MetricTypeSum || p.monotonic; p.cumulative == grows {
			t.Errorf("%v: cumulative is %v", p, p.cumulative)
			continue
		}
		series := fmt.Sprint(p.metric, p.attributes)
		if !p.cumulative && (p.start.Before(ends[series]) || !p.start.Before(p.end)) {
			t.Errorf("%v is from %v to %v, the one before ended at %v", p, p.start, p.end, ends[series])
		}
		ends[series] = p.end
	}
}
