package telemetry

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// logEvery is the least time between two lines with the same message.
const logEvery = time.Minute

// limitedLog writes each message once a minute at most: an export fails with every retry, and a log that
// repeats it is a log that nobody reads. Suppressed lines lose no numbers: the next line with the message has the sum,
// or flush tells it.
type limitedLog struct {
	logger *slog.Logger

	mu       sync.Mutex
	messages map[string]*message
}

// message is the state of the lines with one message.
type message struct {
	written time.Time // when a line was written
	// Of the lines since then:
	suppressed int
	level      slog.Level // of the last one, as are args
	args       []any
	sums       map[string]int64
}

func newLimitedLog(logger *slog.Logger) *limitedLog {
	return &limitedLog{logger: logger, messages: make(map[string]*message)}
}

// log writes a line, unless one with the same message was written within logEvery. Arguments are keys and values in turn.
func (l *limitedLog) log(level slog.Level, text string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.messages[text]
	if m == nil {
		m = &message{}
		l.messages[text] = m
	}
	m.add(level, args)
	now := time.Now()
	if !m.written.IsZero() && now.Sub(m.written) < logEvery {
		m.suppressed++
		return
	}
	l.write(text, m, m.suppressed)
	m.written = now
}

// flush tells the numbers of the lines that are suppressed so far.
func (l *limitedLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(l.messages)) {
		if m := l.messages[text]; m.suppressed > 0 && len(m.sums) > 0 {
			l.write(text, m, m.suppressed-1)
		}
	}
}

// write writes the last line of a message, with the numbers of those before. The caller holds the lock.
func (l *limitedLog) write(text string, m *message, suppressed int) {
	args := slices.Clone(m.args)
	for i := 0; i+1 < len(args); i += 2 {
		if sum, ok := m.sums[key(args[i])]; ok {
			args[i+1] = sum
		}
	}
	if suppressed > 0 {
		args = append(args, "suppressed", suppressed)
	}
	l.logger.Log(context.Background(), m.level, text, args...)
	*m = message{written: m.written}
}

// add notes a line.
func (m *message) add(level slog.Level, args []any) {
	m.level, m.args = level, args
	for i := 0; i+1 < len(args); i += 2 {
		if !adds(key(args[i])) {
			continue
		}
		if m.sums == nil {
			m.sums = make(map[string]int64)
		}
		switch n := args[i+1].(type) {
		case int:
			m.sums[key(args[i])] += int64(n)
		case int64:
			m.sums[key(args[i])] += n
		}
	}
}

// key returns a key, which is a text.
func key(arg any) string {
	text, _ := arg.(string)
	return text
}

// adds reports whether the numbers of a key add up from line to line.
func adds(key string) bool {
	switch strings.TrimPrefix(key, "rejected_") {
	case "points", "records", "traces", "files":
		return true
	}
	return false
}
