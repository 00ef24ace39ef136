package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Health says whether telemetry gets through.
type Health struct {
	// OK says that the last export was accepted, or that none was due yet.
	OK bool
	// Since is when it became so; zero before the first export.
	Since time.Time
	// Detail is what the last export that failed met, for people. It is redacted, and empty if OK.
	Detail string
}

// health keeps the state of the export.
type health struct {
	mu    sync.Mutex
	state Health
}

func newHealth() *health { return &health{state: Health{OK: true}} }

func (h *health) get() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// set notes how an export ended and returns what was known before.
func (h *health) set(ok bool, now time.Time, v verdict) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.state
	if before.OK != ok || before.Since.IsZero() {
		h.state.Since = now
	}
	h.state.OK, h.state.Detail = ok, ""
	if !ok {
		h.state.Detail = v.errorType + ": " + v.message
	}
	return before
}

// logEvery is the least time between two lines with the same message.
const logEvery = time.Minute

// limitedLog writes each message once a minute at most: an export fails with every retry, and a log that repeats
// it is a log that nobody reads.
type limitedLog struct {
	logger *slog.Logger

	mu      sync.Mutex
	last    map[string]time.Time
	skipped map[string]int
}

func newLimitedLog(logger *slog.Logger) *limitedLog {
	return &limitedLog{logger: logger, last: make(map[string]time.Time), skipped: make(map[string]int)}
}

// log writes a line, unless one with the same message was written within logEvery.
func (l *limitedLog) log(level slog.Level, message string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.last[message]; ok && now.Sub(last) < logEvery {
		l.skipped[message]++
		return
	}
	if n := l.skipped[message]; n > 0 {
		args = append(args, "suppressed", n)
	}
	l.last[message], l.skipped[message] = now, 0
	l.logger.Log(context.Background(), level, message, args...)
}
