package session

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestRun holds many sessions: those added before and meanwhile, no more opens at a time than may be, one ended by
// itself, and all of them closed within the time of a stop.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many, atOnce = 300, 20
		var opening, most, held atomic.Int64
		server := wstest.Memory(func(c *wstest.Conn) {
			c.Request()
			now := opening.Add(1)
			for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
			}
			c.Pause(sec)
			opening.Add(-1)
			c.Accept()
			c.Watch() // it closes nothing
		})
		defer server.Close()
		hub := NewHub(Options{MaxConcurrent: atOnce})
		s := Spec{PingInterval: time.Hour}
		s.URL, s.Dial = server.URL, server.Dial
		session := newSession(t, hub, s)
		var mu sync.Mutex
		causes := make(map[Cause]int)
		observe := func(e Event) {
			switch e.Kind {
			case Opened:
				held.Add(1)
			case Ended:
				held.Add(-1)
				mu.Lock()
				causes[e.End.Cause]++
				mu.Unlock()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		end := hub.Add(session, observe)
		for range many/2 - 1 {
			hub.Add(session, observe)
		}
		over := make(chan time.Time)
		go func() {
			hub.Run(ctx)
			over <- time.Now()
		}()
		synctest.Wait()
		for range many / 2 {
			hub.Add(session, observe)
		}
		time.Sleep(many / atOnce * sec)
		synctest.Wait()
		if held.Load() != many || most.Load() != atOnce {
			t.Errorf("%d are held, %d opened at a time", held.Load(), most.Load())
		}
		end()
		end()
		synctest.Wait()
		if held.Load() != many-1 {
			t.Errorf("%d are held after one was ended", held.Load())
		}
		stopped := time.Now()
		cancel()
		if took := (<-over).Sub(stopped); took > closeBudget {
			t.Errorf("the stop took %v", took)
		}
		hub.Add(session, observe) // too late, and no harm
		if len(causes) != 1 || causes[ByStop] != many {
			t.Errorf("%v", causes)
		}
		if left := hub.memory.left.Load(); left != DefaultMemory {
			t.Errorf("%d bytes are held", DefaultMemory-left)
		}
	})
}

// TestOutage: sessions whose endpoint refuses them wait without goroutines, try again in time, and end with the Hub.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 500
		server := wstest.Memory(wstest.Refuse(503, ""))
		defer server.Close()
		hub := NewHub(Options{Random: func() float64 { return 0.5 }})
		s := Spec{Reconnect: Reconnect{Min: time.Minute, Max: time.Minute}}
		s.URL, s.Dial = server.URL, server.Dial
		session := newSession(t, hub, s)
		var failed atomic.Int64
		before := runtime.NumGoroutine()
		for range many {
			hub.Add(session, func(e Event) {
				if e.Kind == OpenFailed {
					failed.Add(1)
				}
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			hub.Run(ctx)
			close(over)
		}()
		for round := range int64(3) {
			time.Sleep(sec)
			synctest.Wait()
			if n := runtime.NumGoroutine() - before; failed.Load() != (round+1)*many || n > 2*DefaultMaxConcurrent {
				t.Errorf("round %d: %d failed, %d goroutines", round, failed.Load(), n)
			}
			time.Sleep(29 * sec)
		}
		cancel()
		<-over
		for _, q := range hub.queues {
			if len(hub.all)+len(q.members) != 0 {
				t.Errorf("%d members are left, %d of them wait", len(hub.all), len(q.members))
			}
		}
	})
}

// TestFloods: floods of any kind end in a bounded time, and with the memory of all sessions given back.
func TestFloods(t *testing.T) {
	for name, test := range map[string]struct {
		flood string
		cause Cause
	}{
		"fragments without end": {wstest.Frame{Payload: "fragment", More: true}.Bytes(), ByBreach},
		"pings":                 {wstest.Ping("x").Bytes(), ByPing},
		"messages":              {wstest.Text("x").Bytes(), BySilence},
	} {
		t.Run(name, func(t *testing.T) {
			server := wstest.Start(func(c *wstest.Conn) {
				c.Accept()
				if test.cause == ByBreach {
					c.Send(wstest.Frame{Opcode: wstest.OpText, More: true})
				}
				c.Flood(test.flood)
			})
			defer server.Close()
			hub := NewHub(Options{})
			s := Spec{PingInterval: 200 * ms, PingTimeout: sec, Expectation: Expectation{Expect: "never"}, MaxSilence: sec}
			switch test.cause {
			case ByBreach: // however long a busy machine takes to get there
				s.PingInterval, s.PingTimeout, s.MaxSilence = 0, 0, 0
			case ByPing:
				s.MaxSilence = 0
			case BySilence:
				s.PingInterval, s.PingTimeout = 0, 0
			}
			s.URL = server.URL
			session := newSession(t, hub, s)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
			defer cancel()
			var cause Cause
			session.inHub(ctx, func(e Event) {
				if e.Kind == Ended {
					cause = e.End.Cause
					cancel()
				}
			})
			if cause != test.cause || hub.memory.left.Load() != DefaultMemory {
				t.Errorf("ended by %q, %d bytes are held", cause, DefaultMemory-hub.memory.left.Load())
			}
		})
	}
}
