package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// door is an endpoint that can be away. It keeps the events that it is sent, whether a message has one, an array, or a
// line for each.
type door struct {
	away   atomic.Bool
	mu     sync.Mutex
	events []passed
}

// passed is an event that came.
type passed struct {
	ID, Probe string
	Replay    int
}

func (d *door) serve(c *wstest.Conn) {
	if d.away.Load() {
		c.Refuse(503, "later")
		return
	}
	c.Accept()
	for {
		switch f := c.Read(); f.Opcode {
		case wstest.OpText:
			d.pass(f.Payload)
		case wstest.OpPing:
			c.Send(wstest.Pong(f.Payload))
		case wstest.OpClose:
			c.Send(f)
			return
		}
	}
}

func (d *door) pass(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for decoder := json.NewDecoder(strings.NewReader(text)); decoder.More(); {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			d.events = append(d.events, passed{ID: fmt.Sprint(err, ": ", text)})
			return
		}
		var batch []passed
		if json.Unmarshal(raw, &batch) != nil {
			batch = make([]passed, 1)
			_ = json.Unmarshal(raw, &batch[0])
		}
		d.events = append(d.events, batch...)
	}
}

// first returns the events of each probe in the order in which they came first.
func (d *door) first() map[string][]passed {
	d.mu.Lock()
	defer d.mu.Unlock()
	all, known := make(map[string][]passed), make(map[string]bool)
	for _, e := range d.events {
		if !known[e.ID] {
			known[e.ID] = true
			all[e.Probe] = append(all[e.Probe], e)
		}
	}
	return all
}

// life runs an agent of 40 probes until its stream "wall" is as it should be, and returns the last numbers of that stream.
func life(t *testing.T, url, change string, is func(s telemetry.StreamStats) bool) telemetry.StreamStats {
	t.Helper()
	text := `
otlp: {protocol: none}
agent: {listen: ""}
streams:
  - {name: witness, url: "$URL/witness"}
  - {name: wall, url: "$URL/wall", reconnect: {min: 100ms, max: 1s}, ` + change + `}
probes:
`
	for i := range 40 {
		text += fmt.Sprintf("  - {name: p%d, url: \"$URL/refused\", interval: 1s, timeout_ms: 1000}\n", i)
	}
	agent, err := New(loadFile(t, text, map[string]string{"URL": strings.TrimSuffix(url, "/")}),
		Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	await(t, "the right numbers", func() bool { return is(agent.outlets.stats()[1]) })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	return agent.outlets.stats()[1]
}

// TestBacklogOutlivesTheConfiguration leaves events on disk, and starts with another configuration. All of them arrive,
// in order for each probe, but for those that are counted.
func TestBacklogOutlivesTheConfiguration(t *testing.T) {
	const disk = `buffer: {type: disk, dir: "$DIR"%s}, drain: 1s, `
	for _, c := range []struct {
		name, before, after string
		most                int  // so many events of the first life arrive, or fewer; 0 for all
		oldest              bool // of these, the first one is among them
	}{
		{"more workers", fmt.Sprintf(disk, "") + "workers: 2", fmt.Sprintf(disk, "") + "workers: 5", 0, true},
		{"fewer workers", fmt.Sprintf(disk, "") + "workers: 8", fmt.Sprintf(disk, ""), 0, true},
		{"another encoding", fmt.Sprintf(disk, ""), fmt.Sprintf(disk, "") + "encoding: {codec: json_lines}, batch: {max_events: 50}", 0, true},
		{"batches", fmt.Sprintf(disk, "") + "batch: {max_events: 100}", fmt.Sprintf(disk, "") + "encoding: {static: {team: x}}", 0, true},
		{"other acknowledgements", fmt.Sprintf(disk, "") + "acknowledgements: message", fmt.Sprintf(disk, "") + "acknowledgements: written", 0, true},
		{"a smaller buffer that keeps the newest", fmt.Sprintf(disk, ""), fmt.Sprintf(disk, ", max_events: 20"), 20, false},
		{"a smaller buffer that keeps the oldest", fmt.Sprintf(disk, ""), fmt.Sprintf(disk, ", max_events: 20, when_full: drop_newest"), 20, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var wall, witness door
			endpoints := wstest.Start(wstest.ByPath(map[string]wstest.Script{
				"/wall": wall.serve, "/witness": witness.serve, "/refused": wstest.Refuse(403, "no\n"),
			}))
			defer endpoints.Close()
			dir := filepath.Join(t.TempDir(), "spool")
			at := strings.NewReplacer("$DIR", dir)

			wall.away.Store(true)
			first := life(t, endpoints.URL, at.Replace(c.before), func(s telemetry.StreamStats) bool { return s.Buffered >= 50 })
			if first.Buffered < 50 || int64(first.Buffered) != first.Received || first.Sent != 0 {
				t.Fatalf("the first life ended with %+v", first)
			}
			wall.away.Store(false)
			last := life(t, endpoints.URL, at.Replace(c.after), func(s telemetry.StreamStats) bool {
				return s.Received >= int64(first.Buffered)+40 && s.Buffered == 0
			})
			given := int64(0)
			for _, n := range last.Discarded {
				given += n
			}
			if last.Received != last.Sent+given || c.most == 0 && given > 0 {
				t.Errorf("the second life ended with %+v", last)
			}
			compareDoors(t, &wall, &witness, int(given), first.Buffered, c.most)
			if oldest := slices.ContainsFunc(slices.Concat(slices.Collect(maps.Values(wall.first()))...), func(e passed) bool {
				return e.ID == witness.events[0].ID
			}); oldest != c.oldest {
				t.Errorf("the oldest event arrived: %v, want %v", oldest, c.oldest)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.batch")); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// compareDoors holds that a wall has what a witness has, but for the events that were given up.
func compareDoors(t *testing.T, wall, witness *door, given, waited, most int) {
	t.Helper()
	walls, witnesses := wall.first(), witness.first()
	missing, early := 0, 0
	for probe, all := range witnesses {
		rest := walls[probe]
		for _, e := range all {
			if len(rest) > 0 && rest[0].ID == e.ID {
				early += min(rest[0].Replay, 1)
				rest = rest[1:]
			} else {
				missing++
			}
		}
		if len(rest) > 0 {
			t.Errorf("%s: %v came out of order, or twice", probe, rest)
		}
	}
	if missing != given || most == 0 && early != waited || most > 0 && early > most {
		t.Errorf("%d events are missing and %d were given up; %d of the first life came, of %d or at most %d",
			missing, given, early, waited, most)
	}
}

// TestDirectoryOfTwoStreams holds that no two buffers use one directory.
func TestDirectoryOfTwoStreams(t *testing.T) {
	dir := t.TempDir()
	text := `
agent: {listen: ""}
streams: [{url: "ws://localhost/x", buffer: {type: disk, dir: "` + dir + `"}}]
probes: [{name: p, url: "ws://localhost/"}]
`
	options := Options{Version: "v0", Log: slog.New(slog.DiscardHandler)}
	first, err := New(loadFile(t, text, nil), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(loadFile(t, text, nil), options); err == nil || !strings.Contains(err.Error(), "another agent uses the directory") {
		t.Errorf("the second agent: %v", err)
	}
	if err := first.outlets.abandon(); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}
