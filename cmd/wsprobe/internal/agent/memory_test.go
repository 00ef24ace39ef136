package agent

import (
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

func TestGarbageIsBoundedByWhatIsKept(t *testing.T) {
	for probes, want := range map[int]int{0: 400, 1: 399, 1000: 230, 10_000: 48, 100_000: 40} {
		if got := gcPercent(probes); got != want {
			t.Errorf("%d probes: got %d, want %d", probes, got, want)
		}
	}
}

func TestMemoryLimitGrowsWithWhatMayBeHeld(t *testing.T) {
	const mib = 1 << 20
	long := config.Probe{Spec: probe.Spec{MaxReply: 5 * mib}}
	for name, test := range map[string]struct {
		probes []config.Probe
		otlp   config.OTLP
		want   int64
	}{
		"nothing":              {want: 72 * mib},
		"64 probes":            {probes: make([]config.Probe, 64), want: 73 * mib},
		"a long message":       {probes: []config.Probe{long}, want: 76*mib + 16<<10},
		"a queue in memory":    {otlp: config.OTLP{Spool: config.Spool{MaxBytes: 256 * mib}}, want: 296 * mib},
		"a short queue":        {otlp: config.OTLP{Spool: config.Spool{MaxBytes: mib}}, want: 72 * mib},
		"a queue on disk":      {otlp: config.OTLP{Spool: config.Spool{Dir: "x", MaxBytes: 256 * mib}}, want: 72 * mib},
		"traces and logs, too": {otlp: config.OTLP{Traces: true, Logs: true}, want: 104 * mib},
	} {
		if got := memoryLimit(test.probes, test.otlp); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
