package examine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestBrief holds what short connections tell.
func TestBrief(t *testing.T) {
	beat := &session.Heartbeat{Send: "hello", Expectation: session.Expectation{Expect: "hello"}}
	header := func(name string) func(c *wstest.Conn) string {
		return func(c *wstest.Conn) string { return c.Request().Header.Get(name) }
	}
	origin, protocol := header("Origin"), header("Sec-WebSocket-Protocol")
	for name, test := range map[string]struct {
		script wstest.Script
		spec   session.Spec
		want   []string
	}{
		"compression that works": {wstest.DeflateEcho, session.Spec{Heartbeat: beat}, []string{
			`Close 1000: answered after less than 0.1 ms by a close frame 1000; the server ends the TCP connection first.`,
			`A close frame without a code: answered after less than 0.1 ms by a close frame without a code; the server ends the TCP connection first.`,
			`It opens after less than 0.1 ms, and answers the message after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, is agreed upon (permessage-deflate), and the message is answered.`,
		}},
		"compression that does not": {func(c *wstest.Conn) {
			if strings.Contains(c.Request().Header.Get("Sec-WebSocket-Extensions"), "deflate") {
				c.Accept("Sec-WebSocket-Extensions: permessage-deflate")
				c.Serve()
			}
			wstest.Echo(c)
		}, session.Spec{Heartbeat: beat}, []string{
			`Close 1000: answered after less than 0.1 ms by a close frame 1000; the server ends the TCP connection first.`,
			`A close frame without a code: answered after less than 0.1 ms by a close frame without a code; the server ends the TCP connection first.`,
			`It opens after less than 0.1 ms, and answers the message after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, and is agreed upon: permessage-deflate, but the message is not answered: reply_timeout.`,
		}},
		"an Origin that is wanted": {func(c *wstest.Conn) {
			if origin(c) != "https://www.example.com" {
				c.Refuse(403, "")
			}
			wstest.Echo(c)
		}, session.Spec{Opening: probe.Opening{Headers: map[string]string{"origin": "https://www.example.com"}}}, []string{
			`Close 1000: answered after less than 0.1 ms by a close frame 1000; the server ends the TCP connection first.`,
			`A close frame without a code: answered after less than 0.1 ms by a close frame without a code; the server ends the TCP connection first.`,
			`It opens after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`No Origin: refused with 403 Forbidden. -> clients that are no browsers must send the right Origin, with --header here`,
			`A foreign Origin: refused with 403 Forbidden. -> clients that are no browsers must send the right Origin, with --header here`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, but it is declined.`,
		}},
		"a subprotocol that is wanted": {func(c *wstest.Conn) {
			if protocol(c) != "v1" {
				c.Accept()
				c.Send(wstest.Close(4406, "Subprotocol not acceptable"))
				c.Serve()
			}
			c.Accept("Sec-WebSocket-Protocol: v1")
			c.Serve()
		}, session.Spec{Opening: probe.Opening{Protocols: []string{"v1"}}}, []string{
			`Close 1000: answered after less than 0.1 ms by a close frame 1000; the server ends the TCP connection first.`,
			`A close frame without a code: answered after less than 0.1 ms by a close frame without a code; the server ends the TCP connection first.`,
			`It opens after less than 0.1 ms.`,
			`No subprotocol: opens, and is then closed: close frame 4406 "Subprotocol not acceptable". -> clients must offer the right subprotocol, with --protocol here`,
			`An unknown subprotocol: opens, and is then closed: close frame 4406 "Subprotocol not acceptable". -> clients must offer the right subprotocol, with --protocol here`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, but it is declined.`,
		}},
		"other paths never answered": {func(c *wstest.Conn) {
			if c.Request().URL.Path != "/" {
				wstest.StallHandshake(c)
			}
			wstest.Echo(c)
		}, session.Spec{}, []string{
			`Close 1000: answered after less than 0.1 ms by a close frame 1000; the server ends the TCP connection first.`,
			`A close frame without a code: answered after less than 0.1 ms by a close frame without a code; the server ends the TCP connection first.`,
			`It opens after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: never answered.`,
			`Compression: opens, but it is declined.`,
		}},
		"close frames never answered": {func(c *wstest.Conn) { c.Accept(); c.Watch() }, session.Spec{}, []string{
			`Close 1000: no close frame comes back; the server does not end the TCP connection within 10 s. -> bound the wait for an answer in clients: many wait for one before they end the TCP connection`,
			`A close frame without a code: no close frame comes back; the server does not end the TCP connection within 10 s. -> bound the wait for an answer in clients: many wait for one before they end the TCP connection`,
			`It opens after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, but it is declined.`,
		}},
		"close frames answered by FIN": {func(c *wstest.Conn) {
			c.Accept()
			for c.Read().Opcode != wstest.OpClose {
			}
		}, session.Spec{}, []string{
			`Close 1000: no close frame comes back, but the server ends the TCP connection after less than 0.1 ms.`,
			`A close frame without a code: no close frame comes back, but the server ends the TCP connection after less than 0.1 ms.`,
			`It opens after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, but it is declined.`,
		}},
		"close frames answered, and the rest left to the client": {func(c *wstest.Conn) {
			c.Accept()
			for c.Read().Opcode != wstest.OpClose {
			}
			c.Send(wstest.Close(1000, "bye"))
			c.Hold()
		}, session.Spec{}, []string{
			`Close 1000: answered after less than 0.1 ms by a close frame 1000 "bye"; the server does not end the TCP connection within 10 s.`,
			`A close frame without a code: answered after less than 0.1 ms by a close frame 1000 "bye"; the server does not end the TCP connection within 10 s.`,
			`It opens after less than 0.1 ms.`,
			`An unknown subprotocol: opens, and none is agreed upon.`,
			`A foreign Origin: opens. -> check the Origin if cookies authenticate: any page that a browser shows can open the endpoint`,
			`Another path: opens. -> do not take an open socket for a right path`,
			`Compression: opens, but it is declined.`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := examined(t, test.script, "", Options{Spec: test.spec, For: MinFor})
				says(t, r.lines("close opening"), test.want...)
			})
		})
	}
}

// TestTLS holds that the end of a connection below TLS is told as what it is.
func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wstest.MemoryTLS(catalogue(nil), nil)
		defer server.Close()
		s := session.Spec{Opening: probe.Opening{URL: server.URL + "idle-cut?after=20s", Dial: server.Dial, TLS: server.ClientTLS()}}
		r, err := Run(t.Context(), Options{Spec: s, For: DefaultFor, Longest: DefaultLongest})
		if err != nil || r.Idle == nil || r.Idle.After.Duration().Round(1e9) != 20e9 || r.Idle.Way != session.ByFIN || !*r.Idle.Pings {
			t.Fatalf("%v, %+v", err, r)
		}
		if r.Longest == nil || r.Longest.Taken != 65536 || !r.Longest.Exact || r.Longest.Code != 1009 {
			t.Errorf("%+v", r.Longest)
		}
	})
}

// TestHalf holds that an interval that is advised is round, and leaves time for a second try.
func TestHalf(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{
		250 * time.Millisecond: 100 * time.Millisecond, time.Second: 500 * time.Millisecond, 3 * time.Second: time.Second,
		30 * time.Second: 15 * time.Second, time.Minute: 30 * time.Second, 119 * time.Second: 45 * time.Second,
		200 * time.Second: 100 * time.Second, time.Hour: 30 * time.Minute,
	} {
		if got := half(limit); got != want {
			t.Errorf("%v for %v, want %v", got, limit, want)
		}
	}
}
