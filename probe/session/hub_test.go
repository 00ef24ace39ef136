package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// scripts plays one script after the other, a connection each, and the last one again and again.
func scripts(all ...wstest.Script) wstest.Script {
	var n atomic.Int64
	return func(c *wstest.Conn) { all[min(int(n.Add(1)), len(all))-1](c) }
}

// ordinary opens and then does what an ordinary server does.
func ordinary(c *wstest.Conn) {
	c.Accept()
	c.Serve()
}

// cutAfter opens, serves for a time without a word and ends the connection by FIN.
func cutAfter(d time.Duration) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept()
		c.Pause(d)
		c.FIN()
	}
}

// held holds a script open in a bubble for a time, and returns what was told, with times since the begin.
func held(t *testing.T, s Spec, script wstest.Script, lasts time.Duration) []string {
	var log []string
	synctest.Test(t, func(t *testing.T) {
		server := wstest.Memory(script)
		defer server.Close()
		s.URL, s.Dial = server.URL, server.Dial
		hub := NewHub(Options{Random: func() float64 { return 0.5 }})
		session := newSession(t, hub, s)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		session.Hold(ctx, func(e Event) { log = append(log, fmt.Sprint(e.At.Sub(began), " ", tellOf(e))) })
		log = append(log, fmt.Sprint(time.Since(began), " over"))
	})
	return log
}

// tellOf is an event of a Hub in words.
func tellOf(e Event) string {
	switch e.Kind {
	case Opened:
		return fmt.Sprint("opened, down for ", e.Downtime)
	case OpenFailed:
		return fmt.Sprintf("open failed: %s, next in %v", e.Open.ErrorType, e.Wait)
	case Explained:
		return fmt.Sprintf("explained: %s, sure %t", e.Finding.Verdict, e.Finding.Sure)
	case Ended:
		return fmt.Sprint(describe(e), ", next in ", e.Wait)
	}
	return describe(e)
}

// TestHold holds sessions from open to open, to the nanosecond.
func TestHold(t *testing.T) {
	for name, test := range map[string]struct {
		spec   Spec
		script wstest.Script
		lasts  time.Duration
		want   []string
	}{
		"pings, then stop": {Spec{PingInterval: 20 * sec}, ordinary, 50 * sec,
			[]string{"0s opened, down for 0s", "20s ponged 0s", "40s ponged 0s", "50s ended by stop: ok  1001, next in 0s", "50s closed cleanly", "50s over"}},
		"cut, then opened anew": {Spec{}, scripts(cutAfter(10*sec), ordinary), 30 * sec,
			[]string{"0s opened, down for 0s", "10s ended by fin: ws_closed_early unexpected_eof 1006, next in 250ms", "10s closed",
				"10.25s explained: replaced, sure false", "10.25s opened, down for 250ms", "30s ended by stop: ok  1001, next in 0s", "30s closed cleanly", "30s over"}},
		"stopped, back after two refusals": {Spec{}, scripts(cutAfter(10*sec), wstest.Refuse(503, "", "Retry-After: 5"), wstest.Refuse(403, ""), ordinary), 20 * sec,
			[]string{"0s opened, down for 0s", "10s ended by fin: ws_closed_early unexpected_eof 1006, next in 250ms", "10s closed",
				"10.25s explained: backend_gone, sure true", "10.25s open failed: http_503, next in 5.5s", "15.75s open failed: http_403, next in 1s",
				"16.75s opened, down for 6.75s", "20s ended by stop: ok  1001, next in 0s", "20s closed cleanly", "20s over"}},
		"deaf": {Spec{MaxSilence: 10 * sec, PingInterval: 4 * sec}, scripts(func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Text("hello"))
			c.Serve()
		}, wstest.StallHandshake), 10100 * ms,
			[]string{"0s opened, down for 0s", "0s 5 bytes, gap 0s", "4s ponged 0s", "8s ponged 0s",
				"10s ended by silence: ws_reply_timeout stale 1000, next in 250ms", "10s closed cleanly", "10.1s explained: mute, sure true", "10.1s over"}},
		"renewal, one after the other": {Spec{MaxLifetime: 10 * sec}, ordinary, 15 * sec,
			[]string{"0s opened, down for 0s", "10s ended by lifetime: ok  1000, next in 0s", "10s closed cleanly", "10s explained: planned, sure true", "10s opened, down for 0s",
				"15s ended by stop: ok  1001, next in 0s", "15s closed cleanly", "15s over"}},
		"renewal, the next one first": {Spec{MaxLifetime: 10 * sec, Renew: RenewBefore}, scripts(ordinary, wstest.Refuse(403, ""), ordinary), 15 * sec,
			[]string{"0s opened, down for 0s", "10s renewal due", "10s open failed: http_403, next in 250ms", "10.25s opened, down for 0s",
				"10.25s ended by lifetime: ok  1000, next in 0s", "10.25s closed cleanly", "15s ended by stop: ok  1001, next in 0s", "15s closed cleanly", "15s over"}},
		"a server that does not close": {Spec{}, func(c *wstest.Conn) { c.Accept(); c.Watch() }, 5 * sec,
			[]string{"0s opened, down for 0s", "5s ended by stop: ok  1001, next in 0s", "5.5s closed", "5.5s over"}},
		"stopped while it waits": {Spec{Reconnect: Reconnect{Min: time.Minute}}, wstest.Refuse(403, ""), 5 * sec,
			[]string{"0s open failed: http_403, next in 30s", "5s over"}},
		"heartbeat": {Spec{Heartbeat: &Heartbeat{Send: "hi", Expectation: Expectation{Expect: "hi"}, Interval: 10 * sec}}, wstest.Echo, 15 * sec,
			[]string{"0s opened, down for 0s", "10s beat 0s", "10s 2 bytes", "15s ended by stop: ok  1001, next in 0s", "15s closed cleanly", "15s over"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := held(t, test.spec, test.script, test.lasts); !slices.Equal(got, test.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(test.want, "\n  "))
			}
		})
	}
}

// TestHoldAfterExchange: the messages behind the answer of the exchange are those of the session, compressed or not, in
// part or whole.
func TestHoldAfterExchange(t *testing.T) {
	login, welcome := "login", "welcome"
	spec := Spec{Exchange: []probe.Step{{Send: &login, Expect: &welcome}}, Expectation: Expectation{Expect: "n"}, Sequence: "n"}
	after := wstest.Text(`{"n":3}`).Bytes()
	for name, compress := range map[string]bool{"plain": false, "compressed": true} {
		t.Run(name, func(t *testing.T) {
			s := spec
			if compress {
				s.Compression = probe.CompressionOn
			}
			got := held(t, s, func(c *wstest.Conn) {
				frame := wstest.Text
				if compress {
					c.Accept(wstest.Deflate)
					d := wstest.NewDeflater()
					frame = func(text string) wstest.Frame { return wstest.Compressed(d.Message(text)) }
				} else {
					c.Accept()
				}
				c.Read()
				c.Raw(frame(welcome).Bytes() + frame(`{"n":1}`).Bytes() + wstest.Ping("p").Bytes() + frame(`{"n":2}`).Bytes() + after[:4])
				c.Pause(sec)
				c.Raw(after[4:] + frame(`{"n":5}`).Bytes())
				c.Serve()
			}, 2*sec)
			want := []string{"0s opened, down for 0s", "0s 7 bytes, gap 0s", "0s 7 bytes, gap 0s", "1s 7 bytes, gap 1s", "1s 7 bytes, gap 0s, lost 1",
				"2s ended by stop: ok  1001, next in 0s", "2s closed cleanly", "2s over"}
			for i := range got { // an exchange listens for greetings for 10 ms
				got[i] = strings.NewReplacer("10ms ", "0s ", "1.01s ", "1s ", "2.01s ", "2s ").Replace(got[i])
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// TestHoldOverTCP: real sockets, with TLS and without, behave as those in memory.
func TestHoldOverTCP(t *testing.T) {
	script := func() wstest.Script {
		return scripts(func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Text("one"), wstest.Ping("are you there?"))
			c.Read()
			c.Send(wstest.Close(1001, "a deploy"))
			c.Watch()
		}, func(c *wstest.Conn) {
			c.Accept()
			c.Read()
			c.Reset()
		}, ordinary)
	}
	for name, start := range map[string]func(wstest.Script) (*wstest.Server, Spec){
		"ws": plain, "wss": secured, "ws in a hub": plain, "wss in a hub": secured,
	} {
		t.Run(name, func(t *testing.T) {
			server, s := start(script())
			defer server.Close()
			s.URL, s.PingInterval, s.Reconnect.Min = server.URL, MinInterval, MinInterval
			hub := NewHub(Options{Random: func() float64 { return 0 }})
			session := newSession(t, hub, s)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
			defer cancel()
			var told []string
			run := session.Hold
			if strings.HasSuffix(name, "in a hub") {
				run = session.inHub
			}
			run(ctx, func(e Event) {
				switch e.Kind {
				case Ended:
					told = append(told, string(e.End.Cause)+" "+e.End.CloseReason)
				case Ponged:
					told = append(told, "ponged")
					cancel()
				case Received:
					told = append(told, fmt.Sprint(e.Message.Size, " bytes"))
				}
			})
			if got := strings.Join(told, ", "); got != "3 bytes, close a deploy, reset , ponged, stop " {
				t.Error(got)
			}
		})
	}
}

// TestAnswerWhileWeStoodStill: what came before an agent that stood still looks again is not late.
func TestAnswerWhileWeStoodStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wstest.Memory(func(c *wstest.Conn) {
			c.Accept()
			ping := c.Read()
			c.Send(wstest.Text("stand still"))
			c.Pause(sec)
			c.Send(wstest.Text("more"), wstest.Pong(ping.Payload))
			c.Serve()
		})
		defer server.Close()
		s := Spec{PingInterval: 10 * sec, PingTimeout: 2 * sec}
		s.URL, s.Dial = server.URL, server.Dial
		session := newSession(t, NewHub(Options{}), s)
		ctx, cancel := context.WithTimeout(t.Context(), 45*sec)
		defer cancel()
		var told []string
		session.Hold(ctx, func(e Event) {
			if e.Kind == Received && e.Message.Size > 4 {
				time.Sleep(20 * sec) // the process is stopped
			}
			told = append(told, strings.Fields(describe(e) + " opened")[0])
		})
		if got := strings.Join(told, " "); got != "0 11 4 ponged ponged ponged ended closed" {
			t.Error(got)
		}
	})
}

// TestMessageAfterALongWait: a message can be judged, however long the session has waited for it.
func TestMessageAfterALongWait(t *testing.T) {
	log := held(t, Spec{Sequence: "n"}, func(c *wstest.Conn) {
		c.Accept()
		for _, text := range []string{`{"n":1}`, `{"n":3}`} {
			c.Pause(10 * sec)
			c.Send(wstest.Text(text))
		}
		c.Serve()
	}, 25*sec)
	if want := "20s 7 bytes, gap 10s, lost 1"; !slices.Contains(log, want) {
		t.Errorf("no %q in %q", want, log)
	}
}

// TestPreview: a receiver can see how a message begins, without secrets, also where the beginning ends in one.
func TestPreview(t *testing.T) {
	const secret = "s3cret-t0ken-that-nobody-may-see"
	synctest.Test(t, func(t *testing.T) {
		server := wstest.Memory(func(c *wstest.Conn) {
			c.Accept()
			c.Pause(sec)
			c.Send(wstest.Text("\x1b[2J key "+secret), wstest.Text("0123456 "+secret+" and more"), wstest.Binary("\x00"), wstest.Text(secret[:16]), wstest.Text(secret[16:]+"!"))
			c.Serve()
		})
		defer server.Close()
		s := Spec{}
		s.URL, s.Dial, s.Headers = server.URL, server.Dial, map[string]string{"X-Key": secret}
		session, err := NewHub(Options{Preview: 20}).New(s)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*sec)
		defer cancel()
		var seen []string
		session.Hold(ctx, func(e Event) {
			if e.Kind == Received {
				seen = append(seen, fmt.Sprint(e.Message.Beginning(), " ", e.Message.Binary))
			}
		})
		if want := []string{`\x1b[2J key [redacted] false`, "0123456 [redacted] false", `\x00 true`, "[redacted] false", "[redacted]! false"}; !slices.Equal(seen, want) {
			t.Errorf("%q, want %q", seen, want)
		}
	})
}

// TestStopWhileDown: an end before a stop is explained without another open, once.
func TestStopWhileDown(t *testing.T) {
	for name, run := range map[string]func(*Session, context.Context, func(Event)){"by itself": (*Session).Hold, "in a hub": (*Session).inHub} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := wstest.Memory(cutAfter(10 * sec))
				defer server.Close()
				s := Spec{Reconnect: Reconnect{Min: time.Minute}}
				s.URL, s.Dial = server.URL, server.Dial
				session, err := NewHub(Options{Random: func() float64 { return 0.5 }}).New(s)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*sec)
				defer cancel()
				var told []Kind
				run(session, ctx, func(e Event) { told = append(told, e.Kind) })
				if want := []Kind{Opened, Ended, Closed, Explained}; !slices.Equal(told, want) {
					t.Errorf("%v, want %v", told, want)
				}
			})
		})
	}
}
