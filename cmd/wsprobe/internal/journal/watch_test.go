package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// course is a series of runs, one a minute.
type course struct {
	watch *journal.Watch
	out   *bytes.Buffer
	runs  int
}

func newCourse(level slog.Level) *course {
	c := &course{out: new(bytes.Buffer)}
	c.watch = journal.NewWatch(slog.New(slog.NewJSONHandler(c.out, &slog.HandlerOptions{Level: level})), "chat")
	return c
}

// run adds so many equal runs.
func (c *course) run(times int, r probe.Result) {
	for range times {
		r.Started = start.Add(time.Duration(c.runs) * time.Minute)
		r.Ended = r.Started.Add(time.Second)
		c.watch.Observe(&metrics.Observation{Result: r})
		c.runs++
	}
}

// lines returns what was logged since the last call.
func (c *course) lines(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(c.out.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		if object["probe"] != "chat" {
			t.Errorf("%s names no probe", line)
		}
		all = append(all, object)
	}
	c.out.Reset()
	return all
}

// messages are the lines in short.
func (c *course) messages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, line := range c.lines(t) {
		all = append(all, fmt.Sprint(line["msg"]))
	}
	return all
}

var (
	works  = probe.Result{}
	closed = probe.Result{Reason: reasons.ClosedEarly, ErrorType: reasons.CloseFrame, CloseCode: 1011, Detail: "close frame 1011"}
	busy   = probe.Result{Reason: reasons.OpenFailed, ErrorType: "http_503", HTTPStatus: 503, Detail: "503 from 10.0.0.1:4711"}
)

func TestWhatIsNewIsTold(t *testing.T) {
	other, reworded := closed, busy
	other.CloseCode, reworded.Detail = 1013, "503 from 10.0.0.1:4712"
	for _, c := range []struct {
		name string
		runs []probe.Result
		want []string
	}{
		{"nothing_while_it_works", []probe.Result{works, works}, nil},
		{"first_run_fails", []probe.Result{closed}, []string{"probe fails"}},
		{"repetition_is_none", []probe.Result{works, closed, closed, closed}, []string{"probe fails"}},
		{"recovery", []probe.Result{closed, closed, works, works}, []string{"probe fails", "probe recovered"}},
		{"fails_anew", []probe.Result{closed, works, closed}, []string{"probe fails", "probe recovered", "probe fails"}},
		{"another_reason", []probe.Result{closed, busy}, []string{"probe fails", "probe fails"}},
		{"another_close_code", []probe.Result{closed, other}, []string{"probe fails", "probe fails"}},
		{"other_words_are_no_other_failure", []probe.Result{busy, reworded}, []string{"probe fails"}},
		{"reasons_that_take_turns", []probe.Result{closed, busy, closed, busy, closed}, []string{"probe fails", "probe fails"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			course := newCourse(slog.LevelInfo)
			for _, r := range c.runs {
				course.run(1, r)
			}
			if got := course.messages(t); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestRepetitionIsSummedUp: an hour of equal failures is a line every ten minutes, and these count every run.
func TestRepetitionIsSummedUp(t *testing.T) {
	c := newCourse(slog.LevelInfo)
	c.run(3, works)
	c.run(62, closed)
	c.run(1, works)
	got := c.lines(t)
	if len(got) != 8 || got[0]["msg"] != "probe fails" || got[7]["msg"] != "probe recovered" {
		t.Fatalf("lines %v", got)
	}
	if _, said := got[0]["failed_runs"]; said {
		t.Errorf("the first failure has a past: %v", got[0])
	}
	for i, line := range got[1:7] {
		want := map[string]any{
			"level": "WARN", "msg": "probe still fails", "runs": 10.0, "failed_runs": float64(1 + 10*(i+1)),
			"failing_since": "2026-11-21T12:03:00Z", "reason": "ws_closed_early", "error_type": "close_frame",
			"close_code": 1011.0, "detail": "close frame 1011",
		}
		for key, value := range want {
			if line[key] != value {
				t.Errorf("summary %d: %s is %v, want %v", i, key, line[key], value)
			}
		}
	}
	if end := got[7]; end["level"] != "INFO" || end["failed_runs"] != 62.0 || end["failed_for"] != "1h2m1s" {
		t.Errorf("recovery %v", end)
	}
}

// TestEveryRunIsInOneLine: whatever the ways to fail, the runs of all lines add up.
func TestEveryRunIsInOneLine(t *testing.T) {
	c := newCourse(slog.LevelInfo)
	c.run(1, closed)
	for i := range 100 {
		r := closed
		r.CloseCode = 4000 + i%40
		c.run(1, r)
	}
	lines := c.lines(t)
	told := 1.0
	for _, line := range lines[1:] {
		told += line["runs"].(float64)
	}
	last := lines[len(lines)-1]
	if told != last["failed_runs"] {
		t.Errorf("%v runs in lines that count %v", told, last["failed_runs"])
	}
	// 40 kinds are more than are kept apart: some are told, the others are in a sum every ten minutes.
	if len(lines) > 8+100/10 {
		t.Errorf("%d lines for 101 runs", len(lines))
	}
}

// TestFacts: what is known of a failed run is in its line, what is not is absent.
func TestFacts(t *testing.T) {
	c := newCourse(slog.LevelInfo)
	c.run(1, probe.Result{
		Reason: reasons.ReplyMismatch, ErrorType: reasons.ReplyMismatched, Detail: "no match in 2 messages", Peer: "10.0.0.1:443",
		CloseCode: 1002, CloseReason: "masked", CloseByProbe: true, HTTPStatus: 101, Body: "no", Unmatched: 2, LastReply: "pong\n",
		StartDelay: time.Second, Trace: probe.Trace{ID: [16]byte{0xab}},
	})
	c.run(1, probe.Result{Reason: reasons.ReplyTimeout, ErrorType: reasons.ReplyTimedOut, Detail: "nothing"})
	got := c.lines(t)
	for key, want := range map[string]any{
		"reason": "ws_reply_mismatch", "error_type": "reply_mismatch", "detail": "no match in 2 messages", "peer": "10.0.0.1:443",
		"close_code": 1002.0, "close_reason": "masked", "close_sent_by": "probe", "http_status": 101.0, "http_body": "no",
		"unmatched_messages": 2.0, "last_reply": "pong\n", "local_overload": true,
		"trace_id": "ab000000000000000000000000000000",
	} {
		if got[0][key] != want {
			t.Errorf("%s is %v, want %v", key, got[0][key], want)
		}
		if _, there := got[1][key]; there && key != "reason" && key != "error_type" && key != "detail" {
			t.Errorf("%s is %v in a line about a run without it", key, got[1][key])
		}
	}
}

// TestDebugTellsEveryRun: at the level debug a run is a line, and none is told twice.
func TestDebugTellsEveryRun(t *testing.T) {
	c := newCourse(slog.LevelDebug)
	c.run(2, works)
	c.run(3, closed)
	c.run(2, works)
	want := []string{"probe ran", "probe ran", "probe fails", "probe failed again", "probe failed again", "probe recovered", "probe ran"}
	if got := c.messages(t); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
