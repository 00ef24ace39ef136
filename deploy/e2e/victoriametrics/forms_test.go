package victoriametrics

import (
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestExponentialHistograms exports exponential histograms of scale 11, the finest that VictoriaMetrics keeps apart. It
// wants every query of the dashboard to be answered, and percentiles that the single runs confirm.
func TestExponentialHistograms(t *testing.T) {
	t.Parallel()
	d, e := startDatabase(t), lab.NewEndpoint(t)
	settings := watched(t, d, e)
	otlp := settings["otlp"].(map[string]any)
	otlp["histograms"], otlp["max_scale"] = "exponential", 11
	agent := lab.StartAgent(t, settings)
	d.await(t, `count(wsprobe_round_trip_duration_milliseconds_bucket{wsprobe_name="good", vmrange!="", le=""})`, found)
	if explicit := d.query(t, `count(wsprobe_round_trip_duration_milliseconds_bucket{le!=""})`); len(explicit) > 0 {
		t.Errorf("explicit buckets beside exponential ones: %v", explicit)
	}
	d.checkDashboard(t, "Round trips") // a heatmap, which needs le
	// Its own buckets are 13.6 % wide, and a value is at most one of them away.
	d.await(t, `histogram_quantile(1, sum by (vmrange) (last_over_time(wsprobe_round_trip_duration_milliseconds_bucket{wsprobe_name="good"}[5m])))
		/ on () max_over_time(wsprobe_round_trip_latency_milliseconds{wsprobe_name="good"}[5m])`,
		func(s []sample) bool { return len(s) == 1 && s[0].value > 0.87 && s[0].value < 1.15 })
	agent.Stop(t, lab.StopLimit)
}
