package e2e

import (
	"bufio"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// streaming is an agent with streams, which may be killed and started again with the same file.
type streaming struct {
	listen    string
	config    string
	process   *lab.Process
	metronome *metronome
	kills     []killing
}

// startStreaming runs the agent with probes and streams.
func startStreaming(t *testing.T, probes []map[string]any, streams ...map[string]any) *streaming {
	t.Helper()
	return startStreamingFrom(t, map[string]any{}, probes, streams...)
}

// startStreamingFrom is startStreaming, with settings of the agent.
func startStreamingFrom(t *testing.T, agent map[string]any, probes []map[string]any, streams ...map[string]any) *streaming {
	t.Helper()
	s := &streaming{listen: lab.FreeAddr(t), metronome: startMetronome(t)}
	agent["listen"], agent["location"] = s.listen, "e2e"
	config := settings{
		Agent:    agent,
		OTLP:     map[string]any{"protocol": "none"},
		Defaults: map[string]any{"interval": "1s", "timeout_ms": 800},
		Probes:   probes,
		Streams:  streams,
	}
	s.config = config.write(t)
	s.start(t)
	return s
}

func (s *streaming) start(t *testing.T) {
	t.Helper()
	s.process = lab.Start(t, built(t, agentBinary), "run", "-c", s.config)
	listening(t, s.process, s.listen)
}

// kill ends the agent as an accident does, and starts it again.
func (s *streaming) kill(t *testing.T) {
	t.Helper()
	s.process.Running(t)
	k := killing{after: time.Now()}
	s.process.Kill(t)
	k.before = time.Now()
	// Twice, because the agent of CI is slower than the metronome: it looks for races.
	if k.slack = 2 * s.metronome.late(k.after); k.slack > 0 {
		t.Logf("the machine is busy: %v more to sync", k.slack.Round(time.Millisecond))
	}
	s.kills = append(s.kills, k)
	s.start(t)
}

// streamCounts are the metrics of one stream of the agent that runs.
type streamCounts struct{ received, sent, resent, discarded, buffered, established float64 }

// counts reads the metrics of every stream at one moment.
func (s *streaming) counts(t *testing.T) map[string]*streamCounts {
	t.Helper()
	response, err := (&http.Client{Timeout: 30 * time.Second}).Get("http://" + s.listen + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all := map[string]*streamCounts{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		_, rest, found := strings.Cut(rest, `wsprobe_stream_name="`)
		if !found || strings.HasPrefix(name, "#") {
			continue
		}
		stream, rest, _ := strings.Cut(rest, `"`)
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		if all[stream] == nil {
			all[stream] = &streamCounts{}
		}
		all[stream].add(name, value)
	}
	return all
}

func (c *streamCounts) add(metric string, value float64) {
	switch strings.TrimSuffix(strings.TrimPrefix(metric, "wsprobe_stream_"), "_total") {
	case "events_received":
		c.received += value
	case "events_sent":
		c.sent += value
	case "events_resent":
		c.resent += value
	case "events_discarded":
		c.discarded += value
	case "events_buffered":
		c.buffered += value
	case "connections_established":
		c.established += value
	}
}

// checkCounts wants every event of every stream to be sent, given up or waiting.
func (s *streaming) checkCounts(t *testing.T) map[string]*streamCounts {
	t.Helper()
	all := s.counts(t)
	if len(all) == 0 {
		t.Error("no metrics of streams")
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		t.Logf("%s: %+v", name, *c)
		if c.received != c.sent+c.discarded+c.buffered {
			t.Errorf("%s: %v events received, which is not %v sent + %v discarded + %v buffered", name, c.received, c.sent, c.discarded, c.buffered)
		}
	}
	return all
}

// startTarget serves the endpoints of wsprobe target.
func startTarget(t *testing.T) (addr string) {
	t.Helper()
	addr = lab.FreeAddr(t)
	listening(t, lab.Start(t, built(t, agentBinary), "target", "--listen", addr, "--listen-tls", "none"), addr)
	return addr
}

// onDisk is a stream whose events outlive the agent.
func onDisk(t *testing.T, name, url, acknowledgements string) map[string]any {
	t.Helper()
	return map[string]any{
		"name": name, "url": url, "acknowledgements": acknowledgements,
		"ping_timeout": "3s", "reconnect": map[string]any{"min": "100ms", "max": "1s"},
		"buffer": map[string]any{"type": "disk", "dir": filepath.Join(t.TempDir(), name)},
	}
}

// with adds settings to a stream.
func with(stream map[string]any, more map[string]any) map[string]any {
	maps.Copy(stream, more)
	return stream
}

// long reports whether the tests may take their time.
func long() bool { return os.Getenv("WSPROBE_E2E_LONG") != "" }

// awaitEvents waits until a receiver has so many different events.
func (r *receiver) awaitEvents(t *testing.T, n int) {
	t.Helper()
	lab.Eventually(t, serverLimit, fmt.Sprintf("%d events at %s", n, r.library), func() (bool, string) {
		got := map[string]bool{}
		for _, d := range deliveries(t, r.messages(t)) {
			got[d.ID] = true
		}
		return len(got) >= n, strconv.Itoa(len(got))
	})
}
