package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// walls are endpoints of streams, by their paths.
type walls struct {
	*wstest.Server
	mu   sync.Mutex
	open map[string]*visitsTo
}

// visitsTo is what came to one of them.
type visitsTo struct {
	shut   bool // refuses to open
	mute   bool // proves nothing
	tokens []string
	ids    []string // of events, in order
	closes []string // the codes of close frames, as texts
}

func newWalls(t *testing.T) *walls {
	t.Helper()
	w := &walls{open: make(map[string]*visitsTo)}
	w.Server = wstest.Start(w.serve)
	t.Cleanup(w.Close)
	return w
}

// at does something with what came to a path.
func (w *walls) at(path string, do func(v *visitsTo)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open[path] == nil {
		w.open[path] = &visitsTo{}
	}
	do(w.open[path])
}

// seen returns what came to a path.
func (w *walls) seen(path string) (v visitsTo) {
	w.at(path, func(now *visitsTo) {
		v = *now
		v.ids, v.closes, v.tokens = slices.Clone(now.ids), slices.Clone(now.closes), slices.Clone(now.tokens)
	})
	return v
}

func (w *walls) serve(c *wstest.Conn) {
	r := c.Request()
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "echo" {
		wstest.Echo(c)
		return
	}
	shut := false
	w.at(path, func(v *visitsTo) {
		v.tokens = append(v.tokens, r.Header.Get("Token"))
		shut = v.shut
	})
	if shut {
		c.Refuse(503, "")
		return
	}
	c.Accept()
	for {
		f := c.Read()
		mute := false
		w.at(path, func(v *visitsTo) {
			mute = v.mute
			switch f.Opcode {
			case wstest.OpText:
				var e happening
				_ = json.Unmarshal([]byte(f.Payload), &e)
				v.ids = append(v.ids, e.ID)
			case wstest.OpClose:
				v.closes = append(v.closes, f.Payload[:2])
			}
		})
		switch {
		case f.Opcode == wstest.OpPing && !mute:
			c.Send(wstest.Pong(f.Payload))
		case f.Opcode == wstest.OpClose:
			c.Send(f)
			return
		}
	}
}

// streamed is an agent whose streams change.
type streamed struct {
	*Agent
	*walls
	t    *testing.T
	stop func()
}

// stream is one of a configuration, with the fields of a tree.
func (w *walls) stream(name string, more tree) map[string]any {
	all := map[string]any{"name": name, "url": w.URL + name, "reconnect": tree{"min": "100ms", "max": "100ms"}}
	maps.Copy(all, more)
	return all
}

// load loads a configuration with some streams.
func (w *walls) load(t *testing.T, streams ...map[string]any) config.Config {
	t.Helper()
	f := tree{"agent.listen": "", "otlp.protocol": "none", "probes": []any{
		map[string]any{"name": "one", "url": w.URL + "echo", "interval": "1s"},
		map[string]any{"name": "two", "url": w.URL + "echo", "interval": "1s"},
	}}
	if len(streams) == 0 {
		f["agent.listen"] = "127.0.0.1:0" // somebody must see the results
	} else {
		f["streams"] = streams
	}
	return loadTree(t, f)
}

// streaming runs an agent with these streams.
func streaming(t *testing.T, w *walls, streams ...map[string]any) *streamed {
	t.Helper()
	a, err := New(w.load(t, streams...), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return &streamed{a, w, t, sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})}
}

func (s *streamed) reload(streams ...map[string]any) {
	s.t.Helper()
	if restart, err := s.Reload(s.load(s.t, streams...)); err != nil || len(restart) > 0 {
		s.t.Fatalf("restart %q, %v", restart, err)
	}
}

// more waits for so many more events at a wall.
func (s *streamed) more(path string, n int) {
	s.t.Helper()
	before := len(s.seen(path).ids)
	await(s.t, "more events at "+path, func() bool { return len(s.seen(path).ids) >= before+n })
}

const goingAway = "\x03\xe9"

// TestReloadStreams: streams come, go and change while another one stays, which loses no event, has none twice and keeps
// its connection.
func TestReloadStreams(t *testing.T) {
	before := runtime.NumGoroutine()
	w := newWalls(t)
	stays := w.stream("stays", nil)
	s := streaming(t, w, stays, w.stream("goes", nil))
	s.more("goes", 2)
	s.reload(stays)
	await(t, "the end of a stream that is gone", func() bool { return len(s.seen("goes").closes) == 1 })
	s.reload(stays, w.stream("comes", nil))
	s.more("comes", 2)
	s.reload(w.stream("comes", tree{"url": w.URL + "moved"}), stays)
	s.more("moved", 2)
	for range 50 {
		s.reload(stays, w.stream("moved", nil))
		s.reload(w.stream("moved", tree{"workers": 2}), stays)
	}
	s.more("moved", 2)
	s.stop()
	all := s.seen("stays")
	if len(all.tokens) != 1 || !slices.Equal(all.closes, []string{goingAway}) {
		t.Errorf("%d connections of the stream that stays, ended by %q", len(all.tokens), all.closes)
	}
	if ids := slices.Compact(slices.Sorted(slices.Values(all.ids))); len(ids) != len(all.ids) || len(ids) < 8 {
		t.Errorf("%d events, %d of them once", len(all.ids), len(ids))
	}
	for _, one := range s.outlets.stats() {
		if one.Name == "stays" && (one.Received != int64(len(all.ids)) || one.Sent != one.Received || one.Established != 1) {
			t.Errorf("%+v, want %d events", one, len(all.ids))
		}
	}
	// What moved is with either endpoint, from the first event at the new stream to the last.
	moved := append(s.seen("comes").ids, s.seen("moved").ids...)
	first := slices.Index(all.ids, moved[0])
	if first < 0 {
		t.Fatal("an event that the other stream has not")
	}
	for _, id := range all.ids[first:] {
		if !slices.Contains(moved, id) {
			t.Errorf("event %s is missing", id)
		}
	}
	if !slices.Equal(s.seen("goes").closes, []string{goingAway}) {
		t.Errorf("the stream that is gone ended by %q", s.seen("goes").closes)
	}
	w.Close()
	noGoroutineLeft(t, before)
}

// TestReloadTakesABufferOver: a stream that begins in the directory of one that ends delivers what waits there, also of
// the moment between.
func TestReloadTakesABufferOver(t *testing.T) {
	for name, after := range map[string]tree{
		"more workers": {"workers": 3}, "smaller bounds": {"bound": "1MiB"}, "another name": {"name": "heir"}, "another endpoint": {"path": "other"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalls(t)
			dir := filepath.Join(t.TempDir(), "buffer")
			stream := func(more tree) map[string]any {
				all := w.stream("wall", tree{"buffer": tree{"type": "disk", "dir": dir, "max_size": "2MiB"}})
				maps.Copy(all, more)
				if bound, ok := more["bound"]; ok {
					delete(all, "bound")
					all["buffer"] = tree{"type": "disk", "dir": dir, "max_size": bound}
				}
				if path, ok := more["path"]; ok {
					delete(all, "path")
					all["url"] = w.URL + path.(string)
				}
				return all
			}
			stays := w.stream("stays", nil)
			w.at("wall", func(v *visitsTo) { v.shut = true })
			w.at("other", func(v *visitsTo) { v.shut = true })
			s := streaming(t, w, stays, stream(nil))
			s.more("stays", 4)
			s.reload(stays, stream(after))
			s.more("stays", 3)
			s.reload(stays, stream(nil)) // and back
			s.more("stays", 3)
			w.at("wall", func(v *visitsTo) { v.shut = false })
			s.more("wall", 10)
			s.stop()
			want, got := s.seen("stays").ids, slices.Compact(slices.Sorted(slices.Values(s.seen("wall").ids)))
			for _, id := range want {
				if !slices.Contains(got, id) {
					t.Errorf("event %s is missing", id)
				}
			}
			for _, one := range s.outlets.stats() {
				if one.Buffered != 0 || name != "another name" && one.Received != one.Sent {
					t.Errorf("%+v", one)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 1 {
				t.Errorf("%d files are left, %v", len(left), err)
			}
		})
	}
}
