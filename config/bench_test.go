package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkLoad reads and validates files with many probes.
func BenchmarkLoad(b *testing.B) {
	clearEnvironment(b)
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "wsprobe.yaml")
			if err := os.WriteFile(file, manyProbes(n), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				config, err := Load(file)
				if err != nil || len(config.Probes) != n {
					b.Fatal(len(config.Probes), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/probe")
		})
	}
}
