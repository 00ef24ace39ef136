package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// readers are clients on libraries of others, each as the command that reads a URL.
var readers = map[string]func(t *testing.T, url, file string) *lab.Process{
	"ws": func(t *testing.T, url, file string) *lab.Process {
		node := need(t, "node", "nodejs")
		need(t, "npm", "npm")
		dir, err := nodeServers()
		if err != nil {
			missing(t, "%v", err)
		}
		return lab.Start(t, node, filepath.Join(dir, "read.mjs"), url, file)
	},
	"websockets": func(t *testing.T, url, file string) *lab.Process {
		return lab.Start(t, needPython(t, "websockets"), servers(t, "read.py"), url, file)
	},
	"benthos": func(t *testing.T, url, file string) *lab.Process {
		return lab.Start(t, built(t, receiverBinary), "read-benthos", url, file)
	},
}

// TestFeedReaders reads the stream of an agent by clients on libraries of others. Each is killed and goes on behind the
// last event that it wrote down. It has every event from its first one on, once, as the witness has them.
func TestFeedReaders(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	agent := startStreaming(t, lab.NewEndpoint(t).Many(20), w.stream())
	w.await(t, 40)
	for name, start := range readers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{library: name, file: filepath.Join(t.TempDir(), "read")}
			url := "ws://" + agent.listen + "/api/v1/stream"
			for i := range 3 {
				since := ""
				if i > 0 {
					got := r.feed(t)
					since = "?since=" + got[len(got)-1].ID
				}
				before := len(r.messages(t))
				r.process = start(t, url+since, r.file)
				lab.Eventually(t, serverLimit, "60 messages", func() (bool, string) {
					n := len(r.messages(t))
					return n >= before+60, r.process.Output()
				})
				r.process.Kill(t)
			}
			got := r.feed(t)
			last := got[len(got)-1]
			w.await(t, w.until(last.ID)+20) // the witness may be slower
			r.compare(t, w.events(), got)
		})
	}
}

// feed returns the events that a client was given, without the messages about the stream itself.
func (r *receiver) feed(t *testing.T) (all []streamEvent) {
	t.Helper()
	for _, m := range r.messages(t) {
		if !bytes.HasPrefix(m.text, []byte(`{"event":"stream.`)) {
			all = append(all, deliveries(t, []message{m})[0].streamEvent)
		}
	}
	return all
}

// until returns how many events the witness has up to one.
func (w *witness) until(id string) int {
	for i, e := range w.events() {
		if e.ID == id {
			return i + 1
		}
	}
	return 0
}

// compare wants a client to have each event of the witness once, from the first on that is no last event of a probe.
func (r *receiver) compare(t *testing.T, all, got []streamEvent) {
	t.Helper()
	const probes = 20
	seen := map[string]bool{}
	for _, e := range got {
		if seen[e.ID] {
			t.Errorf("%s came twice", e.ID)
		}
		seen[e.ID] = true
	}
	from, to := got[probes].ID, got[len(got)-1].ID // behind the last events of the probes
	missing := 0
	for _, e := range all {
		if e.ID > from && e.ID < to && !seen[e.ID] {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d events are missing", missing, len(got))
	}
	t.Logf("%d events, none missing, none twice", len(got))
}

// TestFeedDropsSlowReader reads more slowly than events come. The agent drops the client with 1013, and says so.
func TestFeedDropsSlowReader(t *testing.T) {
	t.Parallel()
	agent := startStreaming(t, lab.NewEndpoint(t).Many(200))
	conn := dialRaw(t, agent.listen+"/api/v1/stream")
	for began, messages := time.Now(), 0; ; messages++ {
		if time.Since(began) > time.Minute {
			t.Fatalf("still there after %d messages in a minute", messages)
		}
		op, payload, err := conn.read()
		if err != nil {
			t.Fatalf("after %d messages in %v: %v", messages, time.Since(began), err)
		}
		if op == ws.OpClose {
			code, reason := ws.ParseCloseFrameData(payload)
			t.Logf("dropped after %d messages in %v: %d %s", messages, time.Since(began), code, reason)
			if code != 1013 {
				t.Errorf("closed with %d, want 1013", code)
			}
			return
		}
		lab.Wait(t, 20*time.Millisecond)
	}
}

// TestFeedFilters asks a real client's questions: some probes only, what it must not ask, and who it must not be.
func TestFeedFilters(t *testing.T) {
	t.Parallel()
	probes := lab.NewEndpoint(t).Many(5)
	probes[3]["labels"] = map[string]string{"team": "core"}
	agent := startStreaming(t, probes)
	for query, want := range map[string]string{"?probe=p001&probe=p004": "p001 p004", "?label=team=core": "p003", "?probe=*2": "p002"} {
		r := &receiver{file: filepath.Join(t.TempDir(), "read")}
		reader := readers["ws"](t, "ws://"+agent.listen+"/api/v1/stream"+query, r.file)
		lab.Eventually(t, serverLimit, "six messages for "+query, func() (bool, string) {
			return len(r.messages(t)) >= 6, reader.Output()
		})
		for _, e := range r.feed(t) {
			if !strings.Contains(want, e.Probe) {
				t.Errorf("%s: an event of %s, want %s", query, e.Probe, want)
			}
		}
		reader.Kill(t)
	}
	for query, status := range map[string]int{"?prob=p001": 400, "?reason=bad": 400} {
		reader := readers["ws"](t, "ws://"+agent.listen+"/api/v1/stream"+query, filepath.Join(t.TempDir(), "read"))
		lab.Eventually(t, serverLimit, fmt.Sprintf("status %d for %s", status, query), func() (bool, string) {
			return strings.Contains(reader.Output(), fmt.Sprint(status)), reader.Output()
		})
	}
	var first struct{ Event string }
	r := &receiver{file: filepath.Join(t.TempDir(), "read")}
	readers["ws"](t, "ws://"+agent.listen+"/api/v1/stream?since=00000000-0000-7000-8000-000000000000", r.file)
	lab.Eventually(t, serverLimit, "a first message", func() (bool, string) { return len(r.messages(t)) > 0, "none" })
	if m := r.messages(t)[0]; json.Unmarshal(m.text, &first) != nil || !bytes.Contains(m.text, []byte(`"since":"unknown"`)) {
		t.Errorf("an unknown since is answered with %s", m.text)
	}
}
