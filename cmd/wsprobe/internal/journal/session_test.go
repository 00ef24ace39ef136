package journal_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// holding is the story of a held session, told moment by moment.
type holding struct {
	watch *journal.Watch
	out   *bytes.Buffer
	now   time.Time
	begun time.Time // of the session that is open
}

func newHolding(level slog.Level) *holding {
	h := &holding{out: new(bytes.Buffer), now: start}
	log := slog.NewTextHandler(h.out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "probe" {
			return slog.Attr{}
		}
		return a
	}})
	h.watch = journal.NewWatch(slog.New(log), "feed")
	return h
}

func (h *holding) observe(r probe.Result, s metrics.Session) {
	r.Started, r.Ended = h.now, h.now
	h.watch.Observe(&metrics.Observation{Result: r, Session: &s})
}

// open opens a session after a wait.
func (h *holding) open(wait time.Duration) {
	h.now = h.now.Add(wait)
	h.begun = h.now
	h.observe(probe.Result{Opened: true}, metrics.Session{Moment: metrics.SessionOpened, Open: true, OK: true, Downtime: wait})
}

// end ends the session after a lifetime, of which it was idle for a time at the end.
func (h *holding) end(cause session.Cause, life, idle time.Duration) *session.End {
	h.now = h.begun.Add(life)
	e := &session.End{At: h.now, Cause: cause, Code: 1006, Lifetime: life, IdleIn: idle, IdleOut: idle}
	r := probe.Result{}
	if !cause.Planned() {
		e.Reason, e.ErrorType = reasons.ClosedEarly, reasons.UnexpectedEOF
		r.Reason, r.ErrorType, r.CloseCode, r.Detail = e.Reason, e.ErrorType, 1006, e.String()
	}
	h.observe(r, metrics.Session{Moment: metrics.SessionEnded, End: e, Wait: time.Second})
	return e
}

// refuse has an open fail.
func (h *holding) refuse(wait time.Duration, kind reasons.ErrorType) {
	h.now = h.now.Add(wait)
	h.observe(probe.Result{Reason: reasons.OpenFailed, ErrorType: kind}, metrics.Session{Moment: metrics.SessionEnded, Wait: time.Second})
}

func (h *holding) explain(end *session.End, f session.Finding) {
	h.observe(probe.Result{}, metrics.Session{Moment: metrics.SessionExplained, End: end, Finding: &f})
}

// cut is a session that an idle limit ends, and its explanation by the next open.
func (h *holding) cut(f session.Finding) {
	end := h.end(session.ByFIN, 61*time.Second, time.Minute)
	h.explain(end, f)
	h.open(time.Second)
}

// lines returns what was logged.
func (h *holding) lines() []string {
	return strings.Split(strings.TrimSpace(h.out.String()), "\n")
}

// messages returns the level and the message of each line.
func (h *holding) messages() []string {
	var all []string
	for _, line := range h.lines() {
		level, rest, _ := strings.Cut(strings.TrimPrefix(line, "level="), " msg=")
		message, _, _ := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
		all = append(all, level+" "+message)
	}
	return all
}

// TestSessionIsTold: an end is told at once with its facts, then its explanation, then the open.
func TestSessionIsTold(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	h.open(0)
	h.cut(session.Finding{Verdict: session.LimitReached, Limit: session.IdleLimit})
	want := []string{
		`level=WARN msg="session ended: FIN after 60 s without traffic, lifetime 61 s" reason=ws_closed_early error_type=unexpected_eof ` +
			`close_code=1006 cause=fin lifetime_ms=61000 idle_in_ms=60000 idle_out_ms=60000 messages=0 next_open_in=1s`,
		`level=INFO msg="session end explained: perhaps an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it" ` +
			`verdict=limit_reached sure=false`,
		`level=INFO msg="session opened again" downtime=1s`,
	}
	if got := h.lines(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestPlannedEndsAreNoNews: neither a renewal nor a stop is worth a line.
func TestPlannedEndsAreNoNews(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	for range 3 {
		h.open(time.Second)
		h.explain(h.end(session.ByLifetime, time.Hour, 0), session.Finding{Verdict: session.Planned, Sure: true})
	}
	h.open(time.Second)
	h.end(session.ByStop, time.Hour, 0)
	if h.out.Len() > 0 {
		t.Errorf("told: %s", h.out)
	}
}

// TestFlappingIsSummedUp: sessions that are cut every minute for an hour are a few lines, which count every end, and
// the habit is told once it is known.
func TestFlappingIsSummedUp(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	h.open(0)
	perhaps := session.Finding{Verdict: session.LimitReached, Limit: session.IdleLimit}
	sure := session.Finding{Verdict: session.LimitReached, Limit: session.IdleLimit, Sure: true,
		Habit: session.Habit{Limit: session.IdleLimit, After: time.Minute, Ends: 3}}
	for i := range 60 {
		if i < 2 {
			h.cut(perhaps)
		} else {
			h.cut(sure)
		}
	}
	lines, messages := h.lines(), h.messages()
	if len(lines) > 4+6*3 {
		t.Errorf("%d lines: %q", len(lines), messages)
	}
	want := []string{"WARN session ended: FIN after 60 s without traffic, lifetime 61 s", "INFO session end explained: perhaps an idle limit",
		"INFO session opened again", "INFO session end explained: the last 3 sessions ended after 60 s without traffic",
		"WARN sessions still end: FIN after 60 s without traffic, lifetime 61 s"}
	for i, begin := range want {
		if !strings.HasPrefix(messages[i], begin) {
			t.Errorf("line %d is %q, want %q", i, messages[i], begin)
		}
	}
	if sum := lines[4]; !strings.Contains(sum, "setbacks=10 all_setbacks=11 since=2026-11-21T12:01:01") {
		t.Errorf("the sum is %q", sum)
	}
}

// TestCalmEndsTheTrouble: after a session that lasted, the same end is news again.
func TestCalmEndsTheTrouble(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	h.open(0)
	for range 3 {
		h.end(session.ByReset, journal.SumUpEvery, 0)
		h.open(time.Second)
	}
	var want []string
	for range 3 {
		want = append(want, "WARN session ended: RST amid traffic, lifetime 10m0s", "INFO session opened again")
	}
	if got := h.messages(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestOutageOfASession: an hour in which nothing opens is told at its begin, every ten minutes, and at its end.
func TestOutageOfASession(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	h.open(0)
	end := h.end(session.ByFIN, time.Minute, 0)
	h.refuse(time.Second, reasons.ConnectionRefused)
	h.explain(end, session.Finding{Verdict: session.Stopped, Sure: true})
	for range 60 {
		h.refuse(time.Minute, reasons.ConnectionRefused)
	}
	h.open(time.Second)
	want := []string{"WARN session ended: FIN amid traffic, lifetime 60 s", "WARN session does not open",
		"INFO session end explained: the server has stopped: nothing listens any more"}
	for range 6 {
		want = append(want, "WARN session still does not open")
	}
	want = append(want, "INFO session opened again")
	if got := h.messages(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyKindsOfSetbacks: a server that finds ever new ways to end sessions does not flood the log.
func TestManyKindsOfSetbacks(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	for i := range 300 {
		h.refuse(time.Second, reasons.ErrorType(fmt.Sprintf("http_%d", 300+i)))
	}
	if n := len(h.lines()); n > 9 {
		t.Errorf("%d lines", n)
	}
}

// TestDebugTellsEveryMoment: at the level debug each end, open and explanation is a line.
func TestDebugTellsEveryMoment(t *testing.T) {
	h := newHolding(slog.LevelDebug)
	h.open(0)
	for range 3 {
		h.cut(session.Finding{Verdict: session.Replaced})
	}
	h.end(session.ByStop, time.Minute, 0)
	if got := h.messages(); len(got) != 1+3*3+1 || got[0] != "DEBUG session opened" || got[10] != "DEBUG session ended: stopped as planned, lifetime 60 s" {
		t.Errorf("got %q", got)
	}
}
