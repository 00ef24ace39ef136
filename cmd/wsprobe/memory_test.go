package main

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
		"nothing":              {want: 80 * mib},
		"64 probes":            {probes: make([]config.Probe, 64), want: 81 * mib},
		"a long message":       {probes: []config.Probe{long}, want: 84*mib + 16<<10},
		"a queue in memory":    {otlp: config.OTLP{Spool: config.Spool{MaxBytes: 256 * mib}}, want: 304 * mib},
		"a short queue":        {otlp: config.OTLP{Spool: config.Spool{MaxBytes: mib}}, want: 80 * mib},
		"a queue on disk":      {otlp: config.OTLP{Spool: config.Spool{Dir: "x", MaxBytes: 256 * mib}}, want: 80 * mib},
		"traces and logs, too": {otlp: config.OTLP{Traces: true, Logs: true}, want: 112 * mib},
	} {
		if got := memoryLimit(test.probes, test.otlp); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
