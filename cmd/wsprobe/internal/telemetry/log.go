package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logEvery is the least time between two lines with the same message.
const logEvery = time.Minute

// limitedLog writes each message once a minute at most: an export fails with every retry, and a log that
// repeats it is a log that nobody reads.
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
