package bare_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// open opens the endpoint of a script.
func open(t *testing.T, script wstest.Script) (*bare.Conn, *wstest.Server) {
	t.Helper()
	server := wstest.Start(script)
	t.Cleanup(server.Close)
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	c, res, _, err := bare.Open(t.Context(), p)
	if c == nil || err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	t.Cleanup(c.Close)
	c.Until(time.Now().Add(time.Minute)) // only a hang meets it
	return c, server
}

// describe is an event in words.
func describe(e bare.Event) string {
	switch e.Kind {
	case bare.Message:
		return fmt.Sprint("message ", e.Size)
	case bare.Closed:
		return strings.TrimSpace(fmt.Sprint("close ", e.Code, " ", e.Reason))
	case bare.Ping:
		return "ping " + e.Payload
	default:
		return "pong " + e.Payload
	}
}

// TestEvents holds that each message and control frame of a server is told once, and the end of the connection as what
// it is.
func TestEvents(t *testing.T) {
	frames := func(end func(*wstest.Conn), frames ...wstest.Frame) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept()
			c.Message() // the run is over
			c.Send(frames...)
			end(c)
		}
	}
	fin := func(*wstest.Conn) {}
	for name, test := range map[string]struct {
		script wstest.Script
		want   string
		end    error // nil for a breach
	}{
		"messages and pings": {frames(fin, wstest.Text("hello"), wstest.Ping("p"), wstest.Frame{Opcode: wstest.OpText, Payload: "ab", More: true},
			wstest.Pong("q"), wstest.Frame{Payload: "cde"}), "message 5, ping p, pong q, message 5", io.EOF},
		"a close frame":            {frames(fin, wstest.Text(""), wstest.Close(4000, "bye")), "message 0, close 4000 bye", io.EOF},
		"a close frame at once":    {wstest.CloseAtOpen(1008, "go away"), "close 1008 go away", nil},
		"without a code":           {frames(fin, wstest.Close(1005, "")), "close 1005", io.EOF},
		"after it nothing counts":  {frames(fin, wstest.Close(1000, ""), wstest.Text("late")), "close 1000", io.EOF},
		"a reset":                  {frames((*wstest.Conn).Reset), "", syscall.ECONNRESET},
		"a breach of the protocol": {frames((*wstest.Conn).Hold, wstest.Frame{Opcode: wstest.OpText, RSV: 2}), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := open(t, test.script)
			_ = c.SayPadded(nil, false, 1) // a server that has closed does not care
			var got []string
			for {
				e, err := c.Next()
				if err == nil {
					got = append(got, describe(e))
					if test.end == nil && e.Kind == bare.Closed {
						break
					}
					continue
				}
				if test.end != nil && !errors.Is(err, test.end) || test.end == nil && (errors.Is(err, io.EOF) || bare.TimedOut(err)) {
					t.Errorf("ended by %v, want %v", err, test.end)
				}
				break
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestSay holds that the server gets exactly what is said, and nothing else: its Pings have no answer.
func TestSay(t *testing.T) {
	got := make(chan string, 10)
	c, _ := open(t, func(c *wstest.Conn) {
		c.Accept()
		c.Message() // the run is over
		c.Send(wstest.Ping("anybody?"))
		for {
			f := c.Read()
			got <- fmt.Sprintf("%x %d %.3s", f.Opcode, len(f.Payload), f.Payload)
		}
	})
	if err := c.SayPadded(nil, false, 1); err != nil {
		t.Fatal(err)
	}
	if e, err := c.Next(); err != nil || e.Kind != bare.Ping {
		t.Errorf("%+v, %v", e, err)
	}
	for _, err := range []error{
		c.SayPadded([]byte("abc"), false, 3), c.SayPadded([]byte("ab"), true, 125), c.SayPadded([]byte(strings.Repeat("x", 50_000)), false, 70_000),
		c.SayPadded(nil, false, 126), c.SayPing("p"), c.SayPong("q"), c.SayClose(1000), c.SayClose(bare.NoCode),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, want := range []string{"1 3 abc", "2 125 ab ", "1 70000 xxx", "1 126    ", "9 1 p", "a 1 q", "8 2 \x03\xe8", "8 0 "} {
		if said := <-got; said != want {
			t.Errorf("%q, want %q", said, want)
		}
	}
}

// TestLongMessage holds that a long message takes a small buffer.
func TestLongMessage(t *testing.T) {
	c, _ := open(t, func(c *wstest.Conn) { c.Accept(); c.Hold() })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := c.SayPadded([]byte("{}"), false, 16<<20); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes", took)
	}
}

// TestUntil holds that no wait outlasts its bound or the end of the context.
func TestUntil(t *testing.T) {
	c, _ := open(t, wstest.Silent)
	c.Until(time.Now().Add(10 * time.Millisecond))
	if _, err := c.Next(); !bare.TimedOut(err) {
		t.Errorf("%v", err)
	}
}

// TestRefused holds that a refusal has a result and no connection.
func TestRefused(t *testing.T) {
	server := wstest.Start(wstest.Refuse(403, "no"))
	defer server.Close()
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if c, res, _, err := bare.Open(t.Context(), p); c != nil || err != nil || res.HTTPStatus != 403 {
		t.Errorf("%v, %d, %v", c, res.HTTPStatus, err)
	}
}
