package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/scheduler"
)

// TestStarvingProbesAreTold: one line when a probe has not come to run three times in a row, not again before it has, and
// never one for each probe.
func TestStarvingProbesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		skips := &skipLog{log: slog.New(slog.NewTextHandler(&log, nil))}
		var board status.Board
		starve := func(name string, cause scheduler.Skip) {
			entry := board.Add(name, "ws://example.com/", probe.HandshakeLatency, 0)
			entry.Record(probe.Result{}, health.State{})
			for range 5 {
				skips.skipped(name, cause, entry.Skip(1))
			}
		}
		told := func(want string) {
			t.Helper()
			if got := log.String(); strings.Count(got, "max_concurrent") != 1 || !strings.Contains(got, want) {
				t.Errorf("told\n%swant one line with %q", got, want)
			}
			log.Reset()
		}
		starve("market", scheduler.SkipOverlap)
		starve("chat", scheduler.SkipMaxConcurrent)
		starve("orders", scheduler.SkipMaxConcurrent)
		told("probes=1 last=chat")
		time.Sleep(starvingPause + 1)
		starve("prices", scheduler.SkipMaxConcurrent)
		starve("prices", scheduler.SkipMaxConcurrent)
		told("probes=2 last=prices")
	})
}
