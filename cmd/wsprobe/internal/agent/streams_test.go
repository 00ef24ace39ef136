package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// happening is an event as a receiver reads it.
type happening struct {
	ID, Event, Probe, Reason string
	Changed                  bool
}

// wall is an endpoint that keeps the events it is sent.
type wall struct {
	mu     sync.Mutex
	events []happening
	texts  strings.Builder
	ends   []wstest.Frame // the close frames
}

// serve is the script of the endpoint.
func (w *wall) serve(c *wstest.Conn) {
	c.Accept()
	for {
		f := c.Read()
		w.mu.Lock()
		switch f.Opcode {
		case wstest.OpText:
			var e happening
			_ = json.Unmarshal([]byte(f.Payload), &e)
			w.events = append(w.events, e)
			w.texts.WriteString(f.Payload)
		case wstest.OpClose:
			w.ends = append(w.ends, f)
		}
		w.mu.Unlock()
		switch f.Opcode {
		case wstest.OpPing:
			c.Send(wstest.Pong(f.Payload))
		case wstest.OpClose:
			c.Send(f)
			return
		}
	}
}

// seen returns what has come.
func (w *wall) seen() []happening {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// await returns once something is true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !is(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}

const streamsFile = `
agent: {listen: "127.0.0.1:0"}
otlp: {protocol: none}
streams:
  - {name: all, url: "$URL/all?key=hunter2"}
  - {name: news, url: "$URL/news", events: changes, probes: ["ref*"], ready: true}
probes:
  - {name: chat, url: "$URL/echo?token=hunter2", interval: 1s, timeout_ms: 1000, labels: {team: blue}}
  - {name: refused, url: "$URL/refused", interval: 1s, timeout_ms: 1000}
`

// TestStreams holds that each event is at each stream that admits it and at clients of the agent, under one ID, without
// a secret, and that a stop delivers the last ones and closes with 1001.
func TestStreams(t *testing.T) {
	var all, news wall
	endpoints := wstest.Start(wstest.ByPath(map[string]wstest.Script{
		"/all": all.serve, "/news": news.serve, "/echo": wstest.Echo, "/refused": wstest.Refuse(403, "no\n"),
	}))
	defer endpoints.Close()
	cfg := loadFile(t, streamsFile, map[string]string{"URL": strings.TrimSuffix(endpoints.URL, "/")})
	agent, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.outlets.ready(); err == nil || !strings.Contains(err.Error(), `stream "news" has 0 of 1 connections`) {
		t.Errorf("ready before Run: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	client := read(t, "ws://"+agent.ListenAddress()+"/api/v1/stream")
	await(t, "four events", func() bool { return len(all.seen()) >= 4 })
	if err := agent.outlets.ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}

	got := all.seen()
	changed := slices.DeleteFunc(slices.Clone(got), func(e happening) bool { return !e.Changed || e.Probe != "refused" })
	if !slices.Equal(news.seen(), changed) || len(changed) != 1 || changed[0].Reason != "ws_open_failed" {
		t.Errorf("news are %v, want %v", news.seen(), changed)
	}
	for _, e := range client() {
		if !slices.Contains(got, e) {
			t.Errorf("a client has %v, the stream has not", e)
		}
	}
	if ids := slices.Compact(slices.Sorted(slices.Values(idsOf(got)))); len(ids) != len(got) || ids[0] == "" {
		t.Errorf("IDs of %d events: %v", len(got), ids)
	}
	if text := all.texts.String(); strings.Contains(text, "hunter2") {
		t.Errorf("a secret in %s", text)
	}
	for name, w := range map[string]*wall{"all": &all, "news": &news} {
		if len(w.ends) != 1 || w.ends[0].Payload[:2] != "\x03\xe9" {
			t.Errorf("%s ended by %+v, want 1001", name, w.ends)
		}
	}
	for _, s := range agent.outlets.stats() {
		if s.Buffered != 0 || s.Received != s.Sent || s.Received == 0 {
			t.Errorf("%+v", s)
		}
	}
}

func idsOf(all []happening) []string {
	var ids []string
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	return ids
}

// read connects a client. The function that it returns waits for its end, and returns the events.
func read(t *testing.T, url string) func() []happening {
	t.Helper()
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	var c *bare.Conn
	await(t, "a connection to "+url, func() bool {
		c, _, _, err = bare.Open(t.Context(), p)
		return c != nil || err != nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.KeepTexts(1 << 20)
	c.Until(time.Now().Add(patience))
	events := make(chan []happening, 1)
	go func() {
		var all []happening
		defer func() { c.Close(); events <- all }()
		for {
			e, err := c.Next()
			var happened happening
			switch {
			case err != nil:
				return
			case e.Kind == bare.Closed:
				_ = c.SayClose(e.Code)
			case e.Kind == bare.Message && json.Unmarshal([]byte(e.Text), &happened) == nil && happened.ID != "" && happened.Probe != "":
				all = append(all, happened)
			}
		}
	}()
	return func() []happening { return <-events }
}

// TestRequiredStream holds that an agent does not start without a stream that it requires, and leaves nothing behind.
func TestRequiredStream(t *testing.T) {
	endpoints := wstest.Start(wstest.Refuse(401, "no\n"))
	defer endpoints.Close()
	const file = `
agent: {listen: "127.0.0.1:0"}
otlp: {protocol: none}
streams: [{name: wall, url: "$URL", health_check: require, buffer: {type: disk, dir: "$DIR"}}]
probes: [{name: up, url: "$URL", interval: 1s, timeout_ms: 1000}]
`
	cfg := loadFile(t, file, map[string]string{"URL": endpoints.URL, "DIR": t.TempDir()})
	for range 2 { // the second time shows that the directory is free
		agent, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		err = agent.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), `stream "wall": ws_open_failed (http_401)`) {
			t.Errorf("Run: %v", err)
		}
		if _, err := http.Get("http://" + agent.ListenAddress()); err == nil {
			t.Error("somebody listens")
		}
	}
}

// TestTwoAgentsOneBuffer holds that no two streams share a directory, and that the agent that comes second says so.
func TestTwoAgentsOneBuffer(t *testing.T) {
	const file = `
agent: {listen: ""}
otlp: {protocol: none}
streams: [{name: wall, url: "ws://127.0.0.1:1", buffer: {type: disk, dir: "$DIR"}}]
probes: [{name: up, url: "ws://127.0.0.1:1", interval: 1s, timeout_ms: 1000}]
`
	cfg := loadFile(t, file, map[string]string{"DIR": t.TempDir()})
	first, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), `stream "wall"`) {
		t.Errorf("the second agent: %v", err)
	}
	if err := first.abandon(); err != nil {
		t.Error(err)
	}
	third, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := third.abandon(); err != nil {
		t.Error(err)
	}
}

// TestAliveWhileStreamsAreTried holds that an agent answers for its health, and is not ready, while it waits for a
// stream that it requires, and that a stop ends the wait.
func TestAliveWhileStreamsAreTried(t *testing.T) {
	endpoints := wstest.Start(wstest.StallHandshake)
	defer endpoints.Close()
	const file = `
agent: {listen: "127.0.0.1:0"}
otlp: {protocol: none}
streams: [{name: wall, url: "$URL", health_check: require, timeout_ms: 30000}]
probes: [{name: up, url: "$URL", interval: 1s, timeout_ms: 1000}]
`
	cfg := loadFile(t, file, map[string]string{"URL": endpoints.URL})
	agent, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		await(t, path+" answers", func() bool {
			resp, err := http.Get("http://" + agent.ListenAddress() + path)
			if err == nil {
				_ = resp.Body.Close()
			}
			return err == nil && resp.StatusCode == want
		})
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
