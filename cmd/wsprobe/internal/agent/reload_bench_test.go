package agent

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// BenchmarkReload loads a configuration of 10,000 probes again, of which ten have changed.
func BenchmarkReload(b *testing.B) {
	file := filepath.Join(b.TempDir(), "wsprobe.yaml")
	write := func(variant int) {
		var text strings.Builder
		text.WriteString("agent: {listen: \"\"}\notlp: {endpoint: \"http://127.0.0.1:1\"}\nprobes:\n")
		for i := range 10_000 {
			timeout := 900
			if i < 10 {
				timeout += variant
			}
			fmt.Fprintf(&text, "  - name: p-%d\n    url: ws://127.0.0.1:1/\n    interval: 60s\n    timeout_ms: %d\n"+
				"    interpretation: round_trip_latency\n    send_message: ping\n    labels: {team: t%d}\n", i, timeout, i%7)
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write(0)
	var loader config.Loader
	source := NewSource([]string{file}, func() (config.Config, error) { return loader.Load(file) })
	cfg, err := source.Load()
	if err != nil {
		b.Fatal(err)
	}
	a, err := New(cfg, Options{Log: slog.New(slog.DiscardHandler), Source: source})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.abandon() })
	b.ReportAllocs()
	for variant := 1; b.Loop(); variant++ {
		b.StopTimer()
		write(variant % 2)
		b.StartTimer()
		a.reloader.reload(b.Context(), byRequest, nil)
	}
}
