//go:build unix

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
)

// thief takes the lock of a directory, as another agent would, in the moment in which nobody has it.
type thief struct {
	t    *testing.T
	file *os.File
	got  chan error
}

func lurk(t *testing.T, dir string) *thief {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	th := &thief{t, file, make(chan error, 1)}
	go func() { th.got <- syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }()
	return th
}

// leave gives the lock back.
func (th *thief) leave() {
	th.t.Helper()
	if err := errors.Join(<-th.got, th.file.Close()); err != nil {
		th.t.Error(err)
	}
}

// TestReloadGoesOnWithoutADirectory: another process takes the directory of a buffer while a reload hands it over. The
// stream of before goes on with the secrets that it has by now. It delivers from memory meanwhile, says so, and has what
// waits in its directory once that is free again. No event is lost, and each counts once.
func TestReloadGoesOnWithoutADirectory(t *testing.T) {
	w := newWalls(t)
	dir := filepath.Join(t.TempDir(), "buffer")
	streams := func(workers int, token string) []map[string]any {
		return []map[string]any{
			w.stream("stays", nil),
			w.stream("wall", tree{"workers": workers, "headers": tree{"Token": token}, "buffer": tree{"type": "disk", "dir": dir, "max_size": "2MiB"}}),
		}
	}
	var log logtest.Log
	a, err := New(w.load(t, streams(1, "first")...), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	s := &streamed{a, w, t, sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})}
	counts := func() (one telemetry.StreamStats) {
		all := s.outlets.stats()
		return all[slices.IndexFunc(all, func(one telemetry.StreamStats) bool { return one.Name == "wall" })]
	}
	detail := func() string {
		all := s.outlets.views()
		return all[slices.IndexFunc(all, func(one status.Stream) bool { return one.Name == "wall" })].Detail
	}
	s.more("wall", 2)
	w.at("wall", func(v *visitsTo) { v.shut = true })
	s.reload(streams(1, "second")...) // what comes now waits
	await(t, "events that wait", func() bool { return counts().Buffered >= 4 })

	thief := lurk(t, dir)
	refused := func(workers int) bool {
		_, err := s.Reload(s.load(t, streams(workers, "last")...))
		if err != nil && !strings.Contains(err.Error(), `stream "wall": buffer `+dir+": another agent uses the directory") {
			t.Fatal(err)
		}
		return err != nil
	}
	workers, token, attempts := 1, "second", 1
	for late := time.Now().Add(patience); !refused(workers%4 + 1); attempts++ { // a reload can win the race
		if workers = workers%4 + 1; time.Now().After(late) {
			t.Skip("no other process gets the directory in between on this machine")
		}
		token = fmt.Sprint("later ", attempts)
		s.reload(streams(workers, token)...)
	}
	t.Logf("%d attempts", attempts)
	if !refused(workers%4 + 1) { // and now from the beginning
		t.Error("a reload got a directory of somebody else")
	}
	w.at("wall", func(v *visitsTo) { v.shut = false })
	s.more("wall", 3)
	s.more("stays", 2)
	if tokens := s.seen("wall").tokens; tokens[len(tokens)-1] != token {
		t.Errorf("tokens %q, want the last one to be %s", tokens[max(0, len(tokens)-5):], token)
	}
	await(t, "the trouble on the page", func() bool {
		return strings.Contains(detail(), "the directory of the buffer does not work, and events wait in memory: another agent uses the directory")
	})
	if one := counts(); one.BufferFailures["in_use"] == 0 {
		t.Errorf("failures %v", one.BufferFailures)
	}
	if !strings.Contains(log.String(), `msg="the spool does not work: events of the stream stay in memory" stream=wall`) {
		t.Error("the log does not say it")
	}

	thief.leave()
	await(t, "the directory", func() bool { return detail() == "" })
	s.reload(streams(workers%4+1, "last")...)
	s.more("wall", 3)
	s.stop()
	got := slices.Compact(slices.Sorted(slices.Values(s.seen("wall").ids)))
	for _, id := range s.seen("stays").ids {
		if !slices.Contains(got, id) {
			t.Errorf("event %s is missing", id)
		}
	}
	if one := counts(); one.Buffered != 0 || one.Received != one.Sent || one.Received != int64(len(got)) {
		t.Errorf("%d events came: %+v", len(got), one)
	}
}
