package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// relay is a server that sends what comes on its path /pub to those on its path /sub, after a delay.
type relay struct {
	delay time.Duration
	// do is asked about each message, by its number from 1, and may act on the subscriber in place of the relay.
	do func(n int, sub *wstest.Conn) (done bool)

	mu     sync.Mutex
	sub    *wstest.Conn
	heard  []string
	closes []int // codes that came, in order
}

func (r *relay) script(c *wstest.Conn) {
	subscribes := c.Request().URL.Path == "/sub"
	if subscribes {
		r.mu.Lock()
		r.sub = c
		r.mu.Unlock()
	}
	c.Accept()
	for {
		switch f := c.Read(); f.Opcode {
		case wstest.OpClose:
			r.mu.Lock()
			r.closes = append(r.closes, int(f.Payload[0])<<8|int(f.Payload[1]))
			r.mu.Unlock()
			c.Send(wstest.Close(1000, ""))
			return
		case wstest.OpPing:
			c.Send(wstest.Pong(f.Payload))
		case wstest.OpText:
			if !subscribes {
				r.relay(f.Payload)
				c.Send(wstest.Text("ok"))
			}
		}
	}
}

func (r *relay) relay(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, text)
	if r.do != nil && r.do(len(r.heard), r.sub) {
		return
	}
	time.Sleep(r.delay)
	r.sub.Send(wstest.Text("{\"text\":\"" + text + "\"}"))
}

// fanOut is a heartbeat from the publisher to the subscriber.
func fanOut() Spec {
	return Spec{Heartbeat: &Heartbeat{Interval: 2 * sec, Timeout: sec, Steps: []probe.Step{
		{Send: new("{{nonce}}"), Expect: new("ok")}, {On: "sub", ExpectPattern: `"text":"(?P<got>{{nonce}})"`, Measure: true}, {Send: new("again {{got}}")},
		{On: "sub", Expect: new("again {{nonce}}")},
	}}}
}

// holds holds a session until observe says that it is enough.
func holds(t *testing.T, s Spec, server *wstest.Server, inHub bool, enough func(Event) bool) {
	t.Helper()
	s.URL = server.URL + "pub"
	s.Connections = map[string]probe.Connection{"sub": {URL: server.URL + "sub"}}
	hub := NewHub(Options{})
	session := newSession(t, hub, s)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // only a hang meets it
	defer cancel()
	observe := func(e Event) {
		if enough(e) {
			cancel()
		}
	}
	if inHub {
		session.inHub(ctx, observe)
	} else {
		session.Hold(ctx, observe)
	}
	if left := hub.memory.left.Load(); left != DefaultMemory {
		t.Errorf("%d bytes are held", DefaultMemory-left)
	}
}

// TestFanOutHeartbeat: a heartbeat goes from one connection to another, with a nonce of its own each time, and its round
// trip is the time between the two.
func TestFanOutHeartbeat(t *testing.T) {
	beats := func(t *testing.T, s Spec, r *relay, server *wstest.Server, inHub bool) (trips []time.Duration) {
		ended := 0
		holds(t, s, server, inHub, func(e Event) bool {
			if e.Kind == Beat {
				trips = append(trips, e.RTT)
			}
			if e.Kind == Ended {
				ended++
				if e.End.Cause != ByStop || e.End.Totals.Beats != 3 {
					t.Errorf("%s, %+v: %s", e.End, e.End.Totals, e.End.Detail)
				}
			}
			return len(trips) == 3
		})
		server.Wait()
		said := slices.Clone(r.heard)
		slices.Sort(said)
		if len(slices.Compact(said)) != 6 || ended != 1 || fmt.Sprint(r.closes) != "[1001 1001]" {
			t.Errorf("%q came, %d ends, closed with %v", r.heard, ended, r.closes)
		}
		return trips
	}
	t.Run("in a bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &relay{delay: 50 * ms}
			server := wstest.Memory(r.script)
			defer server.Close()
			s := fanOut()
			s.Dial, s.PingInterval, s.MaxSilence = server.Dial, 700*ms, 0
			if trips := beats(t, s, r, server, false); fmt.Sprint(trips) != "[50ms 50ms 50ms]" {
				t.Error(trips)
			}
		})
	})
	for _, inHub := range []bool{false, true} {
		for name, serve := range map[string]func(wstest.Script) (*wstest.Server, Spec){"ws": plain, "wss": secured} {
			t.Run(fmt.Sprint(name, ", in a hub ", inHub), func(t *testing.T) {
				r := &relay{}
				server, way := serve(r.script)
				defer server.Close()
				s := fanOut()
				s.TLS, s.Heartbeat.Interval, s.Heartbeat.Timeout = way.TLS, MinInterval, time.Minute
				for _, trip := range beats(t, s, r, server, inHub) {
					if trip <= 0 || trip > 30*sec {
						t.Error(trip)
					}
				}
			})
		}
	}
}

// TestEndOfOneIsTheEnd: whichever connection ends, the session does, once, and then opens anew with all of them.
func TestEndOfOneIsTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		do     func(n int, sub *wstest.Conn) bool
		cause  Cause
		on     string
		code   int
		detail string
	}{
		"subscriber is closed": {func(n int, sub *wstest.Conn) bool {
			if n == 3 {
				sub.Send(wstest.Close(1011, "broken"))
			}
			return n == 3
		}, ByClose, "sub", 1011, ""},
		"subscriber is reset": {func(n int, sub *wstest.Conn) bool {
			if n == 3 {
				sub.FIN()
			}
			return n == 3
		}, ByFIN, "sub", 1006, ""},
		"subscriber is deaf": {func(n int, _ *wstest.Conn) bool { return n == 3 }, ByHeartbeat, "", 1000,
			"step 2 of 4 on sub: no answer came within 1s of the heartbeat"},
		"subscriber breaks the protocol": {func(n int, sub *wstest.Conn) bool {
			if n == 4 {
				sub.Send(wstest.Frame{Opcode: 11})
			}
			return n == 4
		}, ByBreach, "sub", 1002, ""},
	} {
		for _, inHub := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", in a hub ", inHub), func(t *testing.T) {
				r := &relay{do: test.do}
				server := wstest.Start(r.script)
				defer server.Close()
				s := fanOut()
				s.Heartbeat.Interval = MinInterval
				s.Reconnect = Reconnect{Min: MinInterval, Max: MinInterval}
				var ledger ledger
				var ends []*End
				after := 0
				holds(t, s, server, inHub, func(e Event) bool {
					ledger.note(e)
					if e.Kind == Ended {
						ends = append(ends, e.End)
					}
					if e.Kind == Beat && len(ends) > 0 {
						after++
					}
					return after == 2
				})
				if len(ends) != 2 || ledger.opened != 2 || len(ledger.problems) > 0 {
					t.Fatalf("%d ends, %+v", len(ends), ledger)
				}
				e := ends[0]
				if e.Cause != test.cause || e.Connection != test.on || e.Code != test.code || !strings.Contains(e.Detail, test.detail) {
					t.Errorf("%s; on %q, %d, %q", e, e.Connection, e.Code, e.Detail)
				}
				if named := strings.Contains(e.String(), "on connection sub"); named != (test.on == "sub") {
					t.Error(e)
				}
				server.Wait()
				if server.Connections() != 4 {
					t.Errorf("%d connections", server.Connections())
				}
			})
		}
	}
}

// TestHeartbeatKnowsTheExchange: what the exchange caught after this open is known to each heartbeat.
func TestHeartbeatKnowsTheExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opens := 0
		server := wstest.Memory(func(c *wstest.Conn) {
			opens++
			ticket := fmt.Sprint("ticket", opens)
			c.Accept()
			c.Send(wstest.Text("hello " + ticket))
			for range 3 {
				if got := c.Message(); got != "ping "+ticket {
					t.Errorf("%q came, want %s", got, ticket)
				}
				c.Send(wstest.Text("pong " + ticket))
			}
			c.Send(wstest.Close(1000, ""))
		})
		defer server.Close()
		s := Spec{Exchange: []probe.Step{{ExpectPattern: "hello (?P<ticket>.+)"}},
			Heartbeat: &Heartbeat{Send: "ping {{ticket}}", Expectation: Expectation{Expect: "pong {{ticket}}"}, Interval: sec}}
		s.URL, s.Dial = server.URL, server.Dial
		session := newSession(t, NewHub(Options{}), s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		beats := 0
		session.Hold(ctx, func(e Event) {
			if e.Kind == Beat {
				if beats++; beats == 6 {
					cancel()
				}
			}
		})
	})
}

// TestRenewalOfAll: a renewal opens all connections anew before it closes the old ones, and no heartbeat fails meanwhile.
func TestRenewalOfAll(t *testing.T) {
	for _, renew := range Renews() {
		t.Run(string(renew), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &relay{delay: 50 * ms}
				server := wstest.Memory(r.script)
				defer server.Close()
				s := fanOut()
				s.Dial, s.MaxLifetime, s.Renew, s.Heartbeat.Interval = server.Dial, 7*sec, renew, 2*sec
				var ledger ledger
				beats, downtime := 0, time.Duration(0)
				holds(t, s, server, false, func(e Event) bool {
					ledger.note(e)
					downtime += e.Downtime
					if e.Kind == Beat {
						beats++
					}
					if e.Kind == Ended && e.End.Cause != ByLifetime && e.End.Cause != ByStop {
						t.Errorf("%s: %s", e.End, e.End.Detail)
					}
					return ledger.opened == 3 && beats == 8
				})
				server.Wait()
				if problem := ledger.verdict(); problem != "" || renew == RenewBefore && downtime != 0 {
					t.Errorf("%s, downtime %v", problem, downtime)
				}
				if fmt.Sprint(r.closes) != "[1000 1000 1000 1000 1001 1001]" || server.Connections() != 6 {
					t.Errorf("closed with %v, %d connections", r.closes, server.Connections())
				}
			})
		})
	}
}

// TestConnectionsOfAnExchange: a connection that only the exchange uses lasts as long as the session, too, and a session
// whose further connection does not open has not opened.
func TestConnectionsOfAnExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &relay{}
		refusals := 2
		server := wstest.Memory(func(c *wstest.Conn) {
			if c.Request().URL.Path == "/sub" && refusals > 0 {
				refusals--
				wstest.Refuse(503, "")(c)
				return
			}
			r.script(c)
		})
		defer server.Close()
		s := Spec{PingInterval: sec, Exchange: []probe.Step{{On: "sub", Send: new("join")}}}
		s.Dial = server.Dial
		var story []string
		pongs := 0
		holds(t, s, server, false, func(e Event) bool {
			switch e.Kind {
			case OpenFailed:
				story = append(story, fmt.Sprintf("%s on %s: %s", e.Open.ErrorType, e.Open.Connection, e.Open.Detail))
			case Opened:
				story = append(story, "opened")
			case Ponged:
				pongs++
			}
			return pongs == 3
		})
		server.Wait()
		if len(story) != 3 || !strings.HasPrefix(story[0], "http_503 on sub: step 1 of 1 on sub: ") || story[2] != "opened" {
			t.Errorf("%q", story)
		}
		if fmt.Sprint(r.closes) != "[1000 1000 1001 1001]" {
			t.Errorf("closed with %v", r.closes)
		}
	})
}

// TestStandstill: an agent that stood still takes no answer for late that another connection has, and no message for
// unsent by the server that it has not sent itself.
func TestStandstill(t *testing.T) {
	spec := fanOut()
	spec.Heartbeat.Steps = spec.Heartbeat.Steps[1:2]
	spec.Heartbeat.Steps = []probe.Step{{Send: new("a")}, {On: "sub", Send: new("b"), Expect: new("c")}}
	main := newRig(t, spec, nil)
	side := &rig{t: t, m: newMachine(main.m.plan.side, nil, opened)}
	g := &group{holders: []*holder{{}, {}}}
	main.m.group, side.m.group, side.m.number = g, g, 1

	main.until(2 * sec)
	main.tick(10 * sec) // the turn of the other connection has come, but it was not served
	side.tick(10 * sec)
	main.tick(10*sec + 999*ms)
	side.feed(10*sec+500*ms, wstest.Text("other"), wstest.Text("c")) // came in time, but both are served late
	main.tick(40 * sec)
	g.noteHeard(1, opened.Add(40*sec))
	main.tick(40 * sec)
	main.want("2s say text a", "40s beat 500ms", "40s say text a")
	side.want("10s say text b", "10.5s 5 bytes, gap 10.5s", "10.5s 1 bytes")

	side.tick(40 * sec)
	main.log = nil
	main.tick(41 * sec)
	if g.noteHeard(1, opened.Add(40*sec)); !g.holders[0].poked {
		t.Error("the main connection is not served")
	}
	main.tick(41 * sec)
	g.noteHeard(1, opened.Add(41*sec))
	main.tick(41 * sec)
	main.want("41s ended by heartbeat: ws_reply_timeout reply_timeout 1000", "41s say close 1000")
	if got := shown(main.ends[0].Detail); got != "step 2 of 2 on sub: no answer came within 1s of the heartbeat" {
		t.Error(got)
	}
}

// TestWaitingMessages: what comes before a step expects it waits for it, within bounds, and is given back.
func TestWaitingMessages(t *testing.T) {
	spec := fanOut()
	spec.Heartbeat.Steps = []probe.Step{{Send: new("a"), Expect: new("ok")}, {On: "sub", Expect: new("one")}, {On: "sub", Expect: new("two"), Measure: true}}
	main := newRig(t, spec, nil)
	side := &rig{t: t, m: newMachine(main.m.plan.side, nil, opened)}
	g := &group{holders: []*holder{{}, {}}}
	main.m.group, side.m.group, side.m.number = g, g, 1

	main.until(2 * sec)
	side.feed(2*sec+10*ms, wstest.Text("one"), wstest.Text("other"), wstest.Text("two"))
	main.feed(2*sec+30*ms, wstest.Text("ok"))
	main.want("2s say text a", "2.03s beat 10ms", "2.03s 2 bytes")
	main.free()

	main.log = nil
	main.until(4 * sec)
	for range 10_000 {
		side.m.feed(&side.w, []byte(wstest.Text(strings.Repeat("x", 100)).Bytes()), opened.Add(4*sec))
		side.w.reset()
	}
	if held := all - main.m.plan.memory.left.Load(); held == 0 || held > maxWaiting {
		t.Errorf("%d bytes wait", held)
	}
	g.noteHeard(1, opened.Add(5*sec))
	main.until(5 * sec)
	main.want("4s say text a", "5s ended by heartbeat: ws_reply_timeout reply_timeout 1000", "5s say close 1000")
	main.free()
}
