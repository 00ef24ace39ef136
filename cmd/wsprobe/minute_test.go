package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestStreamOfThePage runs the stream that the page shows first, and wants the lines that it shows, apart from times.
func TestStreamOfThePage(t *testing.T) {
	text := page(t, "cmd/wsprobe/README.md")
	_, rest, _ := strings.Cut(text, "```yaml\n# stream.yaml\n")
	file, rest, found := strings.Cut(rest, "```\n")
	shown := regexp.MustCompile(`(?m)^    20\S+Z (good|busy) (.*)$`).FindAllStringSubmatch(rest, 2)
	if !found || len(shown) != 2 {
		t.Fatalf("the page has no stream.yaml, or not both of its lines: %q", shown)
	}
	value := regexp.MustCompile(`[0-9.]+`)
	want := make(map[string]string) // by probe
	for _, line := range shown {
		want[line[1]] = value.ReplaceAllString(line[2], "N")
	}
	busy := wstest.Start(wstest.Refuse(503, "busy\n"))
	defer busy.Close()
	good := wstest.Start(wstest.Echo)
	defer good.Close()
	lines := make(chan string, 100)
	receiver := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		for {
			lines <- c.Message()
		}
	})
	defer receiver.Close()
	file = strings.NewReplacer("ws://127.0.0.1:9465/good", good.URL, "ws://127.0.0.1:9465/http-503", busy.URL, "ws://127.0.0.1:9000/", receiver.URL).Replace(file) +
		"agent: {listen: \"\"}\n"
	path := filepath.Join(t.TempDir(), "stream.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(cfg, agent.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	late := time.After(time.Minute)
	for seen := make(map[string]bool); len(seen) < len(want); {
		select {
		case line := <-lines:
			_, line, _ = strings.Cut(line, " ")
			name, line, _ := strings.Cut(line, " ")
			if got := strings.TrimSpace(value.ReplaceAllString(line, "N")); got != want[name] {
				t.Errorf("%s: got %q, the page shows %q", name, got, want[name])
			}
			seen[name] = true
		case <-late:
			t.Fatal("the lines do not come")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
