package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config/discovery"
)

// BenchmarkLoad reads and validates files with many probes.
func BenchmarkLoad(b *testing.B) {
	clearEnvironment(b)
	for _, n := range []int{1_000, 10_000, 100_000} {
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

// BenchmarkReload loads 10,000 probes of which 10 change, as a reload does. Compare it with BenchmarkLoad.
func BenchmarkReload(b *testing.B) {
	clearEnvironment(b)
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "wsprobe.yaml")
			text := string(manyProbes(n))
			var versions [2][]byte
			for i := range versions {
				changes := make([]string, 0, 20)
				for at := range 10 {
					name := fmt.Sprintf("host-%d.", at*n/10)
					changes = append(changes, name, fmt.Sprintf("v%d-%s", i, name))
				}
				versions[i] = []byte(strings.NewReplacer(changes...).Replace(text))
			}
			l := new(Loader)
			load := func(version int) {
				if err := os.WriteFile(file, versions[version], 0o600); err != nil {
					b.Fatal(err)
				}
				config, err := l.Load(file)
				if err != nil || len(config.Probes) != n {
					b.Fatal(len(config.Probes), err)
				}
			}
			load(0)
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				load(i % 2)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/probe")
		})
	}
}
