package stream

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// board keeps how the connections of a stream are, and tells the log of it.
type board struct {
	log     *slog.Logger
	workers int
	waiting func() int // events

	mu           sync.Mutex
	open         int
	since        time.Time // when open last became all workers, or ceased to be
	down         time.Time // when the present trouble began; zero for none
	detail, hint string
	troubled     int // the worker that they are of
	lastSent     time.Time
	established  int64
	failures     map[Failure]int64
	shutdowns    map[Shutdown]int64

	quiet   bool            // the first open is not told if it fails
	tellers map[any]*teller // by Failure or Shutdown
}

// renew forgets the troubles of the setup before.
func (b *board) renew(quiet bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since, b.down, b.detail, b.hint, b.quiet = time.Time{}, time.Time{}, "", "", quiet
	clear(b.tellers)
}

// opened notes a connection that has opened.
func (b *board) opened(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.established++
	if b.open++; b.open < b.workers {
		return
	}
	told := false // the log has the present trouble
	for _, t := range b.tellers {
		told = told || t.down
		t.down = false
	}
	switch {
	case told:
		b.log.Info("stream connected again", "down_for", session.Span(now.Sub(b.down)), "waiting", b.waiting())
	case b.since.IsZero():
		b.log.Info("stream connected")
	}
	b.quiet, b.since, b.down = false, now, time.Time{}
}

// teller returns the teller of a Failure or a Shutdown. A new cause must not hide behind an old one, and both are of
// closed sets.
func (b *board) teller(cause any) *teller {
	t := b.tellers[cause]
	if t == nil {
		t = &teller{}
		b.tellers[cause] = t
	}
	return t
}

// failed notes an open that failed.
func (b *board) failed(worker int, res *probe.Result, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cause := Failure{Reason: string(res.Reason), ErrorType: string(res.ErrorType)}
	b.failures[cause]++
	hint := res.Hint(nil)
	b.trouble(worker, res.Detail, hint, res.Ended)
	if b.quiet {
		return
	}
	b.teller(cause).tell(b.log, res.Ended, "stream cannot connect", "reason", cause.Reason, "error_type", cause.ErrorType,
		"detail", res.Detail, "hint", hint, "next_in", session.Span(wait), "waiting", b.waiting())
}

// ended notes the end of a connection.
func (b *board) ended(worker int, e ending, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	b.shutdowns[e.shutdown()]++
	if e.by == byAgent && e.code == closeGoingAway {
		return
	}
	b.trouble(worker, e.detail, e.hint, e.at)
	b.teller(e.shutdown()).tell(b.log, e.at, "stream disconnected", "by", e.by, "close_code", e.code, "detail", e.detail, "hint", e.hint,
		"next_in", session.Span(wait), "waiting", b.waiting())
}

// trouble notes why a connection is not open.
func (b *board) trouble(worker int, detail, hint string, now time.Time) {
	if b.down.IsZero() {
		b.down = now
		if !b.since.IsZero() {
			b.since = now
		}
	}
	b.detail, b.hint, b.troubled = detail, hint, worker
}

// accepted notes events of a worker that are proven. They end no trouble of another one.
func (b *board) accepted(worker int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastSent = now
	if b.open == b.workers && worker == b.troubled {
		b.detail, b.hint = "", ""
	}
}

// state adds what the board knows to the size of what waits.
func (b *board) state(s *State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Workers, s.Open, s.Since, s.LastSent = b.workers, b.open, b.since, b.lastSent
	if b.open < b.workers || s.Waiting.Events > 0 { // an endpoint that proves nothing is open most of the time
		s.Detail, s.Hint = b.detail, b.hint
	}
}

// counts fills in what the board knows.
func (b *board) counts(c *Counts) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.Established, c.Failed, c.Shutdown = b.established, maps.Clone(b.failures), maps.Clone(b.shutdowns)
}

// The time between two lines about trouble of one cause that comes again: at least the first, then twice as long each
// time, up to the second. Trouble that lasts is told as rarely as that.
const (
	betweenNew  = 10 * time.Second
	betweenSame = 10 * time.Minute
)

// teller tells of trouble of one cause, at once and then not more often than it helps.
type teller struct {
	seen, last time.Time // the cause, and the line about it
	between    time.Duration
	untold     int  // since the last line
	down       bool // the present trouble is told
}

func (t *teller) tell(log *slog.Logger, now time.Time, message string, attrs ...any) {
	between := t.between
	if t.down {
		between = betweenSame
	}
	calm := t.seen.IsZero() || now.Sub(t.seen) >= betweenSame
	if t.seen = now; calm {
		between, t.between = 0, 0
	}
	if now.Before(t.last.Add(between)) {
		t.untold++
		return
	}
	t.between = min(max(2*t.between, betweenNew), betweenSame)
	if t.untold > 0 {
		attrs = append(attrs, "times_before", t.untold)
	}
	t.last, t.untold, t.down = now, 0, true
	log.Warn(message, withoutEmpty(attrs)...)
}

// withoutEmpty leaves out attributes whose value is the empty text.
func withoutEmpty(attrs []any) []any {
	var kept []any
	for pair := range slices.Chunk(attrs, 2) {
		if pair[1] != "" {
			kept = append(kept, pair...)
		}
	}
	return kept
}
