package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wsprobe/wsprobe/config/discovery"
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

// BenchmarkDiscover makes the probes of targets.
func BenchmarkDiscover(b *testing.B) {
	clearEnvironment(b)
	config, err := loadText([]byte("defaults: {labels: {team: chat}, headers: {Origin: 'https://example.com'}}\n" +
		"modules: [{name: m, interpretation: round_trip_latency, send_message: ping, labels: {zone: '{{target.label.zone}}'}}]\n" +
		"discover: [{module: m, url: 'wss://{{target.address}}/socket', files: ['*.json']}]"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Discover[0].Probe(discovery.Target{Address: "10.0.0.1:8080", Labels: map[string]string{"zone": "a", "pod": "p"}}); err != nil {
			b.Fatal(err)
		}
	}
}
