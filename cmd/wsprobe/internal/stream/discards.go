package stream

import (
	"context"
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
)

// discardHints say what to do about events that were given up.
var discardHints = map[buffer.Cause]string{
	buffer.Full:     "the endpoint is away, or slower than events come: buffer.max_events and buffer.max_size bound what waits",
	buffer.TooLarge: "an event is longer than buffer.max_size",
	buffer.Damaged:  "files of buffer.dir are damaged or gone: look at the disk, and for other programs that write there",
	buffer.Rejected: "the endpoint ended three connections over each of them: the lines before have its close code",
}

// discardTeller tells of events that were given up, and keeps what it has told.
type discardTeller struct {
	log  *slog.Logger
	told map[buffer.Cause]int64
	at   map[buffer.Cause]time.Time
}

// tellDiscards tells of events that were given up, until the context ends.
func (s *Stream) tellDiscards(ctx context.Context) {
	t := discardTeller{log: s.board.log, told: make(map[buffer.Cause]int64), at: make(map[buffer.Cause]time.Time)}
	ticker := time.NewTicker(betweenNew)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.tell(s.buffer.Counts().Discarded, betweenSame)
		case <-ctx.Done():
			t.tell(s.buffer.Counts().Discarded, 0)
			return
		}
	}
}

// tell tells of causes that it has not told of for a time.
func (t *discardTeller) tell(discarded map[buffer.Cause]int64, between time.Duration) {
	now := time.Now()
	for _, cause := range buffer.Causes() {
		n := discarded[cause] - t.told[cause]
		if last, told := t.at[cause]; n == 0 || told && now.Sub(last) < between {
			continue
		}
		attrs := []any{"events", n}
		if hint := discardHints[cause]; hint != "" {
			attrs = append(attrs, "hint", hint)
		}
		t.log.Warn("events dropped: "+string(cause), attrs...)
		t.told[cause], t.at[cause] = discarded[cause], now
	}
}
