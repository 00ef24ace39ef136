package agent

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestReadyWithoutAnAnswerOfASource: sources that never answer leave the agent ready, which has no probe at all. They are
// told in the text of /readyz, on the page and in the metrics until the first answer, which brings the probes.
func TestReadyWithoutAnAnswerOfASource(t *testing.T) {
	endpoint := wstest.Start(wstest.Echo)
	defer endpoint.Close()
	var answers atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answers.Load() {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[{"targets": ["` + strings.TrimSuffix(strings.TrimPrefix(endpoint.URL, "ws://"), "/") + `"]}]`))
	}))
	defer server.Close()
	var got receiver.Inbox[receiver.Point]
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = back.Stop() }()
	var sources []any
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		sources = append(sources, map[string]any{"name": name, "module": "m", "refresh": "1s", "url": "ws://{{target.address}}/echo",
			"http": map[string]any{"url": server.URL + "/?token=hunter2", "timeout_ms": 300}})
	}
	a, err := New(loadTree(t, tree{"agent.listen": "127.0.0.1:0", "otlp.endpoint": "http://" + back.Address, "otlp.interval": "1s",
		"modules": []any{map[string]any{"name": "m", "interval": "1s"}}, "discover": sources}), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	text := ""
	await(t, "readiness with a note of each source", func() bool {
		code, now := ask(t, a, "/readyz", "", "")
		text = now
		return code == http.StatusOK && strings.Contains(now, "2 more sources of targets have never answered")
	})
	if !strings.Contains(text, `the source of targets "a" has never answered, and so has no probes: it fails since `) || strings.Contains(text, `"d"`) {
		t.Errorf("notes %s", text)
	}
	_, page := ask(t, a, "/", "", "")
	if !strings.Contains(page, "has never answered, and so has no probes") || strings.Contains(text+page, "hunter2") {
		t.Errorf("the page has no note, or a secret: %s", page)
	}
	await(t, "a failed look in the metrics", func() bool {
		return len(got.Where(func(p receiver.Point) bool {
			return p.Metric == "wsprobe.discovery.looks" && p.Attributes["wsprobe.discovery.outcome"] == "failure" && p.Value > 0
		})) > 0
	})
	answers.Store(true)
	await(t, "no notes any more", func() bool {
		code, text := ask(t, a, "/readyz", "", "")
		return code == http.StatusOK && text == "ok\n"
	})
	await(t, "probes of the targets", func() bool { return len(rowsOf(t, a)) == len(sources) })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
