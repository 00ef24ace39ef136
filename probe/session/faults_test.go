package session

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// fault is something that a server does to a session, and the end that it makes of an open one.
type fault struct {
	do    wstest.Script
	cause Cause
	kind  reasons.ErrorType
	code  int
}

// faults are those that need no time of their own. Each leaves the connection as it says.
func faults() map[string]fault {
	say := func(data string) wstest.Script { return func(c *wstest.Conn) { c.Raw(data); c.Hold() } }
	flood := func(before, data string) wstest.Script {
		return func(c *wstest.Conn) { c.Raw(before); c.Flood(strings.Repeat(data, 1000)) }
	}
	fin := func(before string) wstest.Script { return func(c *wstest.Conn) { c.Raw(before); c.FIN(); c.Hold() } }
	half := func(before string) wstest.Script {
		return func(c *wstest.Conn) { c.Raw(before); c.FIN(); c.Pause(2 * time.Minute) }
	}
	begun := wstest.Frame{Opcode: wstest.OpText, Payload: "begun", More: true}.Bytes()
	closing := wstest.Close(1001, "a deploy").Bytes()
	return map[string]fault{
		"FIN":                             {fin(""), ByFIN, reasons.UnexpectedEOF, 1006},
		"FIN, and the other half stays":   {half(""), ByFIN, reasons.UnexpectedEOF, 1006},
		"data and FIN at once":            {fin(wstest.Text("x").Bytes()), ByFIN, reasons.UnexpectedEOF, 1006},
		"FIN within a message":            {fin(begun), ByFIN, reasons.UnexpectedEOF, 1006},
		"FIN within a header":             {fin("\x81"), ByFIN, reasons.UnexpectedEOF, 1006},
		"RST":                             {(*wstest.Conn).Reset, ByReset, reasons.ConnectionReset, 1006},
		"close frame and FIN":             {fin(closing), ByClose, reasons.CloseFrame, 1001},
		"close frame, then mute":          {say(closing), ByClose, reasons.CloseFrame, 1001},
		"close frame behind a message":    {say(wstest.Text("x").Bytes() + closing), ByClose, reasons.CloseFrame, 1001},
		"close frame, then a flood":       {flood(closing, wstest.Text("x").Bytes()), ByClose, reasons.CloseFrame, 1001},
		"close frame with a false code":   {say(wstest.Close(999, "").Bytes()), ByBreach, reasons.ProtocolError, 1002},
		"close frame that is not UTF-8":   {say(wstest.Close(1008, "\xff").Bytes()), ByBreach, reasons.ProtocolError, 1007},
		"a frame of 256 MiB":              {say(wstest.Frame{Opcode: wstest.OpBinary, Announce: 256 << 20}.Bytes()), ByBreach, reasons.MessageTooBig, 1009},
		"a flood of a long message":       {flood(begun, wstest.Frame{Payload: strings.Repeat("x", 1000), More: true}.Bytes()), ByBreach, reasons.MessageTooBig, 1009},
		"masked":                          {say(wstest.Frame{Opcode: wstest.OpText, Payload: "x", Masked: true}.Bytes()), ByBreach, reasons.ProtocolError, 1002},
		"no frame at all":                 {say("HTTP/1.1 200 OK\r\n\r\n"), ByBreach, reasons.ProtocolError, 1002},
		"a fragment of nothing":           {say(wstest.Frame{Payload: "x"}.Bytes()), ByBreach, reasons.ProtocolError, 1002},
		"a text that is not UTF-8":        {say(wstest.Text("\xff").Bytes()), ByBreach, reasons.ProtocolError, 1007},
		"a long Ping":                     {say(wstest.Ping(strings.Repeat("p", 126)).Bytes()), ByBreach, reasons.ProtocolError, 1002},
		"mute":                            {say(""), ByPing, reasons.PongTimeout, 1000},
		"a flood of messages":             {flood("", wstest.Text("x").Bytes()), ByPing, reasons.PongTimeout, 1000},
		"a flood of empty messages":       {flood("", wstest.Text("").Bytes()), ByPing, reasons.PongTimeout, 1000},
		"a flood of empty fragments":      {flood(begun, wstest.Frame{More: true}.Bytes()), ByPing, reasons.PongTimeout, 1000},
		"a flood of Pings":                {flood("", wstest.Ping("p").Bytes()), ByPing, reasons.PongTimeout, 1000},
		"a message that never ends":       {say(begun), ByPing, reasons.PongTimeout, 1000},
		"a frame that announces too much": {say(wstest.Frame{Opcode: wstest.OpText, Announce: 1 << 20}.Bytes()), ByPing, reasons.PongTimeout, 1000},
	}
}

// times are those of its life at which a fault can meet a session. Each has the scripts of
// the connections, and the end that comes of it. Over is closed after the end.
func times() map[string]func(*Spec, fault, <-chan struct{}) ([]wstest.Script, fault) {
	return map[string]func(*Spec, fault, <-chan struct{}) ([]wstest.Script, fault){
		"right after the open": func(_ *Spec, f fault, _ <-chan struct{}) ([]wstest.Script, fault) {
			return []wstest.Script{func(c *wstest.Conn) { c.Accept(); f.do(c) }}, f
		},
		"later": func(_ *Spec, f fault, _ <-chan struct{}) ([]wstest.Script, fault) {
			return []wstest.Script{func(c *wstest.Conn) { c.Accept(); answerPings(c, 2); f.do(c) }}, f
		},
		"in the closing handshake": func(s *Spec, f fault, _ <-chan struct{}) ([]wstest.Script, fault) {
			s.MaxLifetime = MinLifetime
			return []wstest.Script{func(c *wstest.Conn) { c.Accept(); answerPings(c, 1000); f.do(c) }}, fault{cause: ByLifetime, code: 1000}
		},
		"while the next session opens": func(s *Spec, f fault, over <-chan struct{}) ([]wstest.Script, fault) {
			s.MaxLifetime, s.Renew = MinLifetime, RenewBefore
			next := make(chan struct{})
			return []wstest.Script{func(c *wstest.Conn) {
				c.Accept()
				for { // until the next one knocks
					select {
					case <-next:
						f.do(c)
						return
					default:
						answerPings(c, 1)
					}
				}
			}, func(c *wstest.Conn) {
				c.Request()
				close(next)
				<-over
				c.Accept()
				c.Serve()
			}}, f
		},
	}
}

// answerPings answers Pings, so many of them, or those before a close frame.
func answerPings(c *wstest.Conn, n int) {
	for range n {
		f := c.Read()
		if f.Opcode == wstest.OpClose {
			return
		}
		c.Send(wstest.Pong(f.Payload))
	}
}

// TestFaults does every fault to sessions at every time of their life, with TLS and without, on a poller and with a
// goroutine of their own. Each session ends once, as it should, and the next one opens.
func TestFaults(t *testing.T) {
	var all sync.WaitGroup
	for name, f := range faults() {
		for when, begin := range times() {
			for _, how := range []string{"ws", "wss", "ws in a hub", "wss in a hub"} {
				name := strings.Join([]string{name, when, how}, ", ")
				all.Go(func() {
					if problem := suffer(t, f, begin, how); problem != "" {
						t.Errorf("%s: %s", name, problem)
					}
				})
			}
		}
	}
	all.Wait()
}

// suffer holds a session through a fault, until the next one is open. It returns what was wrong.
func suffer(t *testing.T, f fault, begin func(*Spec, fault, <-chan struct{}) ([]wstest.Script, fault), how string) string {
	start := plain
	if strings.HasPrefix(how, "wss") {
		start = secured
	}
	s := Spec{PingInterval: MinInterval, PingTimeout: 20 * sec, Timeout: 30 * sec}
	over := make(chan struct{})
	played, want := begin(&s, f, over)
	if want.cause == ByPing {
		s.PingTimeout = sec
	}
	if s.Connections == nil {
		played = append(played, ordinary)
	}
	server, with := start(scripts(played...))
	defer server.Close()
	s.URL, s.TLS = server.URL, with.TLS
	if s.Connections != nil {
		s.Connections["sub"] = probe.Connection{URL: s.URL + "sub"}
		s.URL += "pub"
	}
	hub := NewHub(Options{Random: func() float64 { return 0 }})
	session, err := hub.New(s)
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
	defer cancel()
	run := session.Hold
	if strings.HasSuffix(how, "in a hub") {
		run = session.inHub
	}
	var book ledger
	var end *End
	run(ctx, func(e Event) {
		book.note(e)
		if e.Kind == Ended && end == nil {
			end = e.End
			close(over)
		}
		if book.opened > 1 && book.ended > 0 {
			cancel()
		}
	})
	switch {
	case end == nil:
		return "no end"
	case end.Cause != want.cause || end.ErrorType != want.kind || end.Code != want.code:
		return fmt.Sprintf("ended by %s: %s %d, want %s: %s %d (%s)", end.Cause, end.ErrorType, end.Code, want.cause, want.kind, want.code, shown(end.Detail))
	case hub.memory.left.Load() != DefaultMemory:
		return fmt.Sprint(DefaultMemory-hub.memory.left.Load(), " bytes are held")
	}
	return book.verdict()
}

// TestFaultsOfAGroup does every fault to either connection of a session that has two. The session ends once, by the
// fault, and both are opened anew.
func TestFaultsOfAGroup(t *testing.T) {
	var all sync.WaitGroup
	for name, f := range faults() {
		for _, path := range []string{"/pub", "/sub"} {
			for _, how := range []string{"ws", "wss", "ws in a hub", "wss in a hub"} {
				all.Go(func() {
					var hit atomic.Bool
					second := func(c *wstest.Conn) {
						if c.Request().URL.Path != path || hit.Swap(true) {
							ordinary(c)
						}
						c.Accept()
						answerPings(c, 2)
						f.do(c)
					}
					twice := func(s *Spec, f fault, _ <-chan struct{}) ([]wstest.Script, fault) {
						s.Connections = map[string]probe.Connection{"sub": {}}
						s.Heartbeat = &Heartbeat{Interval: time.Hour, Steps: []probe.Step{{Send: new("x")}, {On: "sub", Expect: new("x"), Measure: true}}}
						return []wstest.Script{second}, f
					}
					if problem := suffer(t, f, twice, how); problem != "" {
						t.Errorf("%s, %s, %s: %s", name, path, how, problem)
					}
				})
			}
		}
	}
	all.Wait()
}
