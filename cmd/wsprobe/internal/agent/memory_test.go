package agent

import (
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

func TestGarbageIsBoundedByWhatIsKept(t *testing.T) {
	for probes, want := range map[int]int{0: 400, 1: 399, 1000: 292, 10_000: 85, 100_000: 25} {
		if got := gcPercent(probes); got != want {
			t.Errorf("%d probes: got %d, want %d", probes, got, want)
		}
	}
}

func TestMemoryLimitGrowsWithWhatMayBeHeld(t *testing.T) {
	const mib = 1 << 20
	long := config.Probe{Spec: probe.Spec{MaxReply: 5 * mib}}
	for name, test := range map[string]struct {
		probes  []config.Probe
		otlp    config.OTLP
		streams []config.StreamBuffer
		want    int64
	}{
		"nothing":              {want: 72 * mib},
		"64 probes":            {probes: make([]config.Probe, 64), want: 73 * mib},
		"a long message":       {probes: []config.Probe{long}, want: 76*mib + 16<<10},
		"a queue in memory":    {otlp: config.OTLP{Spool: config.Spool{MaxBytes: 256 * mib}}, want: 296 * mib},
		"a short queue":        {otlp: config.OTLP{Spool: config.Spool{MaxBytes: mib}}, want: 72 * mib},
		"a queue on disk":      {otlp: config.OTLP{Spool: config.Spool{Dir: "x", MaxBytes: 256 * mib}}, want: 72 * mib},
		"a stream":             {streams: []config.StreamBuffer{{Type: "memory", MaxSize: 16 * mib}}, want: 92 * mib},
		"streams on disk":      {streams: []config.StreamBuffer{{Type: "disk", MaxSize: 256 * mib}, {Type: "disk", MaxSize: mib}}, want: 97 * mib},
		"traces and logs, too": {otlp: config.OTLP{Traces: true, Logs: true}, want: 104 * mib},
	} {
		cfg := config.Config{OTLP: test.otlp}
		for _, buffer := range test.streams {
			cfg.Streams = append(cfg.Streams, config.Stream{Buffer: buffer})
		}
		if got := memoryLimit(config.DemandOf(test.probes...), &cfg); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
