package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestReadyOfStreams wants an agent to be ready once the streams that it needs are connected, whatever the others are,
// and to say what is wrong until then. The page has all of them.
func TestReadyOfStreams(t *testing.T) {
	var open atomic.Bool
	endpoint := wstest.Start(func(c *wstest.Conn) {
		if !open.Load() {
			wstest.Refuse(403, "no\n")(c)
			return
		}
		wstest.Echo(c)
	})
	defer endpoint.Close()
	refused := wstest.Start(wstest.Refuse(403, "no\n"))
	defer refused.Close()
	const file = `
agent: {listen: "127.0.0.1:0"}
otlp: {protocol: none}
probes: [{name: up, url: "$REFUSED", interval: 1s}]
streams:
  - {name: needed, url: "$URL?token=hunter2", ready: true, reconnect: {min: 100ms, max: 1s}}
  - {name: other, url: "$REFUSED"}
`
	cfg := loadFile(t, file, map[string]string{"URL": endpoint.URL, "REFUSED": refused.URL})
	agent, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	awaitReadiness(t, agent, func(err error) bool {
		return err != nil && strings.HasPrefix(err.Error(), `stream "needed" has 0 of 1 connections: `) && strings.Contains(err.Error(), "; ")
	})
	get := func(path string) string {
		t.Helper()
		resp, err := http.Get("http://" + agent.ListenAddress() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if body := get("/"); !strings.Contains(body, "streams in trouble") || !strings.Contains(body, ">needed<") || !strings.Contains(body, ">other<") || strings.Contains(body, "hunter2") {
		t.Error(body)
	}
	open.Store(true)
	awaitReadiness(t, agent, isReady)
	if body := get("/"); !strings.Contains(body, "1 of 2 streams in trouble") || !strings.Contains(body, `<span class="pill ok">connected</span>`) {
		t.Error(body)
	}
	for _, cause := range buffer.Causes() {
		if body := get("/api/v1/streams"); strings.Count(body, fmt.Sprintf("%q: 0", cause)) != 2 {
			t.Errorf("no 0 for %s: %s", cause, body)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
