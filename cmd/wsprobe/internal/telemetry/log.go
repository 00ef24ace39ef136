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

// limitedHandler writes each message once a minute at most. An export fails with every retry, and nobody reads a log
// that repeats it. Suppressed lines lose no numbers: the next line with the message, or flush, has the sum.
type limitedHandler struct {
	next slog.Handler
	*limiter
}

// limiter is the state of a limitedHandler and of all handlers that come from it.
type limiter struct {
	mu       sync.Mutex
	messages map[string]*message
}

// message is the state of the lines with one message.
type message struct {
	written time.Time // when a line was written
	// Of the lines since then:
	suppressed int
	last       slog.Record
	next       slog.Handler // of the last one
	sums       map[string]int64
}

func newLimitedHandler(next slog.Handler) *limitedHandler {
	return &limitedHandler{next, &limiter{messages: make(map[string]*message)}}
}

func (h *limitedHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *limitedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limitedHandler{h.next.WithAttrs(attrs), h.limiter}
}

func (h *limitedHandler) WithGroup(name string) slog.Handler {
	return &limitedHandler{h.next.WithGroup(name), h.limiter}
}

// Handle writes a line, unless one with the same message was written within logEvery.
func (h *limitedHandler) Handle(_ context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.messages[r.Message]
	if m == nil {
		m = &message{}
		h.messages[r.Message] = m
	}
	m.add(r, h.next)
	now := time.Now()
	if !m.written.IsZero() && now.Sub(m.written) < logEvery {
		m.suppressed++
		return nil
	}
	err := m.write(m.suppressed)
	m.written = now
	return err
}

// flush writes the numbers of the lines that are suppressed so far.
func (l *limiter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(l.messages)) {
		if m := l.messages[text]; m.suppressed > 0 && len(m.sums) > 0 {
			_ = m.write(m.suppressed - 1) // a log that fails has nowhere to be told
		}
	}
}

// write writes the last line of a message, with the numbers of the lines before.
func (m *message) write(suppressed int) error {
	line := slog.NewRecord(m.last.Time, m.last.Level, m.last.Message, m.last.PC)
	m.last.Attrs(func(a slog.Attr) bool {
		if sum, ok := m.sums[a.Key]; ok {
			a.Value = slog.Int64Value(sum)
		}
		line.AddAttrs(a)
		return true
	})
	if suppressed > 0 {
		line.AddAttrs(slog.Int("suppressed", suppressed))
	}
	next := m.next
	*m = message{written: m.written}
	return next.Handle(context.Background(), line)
}

// add notes a line.
func (m *message) add(r slog.Record, next slog.Handler) {
	m.last, m.next = r.Clone(), next
	r.Attrs(func(a slog.Attr) bool {
		if adds(a.Key) && a.Value.Kind() == slog.KindInt64 {
			if m.sums == nil {
				m.sums = make(map[string]int64)
			}
			m.sums[a.Key] += a.Value.Int64()
		}
		return true
	})
}

// adds reports whether the numbers of a key add up from line to line.
func adds(key string) bool {
	switch strings.TrimPrefix(key, "rejected_") {
	case "points", "records", "traces", "files":
		return true
	}
	return false
}
