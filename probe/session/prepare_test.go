package session

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestEachOpenPrepares: each open of a session sends its request anew, heartbeats know what it captured, and one that is
// refused is an open that failed, after which the server's wait is heeded.
func TestEachOpenPrepares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		server := wstest.Memory(func(c *wstest.Conn) {
			if c.Request().URL.Path == "/ticket" {
				if asked.Add(1) == 2 {
					wstest.Refuse(503, "", "Retry-After: 7")(c)
					return
				}
				wstest.Refuse(200, fmt.Sprint("ticket", asked.Load()))(c)
				return
			}
			want := fmt.Sprint("ticket", asked.Load())
			if got := c.Request().URL.RawQuery; got != want {
				t.Errorf("opened with %s, want %s", got, want)
			}
			c.Accept()
			for range 2 {
				if got := c.Message(); got != "ping "+want {
					t.Errorf("%q came, want %s", got, want)
				}
				c.Send(wstest.Text("pong " + want))
			}
			c.Send(wstest.Close(1000, ""))
		})
		defer server.Close()
		s := Spec{Heartbeat: &Heartbeat{Send: "ping {{ticket}}", Expectation: Expectation{Expect: "pong {{ticket}}"}, Interval: sec},
			Reconnect: Reconnect{Min: 100 * ms, Max: 100 * ms}}
		s.URL, s.Dial = server.URL+"?{{ticket}}", server.Dial
		s.Prepare = &probe.Prepare{URL: "/ticket", Captures: map[string]probe.Capture{"ticket": {Pattern: "(.*)"}}}
		session := newSession(t, NewHub(Options{}), s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		beats := 0
		session.Hold(ctx, func(e Event) {
			switch {
			case e.Kind == OpenFailed && (e.Open.ErrorType != reasons.PrepareStatus || e.Wait < 7*time.Second):
				t.Errorf("%v, wait %v", e.Open.ErrorType, e.Wait)
			case e.Kind == Beat:
				if beats++; beats == 4 {
					cancel()
				}
			}
		})
		if n := asked.Load(); n != 3 {
			t.Errorf("asked %d times", n)
		}
	})
}
