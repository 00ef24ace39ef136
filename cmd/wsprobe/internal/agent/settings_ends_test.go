package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// TestReloadEndsOwnSeries: what a reload takes away of the agent itself ends in the export, and is not scraped any more:
// the agent.url before, and a source of targets.
func TestReloadEndsOwnSeries(t *testing.T) {
	var got receiver.Inbox[receiver.Point]
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = back.Stop() }()
	file := filepath.Join(t.TempDir(), "targets.json")
	if err := os.WriteFile(file, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(url, source string) tree {
		return tree{"agent.listen": "127.0.0.1:0", "agent.url": url, "otlp.endpoint": "http://" + back.Address, "otlp.interval": "1s", "otlp.end_markers": true,
			"modules":  []any{map[string]any{"name": "m"}},
			"discover": []any{map[string]any{"name": source, "module": "m", "url": "ws://{{target.address}}/", "files": []string{file}}}}
	}
	a, err := New(loadTree(t, load("https://a.example/", "before")), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	point := func(metric, key, value string, ends bool) func(receiver.Point) bool {
		return func(p receiver.Point) bool {
			return p.Metric == metric && p.Attributes[key] == value && p.NoValue == ends
		}
	}
	arrives := func(metric, key, value string, ends bool) {
		t.Helper()
		await(t, metric+" of "+value, func() bool { return len(got.Where(point(metric, key, value, ends))) > 0 })
	}
	const build, targets = "wsprobe.agent.build.info", "wsprobe.discovery.targets"
	arrives(build, "wsprobe.agent.url", "https://a.example/", false)
	arrives(targets, "wsprobe.discovery.name", "before", false)
	if restart, err := a.Reload(loadTree(t, load("https://b.example/", "after"))); err != nil || len(restart) > 0 {
		t.Fatalf("restart %q, %v", restart, err)
	}
	arrives(build, "wsprobe.agent.url", "https://a.example/", true)
	arrives(build, "wsprobe.agent.url", "https://b.example/", false)
	arrives(targets, "wsprobe.discovery.name", "before", true)
	arrives("wsprobe.discovery.looks", "wsprobe.discovery.name", "before", true)
	arrives(targets, "wsprobe.discovery.name", "after", false)
	if _, text := ask(t, a, "/metrics", "", ""); strings.Contains(text, "a.example") || strings.Contains(text, `"before"`) || !strings.Contains(text, "b.example") {
		t.Errorf("a scrape has %s", text)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, metric := range []string{build, targets} {
		old := got.Where(func(p receiver.Point) bool {
			return p.Metric == metric && (p.Attributes["wsprobe.agent.url"] == "https://a.example/" || p.Attributes["wsprobe.discovery.name"] == "before")
		})
		for i, p := range old {
			if p.NoValue != (i == len(old)-1) {
				t.Errorf("%s: point %d of %d ends the series: %v", metric, i, len(old), p.NoValue)
			}
		}
	}
}
