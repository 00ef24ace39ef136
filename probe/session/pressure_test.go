package session

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// neverReads sends Pings, and reads no answer.
func neverReads(c *wstest.Conn) {
	c.Accept()
	c.Flood(strings.Repeat(wstest.Ping(strings.Repeat("p", 125)).Bytes(), 100))
}

// TestServerThatNeverReads: a server that reads nothing ends its session after a time, and does not hold up a stop.
func TestServerThatNeverReads(t *testing.T) {
	for name, test := range map[string]struct {
		lasts time.Duration
		want  string
	}{
		"given up":                {20 * sec, "0s opened, down for 0s\n10s ended by write: ws_reply_timeout write_timeout 1006, next in 250ms\n10s closed\n10.25s explained: mute, sure true\n10.25s opened, down for 250ms\n20.5s ended by stop: ok  1001"},
		"stopped while it writes": {5 * sec, "0s opened, down for 0s\n5.5s ended by stop: ok  1001, next in 0s\n5.5s closed\n5.5s over"},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.DeleteFunc(held(t, Spec{}, neverReads, test.lasts), func(line string) bool {
				return strings.HasSuffix(line, " pinged")
			})
			if text := strings.Join(got, "\n"); !strings.HasPrefix(text, test.want) {
				t.Errorf("got\n%s\nwant\n%s", text, test.want)
			}
		})
	}
}

// TestStopOfServersThatNeverRead: a stop of many such servers on a poller is as quick, and each session ends by it.
func TestStopOfServersThatNeverRead(t *testing.T) {
	const many = 20
	for name, start := range map[string]func(wstest.Script) (*wstest.Server, Spec){"ws": plain, "wss": secured} {
		t.Run(name, func(t *testing.T) {
			server, s := start(neverReads)
			defer server.Close()
			s.URL = server.URL
			hub := NewHub(Options{})
			session := newSession(t, hub, s)
			var books [many]ledger
			var stopped atomic.Int64
			for i := range books {
				hub.Add(session, func(e Event) {
					if books[i].note(e); e.Kind == Ended && e.End.Cause == ByStop {
						stopped.Add(1)
					}
				})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
			over := make(chan struct{})
			go func() { hub.Run(ctx); close(over) }()
			for same, before := 0, int64(DefaultMemory); same < 10 && ctx.Err() == nil; time.Sleep(20 * ms) { // until all wait
				left := hub.memory.left.Load()
				if same++; left == DefaultMemory || left != before {
					same = 0
				}
				before = left
			}
			began := time.Now()
			cancel()
			<-over
			if took := time.Since(began); took > writeTimeout/2 {
				t.Errorf("the stop took %v", took)
			}
			if stopped.Load() != many || hub.memory.left.Load() != DefaultMemory {
				t.Errorf("%d ended by the stop, %d bytes are held", stopped.Load(), DefaultMemory-hub.memory.left.Load())
			}
			for i := range books {
				if problem := books[i].verdict(); problem != "" {
					t.Error(problem)
				}
			}
		})
	}
}

// TestSlowObserve: what comes while an observe takes its time is judged, and nobody takes it for silence.
func TestSlowObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wstest.Memory(func(c *wstest.Conn) {
			c.Accept()
			for range 40 {
				c.Send(wstest.Text("wanted"))
				c.Pause(sec)
			}
			c.Serve()
		})
		defer server.Close()
		s := Spec{Expectation: Expectation{Expect: "wanted"}, MaxSilence: 3 * sec}
		s.URL, s.Dial = server.URL, server.Dial
		session := newSession(t, NewHub(Options{}), s)
		ctx, cancel := context.WithTimeout(t.Context(), 39*sec)
		defer cancel()
		wanted, ended := 0, Cause("")
		session.Hold(ctx, func(e Event) {
			switch e.Kind {
			case Ended:
				ended = e.End.Cause
			case Received:
				if e.Message.Wanted {
					wanted++
				}
				if wanted == 2 {
					time.Sleep(10 * sec)
				}
			}
		})
		if wanted < 38 || ended != ByStop {
			t.Errorf("%d wanted messages, ended by %s", wanted, ended)
		}
	})
}

// TestMemoryOfAll: a thousand sessions with half a message of 4 MiB each take no more than they may have together. Those
// that would take more end, and say why.
func TestMemoryOfAll(t *testing.T) {
	const many, may = 1000, 64 << 20
	half := wstest.Frame{Opcode: wstest.OpText, Payload: strings.Repeat("x", 2<<20), More: true}.Bytes()
	server := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		c.Raw(half)
		c.Serve()
	})
	defer server.Close()
	hub := NewHub(Options{Memory: may})
	s := Spec{MaxReply: 4 << 20, Expectation: Expectation{Expect: "y"}, Reconnect: Reconnect{Min: 10 * time.Minute, Max: 10 * time.Minute}, Timeout: 30 * sec}
	s.URL = server.URL
	session := newSession(t, hub, s)
	var mu sync.Mutex
	causes := make(map[Cause]int)
	starved := make(chan struct{})
	for range many {
		hub.Add(session, func(e Event) {
			if e.Kind != Ended {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if causes[e.End.Cause]++; e.End.Cause == ByMemory && causes[ByMemory] == many-may/(2<<20) {
				close(starved)
			}
		})
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // only a hang meets it
	defer cancel()
	over := make(chan struct{})
	go func() { hub.Run(ctx); close(over) }()
	select {
	case <-starved:
	case <-over:
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	cancel()
	<-over
	t.Logf("%v, %d MiB more, %d from the system", causes, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>20, after.Sys>>20)
	if more := int64(after.HeapAlloc) - int64(before.HeapAlloc); more > may+32<<20 {
		t.Errorf("%d MiB", more>>20)
	}
	if hub.memory.left.Load() != may {
		t.Errorf("%d bytes are held", may-hub.memory.left.Load())
	}
}
