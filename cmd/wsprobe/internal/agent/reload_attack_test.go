package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// mixed is a configuration that differs from others by a number in everything that a reload changes.
func (w *walls) mixed(t *testing.T, n int, dir string) config.Config {
	t.Helper()
	probes := []any{map[string]any{"name": "kept", "url": w.URL + "echo", "interval": "1s"}}
	for i := range 5 {
		probes = append(probes, map[string]any{"name": fmt.Sprint("probe-", (n+i)%7), "url": w.URL + "echo", "interval": "1s", "labels": tree{"n": fmt.Sprint(n % 2)}})
	}
	probes = append(probes, map[string]any{"name": "held", "url": w.URL + "echo", "interval": "1s", "session": tree{"max_lifetime": fmt.Sprint(60+n%2, "s")}})
	streams := []any{w.stream("stays", nil), w.stream(fmt.Sprint("other-", n%3), tree{"workers": 1 + n%2})}
	if dir != "" {
		streams = append(streams, w.stream("disk", tree{"workers": 1 + n%2, "buffer": tree{"type": "disk", "dir": dir}}))
	}
	return loadTree(t, tree{
		"agent.listen": "127.0.0.1:0", "agent.max_concurrent": 5 + n%3, "agent.url": fmt.Sprintf("https://%d.example.com/", n%2),
		"otlp.endpoint": fmt.Sprintf("http://127.0.0.1:%d", 1+n%2), "otlp.protocol": []string{"grpc", "http/protobuf"}[n/2%2], "otlp.interval": fmt.Sprint(1+n%2, "s"),
		"otlp.timeout": "1s", "otlp.traces": true, "otlp.trace_ratio": float64(n%2) / 2,
		"probes": probes, "streams": streams,
	})
}

// TestReloadsAtTheSameTime: reloads and Applies of several goroutines end in the configuration of the last one. They
// leave no goroutine and no open file, the stream that stays has each event once, and probes that stay keep their runs.
func TestReloadsAtTheSameTime(t *testing.T) {
	before, files := runtime.NumGoroutine(), openFiles()
	w := newWalls(t)
	dir := filepath.Join(t.TempDir(), "buffer")
	configs := make([]config.Config, 6)
	for i := range configs {
		configs[i] = w.mixed(t, i, dir)
	}
	a, err := New(configs[0], Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reload(configs[1]); err != nil { // also before it runs
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	await(t, "events", func() bool { return len(w.seen("stays").ids) > 0 })
	kept := a.fleet.current()["kept"]
	var all sync.WaitGroup
	for g := range 3 {
		all.Go(func() {
			for i := range 34 {
				if restart, err := a.Reload(configs[(g+i)%len(configs)]); err != nil || len(restart) > 0 {
					t.Errorf("restart %q, %v", restart, err)
				}
			}
		})
	}
	all.Go(func() {
		for i := range 34 {
			if err := a.Apply(configs[i%len(configs)].Probes); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	for _, last := range configs {
		if _, err := a.Reload(last); err != nil {
			t.Fatal(err)
		}
		var probes, streams []string
		for name := range a.fleet.current() {
			probes = append(probes, name)
		}
		for _, one := range a.outlets.current() {
			streams = append(streams, one.Name)
		}
		if want := last; shown(a.config()) != shown(&want) || len(probes) != 7 || streams[1] != want.Streams[1].Name || len(streams) != 3 {
			t.Errorf("probes %q, streams %q", probes, streams)
		}
	}
	if a.fleet.current()["kept"] != kept {
		t.Error("a probe that stays began anew")
	}
	seen := len(w.seen("stays").ids)
	await(t, "more events", func() bool { return len(w.seen("stays").ids) > seen && len(w.seen("disk").ids) > 0 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	stays := w.seen("stays")
	if ids := slices.Compact(slices.Sorted(slices.Values(stays.ids))); len(ids) != len(stays.ids) || len(stays.tokens) != 1 {
		t.Errorf("%d events, %d of them once, over %d connections", len(stays.ids), len(ids), len(stays.tokens))
	}
	w.Close()
	noGoroutineLeft(t, before)
	await(t, "no open file is left", func() bool { return openFiles() <= files })
}

// openFiles is how many files this process has open, 0 where the system does not tell.
func openFiles() int {
	all, _ := os.ReadDir("/proc/self/fd")
	return len(all)
}

// TestReloadWhileStopping: a reload that comes during the stop, or after it, does no harm, whatever it does.
func TestReloadWhileStopping(t *testing.T) {
	before := runtime.NumGoroutine()
	w := newWalls(t)
	dir := filepath.Join(t.TempDir(), "buffer")
	one, two := w.mixed(t, 1, dir), w.mixed(t, 2, dir)
	for i := range 5 {
		a, err := New(one, Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		await(t, "a connection", func() bool { return len(w.seen("stays").tokens) > i })
		var reloading sync.WaitGroup
		reloading.Go(func() {
			for _, cfg := range []config.Config{two, one, two, one} {
				_, _ = a.Reload(cfg)
			}
		})
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		reloading.Wait()
		_, _ = a.Reload(two)
	}
	w.Close()
	noGoroutineLeft(t, before)
}

// TestReloadIsAllOrNothing: a configuration of which one thing cannot be had changes nothing, and gives back what it took.
func TestReloadIsAllOrNothing(t *testing.T) {
	w := newWalls(t)
	dir, taken, free := filepath.Join(t.TempDir(), "own"), filepath.Join(t.TempDir(), "taken"), filepath.Join(t.TempDir(), "free")
	other := idle(t, w.load(t, w.stream("other", tree{"buffer": tree{"type": "disk", "dir": taken}})))
	disk := w.stream("disk", tree{"buffer": tree{"type": "disk", "dir": dir}})
	s := streaming(t, w, w.stream("stays", nil), disk)
	s.more("disk", 1)
	refuse := func(what, want string, cfg config.Config) {
		t.Helper()
		was, probes := shown(s.config()), len(s.fleet.current())
		_, err := s.Reload(cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
		if shown(s.config()) != was || len(s.fleet.current()) != probes || len(s.outlets.current()) != 2 {
			t.Errorf("%s: something has changed", what)
		}
	}
	more := w.load(t, w.stream("stays", nil), w.stream("disk", tree{"buffer": tree{"type": "disk", "dir": free}}), w.stream("more", tree{"buffer": tree{"type": "disk", "dir": taken}}))
	more.Agent.MaxConcurrent = 3
	refuse("a directory that another process has", `stream "more": buffer`, more)
	held := w.mixed(t, 1, "")
	held.Agent.MaxSessions = 0
	held.Agent.MaxConcurrent = 1 << 40
	refuse("more files than there can be", "open files", held)

	// The same, if it is found out last: the stream of before goes on in its directory.
	plan, err := s.outlets.plan(w.load(t, w.stream("stays", nil), w.stream("disk", tree{"workers": 2, "buffer": tree{"type": "disk", "dir": dir}})).Streams)
	if err != nil {
		t.Fatal(err)
	}
	plan.next[1].options.Buffer.Dir = taken
	if err := s.outlets.handOver(plan); err == nil || !strings.Contains(err.Error(), taken) {
		t.Error(err)
	}
	s.more("disk", 2)
	if err := other.outlets.abandon(); err != nil {
		t.Error(err)
	}
	s.reload(w.stream("stays", nil), w.stream("disk", tree{"buffer": tree{"type": "disk", "dir": free}}))
	s.reload(w.stream("stays", nil), w.stream("disk", tree{"buffer": tree{"type": "disk", "dir": taken}}))
	s.more("disk", 1)
	s.stop()
	for _, id := range s.seen("stays").ids {
		if !slices.Contains(s.seen("disk").ids, id) {
			t.Errorf("event %s is missing", id)
		}
	}
}
