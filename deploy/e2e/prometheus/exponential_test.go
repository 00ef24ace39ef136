package prometheus

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestNativeHistograms exports exponential histograms and wants Prometheus to store native ones. Their counts, sums and
// quantiles must be those of the single runs. Differences need a feature of the receiver.
func TestNativeHistograms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		temporality string
		features    remote.OTLPOptions
	}{
		{temporality: "cumulative"},
		{"delta", remote.OTLPOptions{ConvertDelta: true}},
	} {
		t.Run(test.temporality, func(t *testing.T) {
			t.Parallel()
			b, e := newBackendWith(t, test.features), lab.NewEndpoint(t)
			otlp := b.otlp("1s")
			delete(otlp, "protocol")
			otlp["preset"], otlp["temporality"] = "prometheus", test.temporality
			agent := lab.StartAgent(t, lab.Settings{
				"agent":    map[string]any{"listen": ""},
				"otlp":     otlp,
				"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
				"probes":   []map[string]any{e.RoundTrip("a", lab.Echo), e.RoundTrip("b", lab.Echo)},
			})
			lab.Eventually(t, time.Minute, "20 runs of a", func() (bool, string) {
				agent.Running(t)
				n := b.stored(t, perRun[0])["a"]
				return n >= 20, fmt.Sprint(n)
			})
			agent.Stop(t, lab.StopLimit)
			b.CheckAnswers(t)
			for _, name := range []string{"a", "b"} {
				b.checkNative(t, name)
			}
		})
	}
}

// checkNative compares the native histogram of the round trips of a probe with the latency of each of its runs.
func (b *backend) checkNative(t *testing.T, name string) {
	t.Helper()
	var single []float64
	b.samples(t, "wsprobe_round_trip_latency_milliseconds", func(series labels.Labels, _ time.Time, v float64) {
		if series.Get("wsprobe_name") == name {
			single = append(single, v)
		}
	})
	slices.Sort(single)
	runs := 0
	b.samples(t, "wsprobe_success", func(series labels.Labels, _ time.Time, _ float64) {
		if series.Get("wsprobe_name") == name {
			runs++
		}
	})
	sum := 0.0
	for _, v := range single {
		sum += v
	}
	histogram := fmt.Sprintf("wsprobe_round_trip_duration_milliseconds{wsprobe_name=%q}", name)
	near := func(expr string, low, high float64) {
		t.Helper()
		got := b.query(t, expr)
		if len(got) != 1 || got[0].F < low || got[0].F > high {
			t.Errorf("%s is %v, want one from %v to %v", expr, got, low, high)
		}
	}
	if got := b.query(t, histogram); len(got) != 1 || got[0].H == nil {
		t.Fatalf("%s is %v, want one native histogram", histogram, promql.Vector(got))
	}
	count := float64(len(single))
	const rounding, bucket = 1e-6, 1.1 // buckets of a scale of 3, the least that latencies of a lab lead to, are 9 % wide
	near("histogram_count("+histogram+")", count, count)
	near("histogram_sum("+histogram+")", sum*(1-rounding), sum*(1+rounding))
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		// Between two values, Prometheus takes the lower one or the upper one, as it counts from below or from above.
		const between = 1e-3
		lower := single[max(int(math.Ceil(q*count-between))-1, 0)]
		upper := single[min(int(q*count+between), len(single)-1)]
		near(fmt.Sprintf("histogram_quantile(%v, %s)", q, histogram), lower/bucket, upper*bucket)
	}
	near(fmt.Sprintf("sum(wsprobe_runs_total{wsprobe_name=%q})", name), float64(runs), float64(runs))
}
