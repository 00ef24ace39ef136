package agent

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// ask asks the status page as a client that names a host and comes from a page of an origin. It returns the status, and
// the text of an answer that is no upgrade.
func ask(t *testing.T, a *Agent, path, host, origin string) (code int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.ListenAddress()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Host = host; origin != "" {
		r.Header = http.Header{"Origin": {origin}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return answer.StatusCode, ""
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// TestReloadedSettingsHold holds that the live settings of the agent change what it does.
func TestReloadedSettingsHold(t *testing.T) {
	b := &backs{token: make(map[string]string)}
	back, _ := b.grpc(t, "back", nil)
	endpoint := wstest.Start(wstest.Echo)
	defer endpoint.Close()
	base := tree{
		"agent.listen": "127.0.0.1:0", "otlp.endpoint": "http://" + back,
		"probes": []any{map[string]any{"name": "chat", "url": endpoint.URL, "interval": "1s"}},
	}
	before := tree{
		"agent.hosts": []string{"a.example.com"}, "agent.origins": []string{"https://a.example.com"}, "agent.url": "https://a.example.com/",
		"agent.max_concurrent": 7, "otlp.interval": "1h", "otlp.traces": true, "otlp.trace_ratio": 0,
	}
	var level slog.LevelVar
	a, err := New(loadTree(t, base.with(before)), Options{Log: slog.New(slog.DiscardHandler), LogLevel: &level})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	check := func(good, bad string, concurrent int) {
		t.Helper()
		for name, want := range map[string]int{good: 200, bad: http.StatusMisdirectedRequest} {
			if code, _ := ask(t, a, "/", name, ""); code != want {
				t.Errorf("host %s: %d, want %d", name, code, want)
			}
		}
		for name, want := range map[string]int{good: 101, bad: 403} {
			if code, _ := ask(t, a, "/api/v1/stream", "localhost", "https://"+name); code != want {
				t.Errorf("origin %s: %d, want %d", name, code, want)
			}
		}
		_, text := ask(t, a, "/metrics", "localhost", "")
		if !strings.Contains(text, `wsprobe_agent_url="https://`+good+`/"`) || strings.Contains(text, bad) {
			t.Errorf("/metrics has not the URL of %s alone", good)
		}
		if a.scheduler.MaxConcurrent != concurrent {
			t.Errorf("at most %d runs at a time, want %d", a.scheduler.MaxConcurrent, concurrent)
		}
	}
	await(t, "a first export", func() bool { return b.count("back", "wsprobe.runs") == 1 })
	check("a.example.com", "b.example.com", 7)
	if level.Level() != slog.LevelInfo || a.telemetry.Trace().Sampled {
		t.Errorf("level %v", level.Level())
	}
	after := tree{
		"agent.hosts": []string{"b.example.com"}, "agent.origins": []string{"https://b.example.com"}, "agent.url": "https://b.example.com/",
		"agent.max_concurrent": 5, "otlp.interval": "1s", "otlp.traces": true, "otlp.trace_ratio": 1, "agent.log_level": "error",
	}
	if restart, err := a.Reload(loadTree(t, base.with(after))); err != nil || len(restart) > 0 {
		t.Fatalf("restart %q, %v", restart, err)
	}
	check("b.example.com", "a.example.com", 5)
	if level.Level() != slog.LevelError || !a.telemetry.Trace().Sampled {
		t.Errorf("level %v", level.Level())
	}
	await(t, "an export each second", func() bool { return b.count("back", "wsprobe.runs") >= 3 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
