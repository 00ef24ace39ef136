package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
	"github.com/wsprobe/wsprobe/scheduler"
)

// TestNewsTellsWhatIsNew: a failure is a line, its repetition none, a recovery a line.
func TestNewsTellsWhatIsNew(t *testing.T) {
	var log bytes.Buffer
	tell := newsOf(slog.New(slog.NewTextHandler(&log, nil)))
	p := config.Probe{Name: "chat"}
	closed := probe.Result{Reason: reasons.ClosedEarly, ErrorType: reasons.CloseFrame, CloseCode: 1011}
	for _, r := range []probe.Result{{}, closed, closed, {Reason: reasons.OpenFailed, ErrorType: "http_503", HTTPStatus: 503}, {}, {}} {
		tell(p, r)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, want := range []string{"close_code=1011", "http_status=503", "probe recovered"} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d lacks %q in\n%s", i, want, log.String())
		}
	}
	if len(lines) != 3 {
		t.Errorf("got %d lines, want 3:\n%s", len(lines), log.String())
	}
}

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
		entry.Record(probe.Result{})
	}
	for range 5 {
		tellSkip(logger, "chat", scheduler.SkipOverlap, entry.Skip(1))
	}
	if got := strings.Count(log.String(), "max_concurrent"); got != 2 {
		t.Errorf("told %d times, want 2:\n%s", got, log.String())
	}
}
