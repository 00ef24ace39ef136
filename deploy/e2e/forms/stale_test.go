package forms

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestRareFailuresNeedLongerMemory has a probe fail every ten minutes. The agent exports no difference where nothing
// changed, so deltatocumulative forgets the counter between two failures by default. Its total is then 1 each time,
// which a query of increases cannot see. With a longer max_stale it goes on.
func TestRareFailuresNeedLongerMemory(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		maxStale time.Duration // 0 for the default
		want     []float64
	}{{"by default", 0, []float64{1, 1, 1}}, {"a day", 24 * time.Hour, []float64{1, 2, 3}}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				out := &sink{}
				consume := out.start(t, deltatocumulativeprocessor.NewFactory(), func(c component.Config) {
					if test.maxStale > 0 {
						c.(*deltatocumulativeprocessor.Config).MaxStale = test.maxStale
					}
				})
				before := time.Now()
				for range test.want {
					time.Sleep(10 * time.Minute)
					if err := consume(t.Context(), failure(before, time.Now())); err != nil {
						t.Fatal(err)
					}
					before = time.Now()
				}
				got := out.got.values("wsprobe.runs", "a")
				for i, want := range test.want {
					if len(got) != len(test.want) || got[i] != want {
						t.Fatalf("totals: got %v, want %v", got, test.want)
					}
				}
			})
		})
	}
}

// failure is the difference of one failed run.
func failure(start, end time.Time) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	m := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("wsprobe.runs")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	p := sum.DataPoints().AppendEmpty()
	p.Attributes().PutStr("wsprobe.name", "a")
	p.Attributes().PutStr("wsprobe.reason", "ws_reply_timeout")
	p.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	p.SetTimestamp(pcommon.NewTimestampFromTime(end))
	p.SetIntValue(1)
	return metrics
}
