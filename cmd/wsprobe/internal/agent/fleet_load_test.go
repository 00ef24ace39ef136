package agent

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// fleetLog is a log that knows which probes there are, and notes lines about others.
type fleetLog struct {
	slog.Handler
	mu    sync.Mutex
	there map[string]bool
	wrong []string
}

func (l *fleetLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *fleetLog) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "probe" && r.Message != "run skipped" && !l.there[a.Value.String()] {
			l.wrong = append(l.wrong, fmt.Sprint(r.Message, " ", a))
		}
		return true
	})
	return nil
}

func (l *fleetLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// set says which probes there are. Before some go, those that come are there already.
func (l *fleetLog) set(probes ...[]config.Probe) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.there = make(map[string]bool)
	for _, some := range probes {
		for _, p := range some {
			l.there[p.Name] = true
		}
	}
}

// worked is what the tests of Apply over the network have: an agent that runs, its endpoints and its back end.
type worked struct {
	*Agent
	endpoints *wstest.Server
	got       receiver.Inbox[receiver.Point]
	visited   chan struct{} // has a value when an endpoint had a visit
	failing   atomic.Bool   // exports are refused
	back      *receiver.Running
	end       func() error // stops the agent
	close     func()       // ends everything
}

// work starts an agent that has no probes yet, and exports every second.
func work(t *testing.T, log slog.Handler) *worked {
	t.Helper()
	w := &worked{visited: make(chan struct{}, 1)}
	script := wstest.ByPath(map[string]wstest.Script{
		"/echo": wstest.Echo, "/silent": wstest.Silent, "/refused": wstest.Refuse(403, "no\n"), "/deaf": deaf,
	})
	w.endpoints = wstest.Start(func(c *wstest.Conn) {
		select {
		case w.visited <- struct{}{}:
		default:
		}
		script(c)
	})
	var err error
	w.back, err = receiver.Start(&receiver.Receiver{Point: w.got.Add,
		Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
			if w.failing.Load() {
				return nil, status.Error(codes.Unavailable, "not now")
			}
			return nil, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	const file = `
agent: {listen: "127.0.0.1:0"}
otlp: {endpoint: "$OTLP", interval: 1s, end_markers: true}
probes: [{name: none, url: "ws://127.0.0.1:1/"}]
`
	cfg := loadFile(t, file, map[string]string{"OTLP": "http://" + w.back.Address})
	cfg.Probes = nil
	if w.Agent, err = New(cfg, Options{Log: slog.New(log)}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.end = sync.OnceValue(func() error { stop(); return <-ended })
	w.close = sync.OnceFunc(func() {
		_ = w.end()
		w.endpoints.Close()
		_ = w.back.Stop()
	})
	t.Cleanup(w.close)
	return w
}

// probes reads probes, of which each line is one.
func (w *worked) probes(t *testing.T, lines ...string) []config.Probe {
	t.Helper()
	text := strings.ReplaceAll("probes:\n  - "+strings.Join(lines, "\n  - "), "URL/", w.endpoints.URL)
	cfg, err := config.Parse("probes.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Probes
}

// awaitVisits returns when endpoints have had visits, n of them or a few more.
func (w *worked) awaitVisits(t *testing.T, n int) {
	t.Helper()
	late := time.After(patience)
	for range n {
		select {
		case <-w.visited:
		case <-late:
			t.Fatal("no probe runs any more")
		}
	}
}

// TestApplyUnderLoad: probes come, go and change while they run, while others read the pages, and while exports fail.
// One that stays keeps its sums, and of those that are gone there is no line, no row, and no point after their end.
func TestApplyUnderLoad(t *testing.T) {
	log := &fleetLog{}
	w := work(t, log)
	random := rand.New(rand.NewPCG(12, 6))
	line := func(i int) string {
		path := []string{"echo", "refused", "deaf", "silent"}[random.IntN(4)]
		const text = `{name: p-%d, url: "URL/%s", interval: 1s, timeout_ms: 900, labels: {team: t%d}}`
		return fmt.Sprintf(text, i, path, random.IntN(2))
	}
	const kept = `{name: kept, url: "URL/echo", interval: 1s, interpretation: round_trip_latency, send_message: hi}`
	reading, stopReading := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for _, path := range []string{"/", "/api/v1/probes", "/metrics"} {
		readers.Go(func() {
			for reading.Err() == nil {
				if resp, err := http.Get("http://" + w.ListenAddress() + path); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}
		})
	}
	lines := make(map[int]string)
	var before []config.Probe
	for round := range 60 {
		w.failing.Store(round%20 > 12)
		for i := range 30 {
			switch random.IntN(8) {
			case 0:
				delete(lines, i)
			case 1, 2:
				lines[i] = line(i)
			}
		}
		all := []string{kept}
		for _, line := range lines {
			all = append(all, line)
		}
		next := w.probes(t, all...)
		log.set(before, next)
		if err := w.Apply(next); err != nil {
			t.Fatal(err)
		}
		log.set(next)
		if rows := rowsOf(t, w.Agent); len(rows) != len(next) || rows[1] != next[1].Name {
			t.Errorf("round %d: rows %q", round, rows)
		}
		before = next
		w.awaitVisits(t, random.IntN(8))
	}
	last := w.probes(t, kept)
	if err := w.Apply(last); err != nil {
		t.Fatal(err)
	}
	log.set(last)
	stopReading()
	readers.Wait()
	w.failing.Store(false)
	n := len(w.got.Where(receiver.Of("wsprobe.runs", "kept")))
	awaitPoints(t, &w.got, n+3, "wsprobe.runs", "kept")
	if err := w.end(); err != nil {
		t.Error(err)
	}
	for _, line := range log.wrong {
		t.Errorf("a line about a probe that is gone: %s", line)
	}
	checkKept(t, w.got.Where(func(p receiver.Point) bool { return p.Attributes["wsprobe.name"] == "kept" }))
	checkEnded(t, w.got.Where(func(p receiver.Point) bool {
		name, _ := p.Attributes["wsprobe.name"].(string)
		return strings.HasPrefix(name, "p-")
	}))
}

// checkEnded wants the last point of every series to be the end of it.
func checkEnded(t *testing.T, points []receiver.Point) {
	t.Helper()
	last := make(map[string]receiver.Point)
	for _, p := range points {
		last[seriesOf(p)] = p
	}
	if len(last) < 100 {
		t.Errorf("%d series", len(last))
	}
	for series, p := range last {
		if !p.NoValue {
			t.Errorf("%s does not end", series)
		}
	}
}

// TestApplyWhileItStops: changes from all sides, a stop in the middle of them, and all of them return. The memory of
// the process then has the bounds of before.
func TestApplyWhileItStops(t *testing.T) {
	limit := debug.SetMemoryLimit(-1)
	for range 5 {
		before := runtime.NumGoroutine()
		w := work(t, slog.DiscardHandler)
		var lines []string
		for i := range 50 {
			lines = append(lines, fmt.Sprintf(`{name: p-%d, url: "URL/echo", interval: 1s}`, i))
		}
		all := w.probes(t, lines...)
		var appliers sync.WaitGroup
		for i := range 4 {
			appliers.Go(func() {
				for n := range 50 {
					if err := w.Apply(all[i*n%50:]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		if err := w.end(); err != nil {
			t.Error(err)
		}
		appliers.Wait()
		w.close()
		if now := debug.SetMemoryLimit(-1); now != limit {
			t.Errorf("a limit of %d after the end, %d before", now, limit)
		}
		noGoroutineLeft(t, before)
	}
}

// TestApplyWithARunThatIsOver: the outcome of a run can be fixed when its probe has just left. It does not hold the
// exports of the heir that goes on with its series, and of all others.
func TestApplyWithARunThatIsOver(t *testing.T) {
	w := work(t, slog.DiscardHandler)
	const kept, old = `{name: kept, url: "URL/echo", interval: 1s}`, `{name: old, url: "URL/echo", interval: 1h}`
	apply := func(lines ...string) {
		t.Helper()
		if err := w.Apply(w.probes(t, lines...)); err != nil {
			t.Fatal(err)
		}
	}
	apply(kept, old)
	awaitPoints(t, &w.got, 1, "wsprobe.success", "old")
	left := w.fleet.current()["old"]
	apply(kept, strings.Replace(old, "1h", "2h", 1))
	heir := w.fleet.current()["old"]
	if left == heir || left.series != heir.series {
		t.Fatal("the heir does not go on with the series")
	}
	awaitPoints(t, &w.got, 2, "wsprobe.success", "old") // the heir's first run, and its last for two hours
	left.fix(time.Now())
	n := len(w.got.Where(receiver.Of("wsprobe.success", "kept")))
	awaitPoints(t, &w.got, n+3, "wsprobe.success", "kept")
	heir.fix(time.Now())
	left.abandon()
	heir.abandon()
}

// TestApplyFollowsMemory: the limit of the memory is that for the probes of now.
func TestApplyFollowsMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "") // which would have precedence
	w := work(t, slog.DiscardHandler)
	awaitReadiness(t, w.Agent, func(err error) bool { return err == nil || err.Error() != "not probing" })
	for _, size := range []int{1, 300, 2} {
		lines := make([]string, size)
		for i := range lines {
			lines[i] = fmt.Sprintf(`{name: p-%d, url: "URL/echo", interval: 1h, max_message_bytes: 2097152}`, i)
		}
		probes := w.probes(t, lines...)
		if err := w.Apply(probes); err != nil {
			t.Fatal(err)
		}
		if got, want := debug.SetMemoryLimit(-1), memoryLimit(config.DemandOf(probes...), w.config()); got != want {
			t.Errorf("a limit of %d for %d probes, want %d", got, size, want)
		}
	}
}

// changes is how often TestApplyLeavesMemory changes its probes. A thousand take a minute on an idle machine.
var changes = flag.Int("changes", 50, "how often to change a thousand probes")

// TestApplyLeavesMemory: many changes of 1,000 probes leave memory where it was.
func TestApplyLeavesMemory(t *testing.T) {
	w := work(t, slog.DiscardHandler)
	const keptLine = `{name: kept, url: "URL/echo", interval: 1s}`
	fleets := make([][]config.Probe, 3)
	for f := range fleets {
		lines := []string{keptLine}
		for i := range 1000 { // of three, one gets other names, one has other digests, and one other labels
			name, timeout, team := fmt.Sprint("p-", i), 5000, "web"
			switch i % 3 {
			case 1:
				timeout += f
			case 2:
				team = fmt.Sprint("team-", f)
			}
			// Nobody listens there, so that a run takes little.
			const text = `{name: %s, url: "ws://127.0.0.1:1/", interval: 1h, timeout_ms: %d, labels: {team: %s}}`
			lines = append(lines, fmt.Sprintf(text, name, timeout, team))
		}
		fleets[f] = w.probes(t, lines...)
	}
	kept, renamed := w.probes(t, keptLine), 0
	change := func(n int) {
		for i := range n {
			next := fleets[i%len(fleets)]
			for k := 1; k < len(next); k += 3 {
				next[k].Name = fmt.Sprintf("p-%d-%d", k, renamed)
			}
			renamed++
			if err := w.Apply(next); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Apply(kept); err != nil {
			t.Fatal(err)
		}
	}
	// settled returns what is in use once all that has gone has ended, with the next collections.
	settled := func() int64 {
		w.got.Clear()
		awaitPoints(t, &w.got, 3, "wsprobe.runs", "kept")
		w.got.Clear()
		return int64(heapInUse())
	}
	change(*changes / 5)
	before := settled()
	change(*changes)
	after := settled()
	for late := time.Now().Add(patience); after-before > 4<<20 && time.Now().Before(late); {
		after = settled() // runs that were under way have ended meanwhile
	}
	if after-before > 4<<20 {
		t.Errorf("%d KiB before, %d KiB after %d changes", before>>10, after>>10, *changes)
	}
}

// heapInUse is how much memory the values take that are reachable, in bytes.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
