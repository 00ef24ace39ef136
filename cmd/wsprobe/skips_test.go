package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/scheduler"
)

// TestStarvingProbeIsTold: one line when a probe has not come to run three times in a row, and not again before it has.
func TestStarvingProbeIsTold(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	var board status.Board
	entry := board.Add("chat", "ws://example.com/", probe.HandshakeLatency, 0)
	for range 2 {
		for range 5 {
			tellSkip(logger, "chat", scheduler.SkipMaxConcurrent, entry.Skip(1))
		}
		entry.Record(probe.Result{}, health.State{})
	}
	for range 5 {
		tellSkip(logger, "chat", scheduler.SkipOverlap, entry.Skip(1))
	}
	if got := strings.Count(log.String(), "max_concurrent"); got != 2 {
		t.Errorf("told %d times, want 2:\n%s", got, log.String())
	}
}
