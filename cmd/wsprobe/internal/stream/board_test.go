package stream

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestLog holds what the log says of connections: each trouble at once, and no more lines than help.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down, flapping atomic.Bool
		kick := make(chan wstest.Frame)
		r := start(t, peer{opened: func(n int, c *wstest.Conn) {
			if down.Load() {
				c.Refuse(403, "no")
			}
			c.Accept()
			if flapping.Load() {
				c.Pause(100 * ms)
				c.Reset()
			}
			if n == 1 {
				c.Send(<-kick)
				c.Watch()
			}
		}}, nil)
		defer r.stop()
		want := func(after time.Duration, lines ...string) {
			t.Helper()
			r.wait(after)
			if got := r.logged(); got != strings.Join(lines, "") {
				t.Errorf("after %v\n%swant\n%s", after, got, strings.Join(lines, ""))
			}
		}
		const hint = `"the endpoint refuses by its rules: mostly credentials or rights, sometimes a rate limit; its close reason may say which"`
		want(sec, "level=INFO msg=\"stream connected\" stream=wall\n")
		down.Store(true)
		kick <- wstest.Close(1008, "quota")
		synctest.Wait()
		r.observe("p", "a")
		got := r.logged()
		if want := "level=WARN msg=\"stream disconnected\" stream=wall by=server close_code=1008 detail=\"close frame 1008 \\\"quota\\\"\" hint=" + hint + " next_in=\"250 ms\" waiting=0\n"; got != want {
			t.Errorf("%swant\n%s", got, want)
		}
		r.wait(5 * time.Minute)
		if got := r.logged(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "stream cannot connect") || !strings.Contains(got, "reason=ws_open_failed error_type=http_403") || !strings.Contains(got, "waiting=1") {
			t.Error(got)
		}
		r.wait(6 * time.Minute)
		if got := r.logged(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "times_before=") {
			t.Error(got)
		}
		down.Store(false)
		flapping.Store(true)
		r.wait(20 * sec)
		if got := r.logged(); strings.Count(got, "\n") > 8 || !strings.Contains(got, "level=INFO msg=\"stream connected again\" stream=wall down_for=11m") {
			t.Error(got)
		}
		flapping.Store(false)
		r.wait(2 * time.Minute)
		r.logged()
		want(time.Hour)
		r.stop()
		want(0)
	})
}

// TestFlappingInTheLog: an endpoint that flaps for hours is told at once, and then ever more rarely.
func TestFlappingInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{opened: func(_ int, c *wstest.Conn) {
			c.Accept()
			c.Pause(100 * ms)
			c.Reset()
		}}, nil)
		defer r.stop()
		r.wait(sec)
		if got := r.logged(); !strings.Contains(got, "stream disconnected") {
			t.Errorf("at first %q", got)
		}
		r.wait(3 * time.Hour)
		if ends := strings.Count(r.logged(), "stream disconnected"); ends < 15 || ends > 30 {
			t.Errorf("%d lines in three hours", ends)
		}
	})
}

// TestNewCauseInTheLog: a server that comes up and refuses is told at once, because the line before tells of another cause.
func TestNewCauseInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{opened: func(n int, c *wstest.Conn) {
			if n < 3 {
				c.Reset()
			}
			c.Refuse(401, "no")
		}}, nil)
		defer r.stop()
		r.wait(9 * time.Minute)
		got := r.logged()
		lines := strings.Split(got, "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "error_type=connection_reset") || !strings.Contains(lines[1], "error_type=http_401") {
			t.Error(got)
		}
	})
}

// TestDiscardsInTheLog: events that are given up are told within 10 s, then every 10 minutes while it goes on, and at the
// stop. No event is told twice, and none is left out.
func TestDiscardsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{opened: func(_ int, c *wstest.Conn) { c.Refuse(403, "no") }}, func(o *Options) { o.Buffer.MaxEvents = 1 })
		defer r.stop()
		var got []string
		note := func() {
			for line := range strings.Lines(r.logged()) {
				if _, rest, dropped := strings.Cut(line, `msg="events dropped: buffer_full" stream=wall events=`); dropped {
					number, _, _ := strings.Cut(rest, " hint=\"the endpoint is away")
					got = append(got, number)
				}
			}
		}
		r.observe("p", "first")
		for i := range 1200 { // 20 minutes
			r.observe("p", fmt.Sprint("e", i))
			r.wait(sec)
		}
		note()
		r.stop()
		note()
		sum := 0
		for _, n := range got {
			events, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(n)
			}
			sum += events
		}
		if len(got) != 3 || got[0] != "10" || sum != 1200 {
			t.Errorf("%q, in all %d", got, sum)
		}
	})
}

// TestQuiet: a health check that is off keeps the first failure out of the log, and no later one.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{opened: func(n int, c *wstest.Conn) {
			if n < 3 {
				c.Reset()
			}
			if c.Accept(); n == 3 {
				c.Pause(sec)
				c.Reset()
			}
		}}, func(o *Options) { o.Quiet = true })
		defer r.stop()
		r.wait(time.Minute)
		got := r.logged()
		for i, line := range []string{"stream connected", "stream disconnected", "stream connected again"} {
			lines := strings.Split(got, "\n")
			if len(lines) != 4 || !strings.Contains(lines[i], line) {
				t.Fatal(got)
			}
		}
	})
}

// TestTroubleOfOneWorker: a worker that gets its events through does not hide why another one does not.
func TestTroubleOfOneWorker(t *testing.T) {
	b := board{log: slog.New(slog.DiscardHandler), workers: 2, waiting: func() int { return 1 }, failures: make(map[Failure]int64),
		shutdowns: make(map[Shutdown]int64), tellers: make(map[any]*teller)}
	now := time.Now()
	detail := func() string {
		s := State{Waiting: buffer.Size{Events: 1}}
		b.state(&s)
		return s.Detail
	}
	b.opened(now)
	b.opened(now)
	b.ended(1, unread(time.Second), 0)
	b.opened(now)
	if b.accepted(0, now); detail() == "" {
		t.Error("hidden by the other worker")
	}
	if b.accepted(1, now); detail() != "" {
		t.Errorf("still %q", detail())
	}
}
