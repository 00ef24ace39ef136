package buffer

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
)

// event returns an item of the lane "a", or of the lane before a slash in its id.
func event(id string) Item {
	lane := "a"
	if name, _, ok := strings.Cut(id, "/"); ok {
		lane = name
	}
	return Item{ID: id, Lane: lane, At: time.Now(), Encoding: "json", Text: []byte(strings.Repeat("x", 44)), Slot: 7}
}

// size is what such an item costs, if its id has one letter.
const size = 44 + 1 + 1 + overhead

// write is a Write of a spool that does not wait for a real disk.
func write(name string, content []byte) error { return os.WriteFile(name, content, 0o600) }

// rig is a Buffer whose Run is under way.
type rig struct {
	*Buffer
	t     *testing.T
	stop  context.CancelFunc
	ended chan struct{}
	log   *logtest.Log

	killed bool
}

// start opens a Buffer and runs it. What a test changes before is done by set.
func start(t *testing.T, o Options, set ...func(b *Buffer)) *rig {
	t.Helper()
	r := &rig{t: t, ended: make(chan struct{}), log: new(logtest.Log)}
	o.Log = slog.New(slog.NewTextHandler(r.log, nil))
	r.Buffer = newBuffer(o)
	if r.store != nil {
		r.store.Dir.Write = write
	}
	for _, f := range set {
		f(r.Buffer)
	}
	if r.store != nil {
		if err := r.take(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if r.stop(); !r.killed {
			r.close()
		}
	})
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() {
		defer close(r.ended)
		r.Run(ctx)
	}()
	return r
}

// add adds items.
func (r *rig) add(ids ...string) {
	for _, id := range ids {
		r.Add(event(id))
	}
	check(r.t, r.Buffer)
}

// next returns what Next hands out before a while is over, as texts with the sends.
func (r *rig) next(lane int, most Batch) ([]*Item, string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	items, err := r.Next(ctx, lane, most, 0)
	check(r.t, r.Buffer)
	if err != nil {
		return nil, err.Error()
	}
	return items, ids(items)
}

// ids are the ids of items, with the number of sends if there were any.
func ids(items []*Item) string {
	var all []string
	for _, it := range items {
		text := it.ID
		if it.Sends > 0 {
			text += fmt.Sprint("+", it.Sends)
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// hands holds which items a lane hands out next, all of them, and accepts them.
func (r *rig) hands(lane int, want string) {
	r.t.Helper()
	items, got := r.next(lane, Batch{})
	if got != want {
		r.t.Fatalf("lane %d: %q, want %q\n%s", lane, got, want, r.log)
	}
	r.Accept(items...)
	check(r.t, r.Buffer)
}

// counts holds what is counted, as a text: the events that wait, the accepted ones, and the discarded ones by cause.
func (r *rig) counts(want string) {
	r.t.Helper()
	c := sum(r.t, r.Buffer)
	got := []string{fmt.Sprint(c.Size.Events, " wait")}
	if c.Accepted > 0 {
		got = append(got, fmt.Sprint(c.Accepted, " accepted"))
	}
	for cause, n := range c.Discarded {
		if n > 0 {
			got = append(got, fmt.Sprint(n, " ", cause))
		}
	}
	slices.Sort(got[1:])
	if text := strings.Join(got, ", "); text != want {
		r.t.Fatalf("%s; want %s\n%s", text, want, r.log)
	}
}

// end ends Run, as a stop and a kill do.
func (r *rig) end() {
	r.stop()
	<-r.ended
}

// close ends the Buffer in order.
func (r *rig) close() {
	r.t.Helper()
	r.end()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// kill ends the Buffer as a kill of its process does.
func (r *rig) kill() {
	r.end()
	r.killed = true
	_ = r.store.Dir.Close()
}

// files are the names of the batches in a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.batch"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// await returns once something is true. Only something that hangs reaches its bound.
func await(t *testing.T, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(3 * time.Minute); !is(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it never became true")
		}
	}
}
