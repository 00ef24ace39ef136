package prometheus_test

import (
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestNames: a family has its unit in its name, _total if it only goes up, and never count at its end.
func TestNames(t *testing.T) {
	for want, m := range map[string]metrics.Metric{
		"go_goroutines":                  {Name: "go.goroutine.count", Kind: metrics.UpDownCounter, Unit: "{goroutine}"},
		"process_unix_file_descriptors":  {Name: "process.unix.file_descriptor.count", Kind: metrics.UpDownCounter, Unit: "{file_descriptor}"},
		"wsprobe_runs_total":             {Name: "wsprobe.runs", Kind: metrics.Counter, Unit: "{run}"},
		"account":                        {Name: "account", Kind: metrics.Gauge},
		"go_config_gogc_percent":         {Name: "go.config.gogc", Kind: metrics.UpDownCounter, Unit: "%"},
		"process_cpu_time_seconds_total": {Name: "process.cpu.time", Kind: metrics.Counter, Unit: "s"},
		"wsprobe_x_milliseconds":         {Name: "wsprobe.x", Kind: metrics.Histogram, Unit: "ms"},
	} {
		if got := prometheus.FamilyOf(&m).Name; got != want {
			t.Errorf("%s is %s, want %s", m.Name, got, want)
		}
	}
}
