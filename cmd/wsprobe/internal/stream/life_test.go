package stream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestEnds holds how each end of a connection is counted and explained, and when the next one opens: all random numbers
// are a half. No event is lost.
func TestEnds(t *testing.T) {
	sends := func(end func(*wstest.Conn), frames ...wstest.Frame) func(*wstest.Conn) {
		return func(c *wstest.Conn) {
			c.Accept()
			c.Pause(sec)
			c.Send(frames...)
			end(c)
		}
	}
	fin := func(*wstest.Conn) {}
	wait := func(c *wstest.Conn) { c.Watch() }
	refuse := func(status int, lines ...string) func(*wstest.Conn) {
		return func(c *wstest.Conn) { c.Refuse(status, "", lines...) }
	}
	for name, test := range map[string]struct {
		script       func(*wstest.Conn)
		ends         string
		detail, hint string // parts of them
		again        time.Duration
	}{
		"1000 and FIN":        {sends(fin, wstest.Close(1000, "bye")), "server 1000 x1", `close frame 1000 "bye"`, "", sec + 250*ms},
		"1000 without FIN":    {sends(wait, wstest.Close(1000, "")), "server 1000 x1", "close frame 1000", "", sec + 250*ms},
		"1001":                {sends(wait, wstest.Close(1001, "")), "server 1001 x1", "close frame 1001", "stops or restarts", sec + 250*ms},
		"no code":             {sends(wait, wstest.Close(1005, "")), "server 1005 x1", "close frame without a code", "", sec + 250*ms},
		"1008":                {sends(wait, wstest.Close(1008, "who?")), "server 1008 x1", `close frame 1008 "who?"`, "credentials", sec + 250*ms},
		"1012 is a restart":   {sends(wait, wstest.Close(1012, "")), "server 1012 x1", "close frame 1012", "restarts", sec + 17500*ms},
		"1013 asks to wait":   {sends(wait, wstest.Close(1013, "")), "server 1013 x1", "close frame 1013", "overloaded", sec + 45*sec},
		"4000":                {sends(fin, wstest.Close(4000, "kicked")), "server 4xxx x1", `close frame 4000 "kicked"`, "application's own", sec + 250*ms},
		"FIN":                 {sends(fin), "network 1006 x1", "FIN without a close frame", "ping_interval", sec + 250*ms},
		"RST":                 {sends((*wstest.Conn).Reset), "network 1006 x1", "RST without a close frame", "ping_interval", sec + 250*ms},
		"a masked frame":      {sends(wait, wstest.Frame{Opcode: wstest.OpText, Masked: true}), "agent 1002 x1", "masked", "RFC 6455", sec + 250*ms},
		"a reserved bit":      {sends(wait, wstest.Frame{Opcode: wstest.OpText, RSV: 1}), "agent 1002 x1", "reserved", "RFC 6455", sec + 250*ms},
		"a message too long":  {sends(wait, wstest.Frame{Opcode: wstest.OpText, Announce: 2 << 20}), "agent 1009 x1", "more than", "", sec + 250*ms},
		"401":                 {refuse(401), "401 x1", "401", "credentials", 250 * ms},
		"403":                 {refuse(403), "403 x1", "403", "", 250 * ms},
		"503 and Retry-After": {refuse(503, "Retry-After: 20"), "503 x1", "503", "", 20*sec + 250*ms},
		"503":                 {refuse(503), "503 x1", "503", "", 250 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var second time.Time
				r := start(t, peer{opened: func(n int, c *wstest.Conn) {
					if n == 1 {
						test.script(c)
						c.FIN()
						c.Pause(time.Hour)
					}
					second = time.Now()
					c.Accept()
				}}, nil)
				defer r.stop()
				began := time.Now()
				r.observe("p", "a")
				if r.wait(test.again - ms); r.stream.State().Open != 0 {
					t.Error("it is open")
				}
				state := r.stream.State()
				if !strings.Contains(state.Detail, test.detail) || !strings.Contains(state.Hint, test.hint) || test.hint == "" && strings.Contains(state.Hint, "\x00") {
					t.Errorf("detail %q, hint %q", state.Detail, state.Hint)
				}
				r.wait(time.Minute)
				if again := second.Sub(began); again < test.again || again > test.again+closeBudget {
					t.Errorf("opened again after %v, want %v", again, test.again)
				}
				if got := r.ends(); !strings.HasSuffix(got, test.ends) {
					t.Errorf("ends: %s, want %s", got, test.ends)
				}
				if state, counts := r.stream.State(), r.stream.Counts(); state.Open != 1 || state.Detail != "" || counts.Sent != 1 || !state.Since.Equal(second) {
					t.Errorf("%+v, %+v", state, counts)
				}
			})
		})
	}
}

// TestHalfOpen: a connection that says nothing any more is noticed by its Ping, without an event.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{mute: func(n int) bool { return n == 1 }}, nil)
		defer r.stop()
		r.wait(30*sec + 10*sec + grace - ms)
		if got := r.ends(); got != "" {
			t.Error(got)
		}
		r.wait(2 * sec)
		if got := r.ends(); got != "timeout 1001 x1" || r.stream.State().Open != 1 {
			t.Errorf("%s, %+v", got, r.stream.State())
		}
	})
}

// TestUnread: a server that reads nothing ends the connection by the time of a write, and loses nothing.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{mute: func(n int) bool { return n == 1 }}, func(o *Options) { o.PingInterval, o.PingTimeout, o.WriteTimeout = 0, time.Hour, 5*sec })
		defer r.stop()
		big := strings.Repeat("x", 100<<10)
		r.observe("p", big, "b")
		r.wait(5*sec + 200*ms)
		if got := r.stream.State(); got.Open != 0 || !strings.Contains(got.Detail, "not read for 5 s") {
			t.Errorf("%+v", got)
		}
		r.wait(sec)
		if got := r.arrived(); got != "2:"+big+"*1 2:b" || r.ends() != "timeout 1006 x1" {
			t.Errorf("%d bytes, %s", len(got), r.ends())
		}
	})
}

// TestFlaps: a server that goes down and up ten times in a second ends in one healthy connection, and no event is lost.
func TestFlaps(t *testing.T) {
	for _, how := range []Proof{Pong, Message} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			r := start(t, peer{opened: func(n int, c *wstest.Conn) {
				age := time.Since(began)
				if phase := age % (100 * ms); age < sec && phase < 50*ms {
					c.Reset()
				}
				if c.Accept(); age < sec {
					c.Pause(50*ms - age%(50*ms))
					c.Reset()
				}
			}, message: func(_ int, text string) []wstest.Frame {
				if how == Pong {
					return nil
				}
				return []wstest.Frame{ack(t, text)}
			}}, func(o *Options) { o.Acknowledgements, o.Reconnect.Min = how, 100*ms })
			defer r.stop()
			for i := range 100 {
				r.observe("p", fmt.Sprint(i))
				r.wait(10 * ms)
			}
			r.wait(time.Minute)
			if state, counts := r.stream.State(), r.stream.Counts(); state.Open != 1 || counts.Sent != 100 {
				t.Errorf("%+v, %+v", state, counts)
			}
		})
	}
}

// TestWorkers: each probe's events go by one connection, in order.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{}, func(o *Options) { o.Workers = 4 })
		defer r.stop()
		for i := range 50 {
			for p := range 20 {
				r.observe(fmt.Sprint("p", p), fmt.Sprintf("p%d/%03d", p, i))
			}
		}
		r.wait(5 * sec)
		by, used := make(map[string][]string), make(map[string]bool)
		for _, text := range r.texts {
			connection, body, _ := strings.Cut(text, " ")
			e := decoded(t, body)[0]
			by[e.Probe+" by "+connection] = append(by[e.Probe+" by "+connection], e.ID)
			used[connection] = true
		}
		if len(by) != 20 || len(used) != 4 {
			t.Errorf("%d probes and connections, %d connections", len(by), len(used))
		}
		for probe, ids := range by {
			if len(ids) != 50 || !slices.IsSorted(ids) {
				t.Errorf("%s: %v", probe, ids)
			}
		}
	})
}

// TestDrain holds what the stop waits for, and for how long.
func TestDrain(t *testing.T) {
	for name, test := range map[string]struct {
		peer   peer
		change func(*Options)
		took   time.Duration // the least, and closeBudget more at most
		sent   int64
		closes string
	}{
		"nothing to do": {peer{}, nil, 0, 3, "[1001]"},
		"a slow server": {peer{pong: func(_ int, payload string) []wstest.Frame {
			time.Sleep(400 * ms) // the events may share a Ping, or need two
			return []wstest.Frame{wstest.Pong(payload)}
		}}, nil, 400 * ms, 3, "[1001]"},
		"a deaf server": {peer{mute: func(int) bool { return true }}, nil, 2 * sec, 0, "[]"},
		"a mute server": {peer{pong: func(int, string) []wstest.Frame { return nil }}, nil, 2 * sec, 0, "[1001]"},
		"a dead server": {peer{opened: func(_ int, c *wstest.Conn) { c.Reset() }}, nil, 2 * sec, 0, "[]"},
		"a server that refuses and then does not": {peer{opened: func(n int, c *wstest.Conn) {
			if n == 1 {
				c.Reset()
			}
			c.Accept()
		}}, nil, 250 * ms, 3, "[1001]"},
		"a silent server": {peer{opened: func(_ int, c *wstest.Conn) { c.Hold() }}, nil, 2 * sec, 0, "[]"},
		"written":         {peer{pong: func(int, string) []wstest.Frame { return nil }}, func(o *Options) { o.Acknowledgements = Written }, 0, 3, "[1001]"},
		"linger":          {peer{}, func(o *Options) { o.Batch.Events, o.Batch.Linger = 10, time.Minute }, 0, 3, "[1001]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, test.peer, test.change)
				r.observe("p", "a", "b", "c")
				synctest.Wait()
				began := time.Now()
				r.stop()
				if took := time.Since(began); took < test.took || took > test.took+closeBudget+pace {
					t.Errorf("%v, want %v", took, test.took)
				}
				counts := r.stream.Counts()
				if counts.Sent != test.sent || counts.Discarded[buffer.Stopped] != 3-test.sent || fmt.Sprint(r.closes) != test.closes {
					t.Errorf("%+v, closes %v", counts, r.closes)
				}
				if r.observe("p", "late"); r.stream.Counts().Discarded[buffer.Stopped] != 4-test.sent {
					t.Errorf("%+v", r.stream.Counts())
				}
			})
		})
	}
	t.Run("nothing waits and nothing opens", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, peer{opened: func(_ int, c *wstest.Conn) { c.Hold() }}, nil)
			synctest.Wait()
			began := time.Now()
			if r.stop(); time.Since(began) > 0 {
				t.Error(time.Since(began))
			}
		})
	})
}

// TestRefused: an event that the server refuses again and again is given up, and the others arrive.
func TestRefused(t *testing.T) {
	refusing := func(code int, which func(text string) bool) peer {
		return peer{message: func(_ int, text string) []wstest.Frame {
			if which(text) {
				return []wstest.Frame{wstest.Close(code, "")}
			}
			return nil
		}}
	}
	poison := func(text string) bool { return strings.Contains(text, `"poison"`) }
	for name, test := range map[string]struct {
		peer   peer
		events int // of a batch
		sent   int64
		lost   int64
	}{
		"1009 for one event":                            {refusing(1009, poison), 1, 6, 1},
		"1009 for one event of a batch":                 {refusing(1009, poison), 10, 6, 1},
		"1007 for one event of a batch":                 {refusing(1007, poison), 10, 6, 1},
		"1003 for one event":                            {refusing(1003, poison), 1, 6, 1},
		"1003 for all: it is the encoding":              {refusing(1003, func(string) bool { return true }), 1, 0, 0},
		"1009 for a batch that is too long":             {refusing(1009, func(text string) bool { return strings.Count(text, "id") > 3 }), 10, 7, 0},
		"another code has nothing to do with the event": {refusing(1011, poison), 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, test.peer, func(o *Options) { o.Batch.Events = test.events })
				defer r.stop()
				if strings.HasPrefix(name, "another code") {
					r.observe("p", "poison") // nothing gets past it
				}
				r.observe("p", "a", "b", "poison", "c", "d", "e", "f")
				r.wait(10 * time.Minute)
				if c := r.stream.Counts(); c.Sent != test.sent || c.Discarded[buffer.Rejected] != test.lost {
					t.Errorf("%s: %+v, %s", r.arrived(), c, r.ends())
				}
			})
		})
	}
}

// TestLongEvents: an event of 1 MiB arrives, and a flood of messages from the server takes no memory.
func TestLongEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{}, nil)
		defer r.stop()
		long := strings.Repeat("x", 1<<20)
		r.observe("p", long, "b")
		r.wait(sec)
		if got := r.arrived(); got != "1:"+long+" 1:b" || r.stream.Counts().Sent != 2 {
			t.Errorf("%d bytes, %+v", len(got), r.stream.Counts())
		}
	})
}

func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const floods, size = 200, 256 << 10
		flood := wstest.Text(strings.Repeat("x", size)).Bytes()
		r := start(t, peer{opened: func(n int, c *wstest.Conn) {
			c.Accept()
			for range floods {
				c.Raw(flood)
			}
		}, message: func(_ int, text string) []wstest.Frame { return []wstest.Frame{ack(t, text)} }}, func(o *Options) { o.Acknowledgements = Message })
		defer r.stop()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r.observe("p", "a")
		r.wait(sec)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); r.stream.Counts().Sent != 1 || grown > 1<<20 {
			t.Errorf("%+v, %d bytes", r.stream.Counts(), grown)
		}
	})
}

// TestCheck holds what a check says, and that it leaves by 1000.
func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		opened func(int, *wstest.Conn)
		want   string
	}{
		"open":                         {nil, ""},
		"refused":                      {func(_ int, c *wstest.Conn) { c.Refuse(401, "") }, "401"},
		"closed":                       {func(_ int, c *wstest.Conn) { c.Accept(); c.Send(wstest.Close(1008, "token")); c.Watch() }, `1008 "token"`},
		"no answer to the close frame": {func(_ int, c *wstest.Conn) { c.Accept(); c.Watch() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := start(t, peer{opened: test.opened}, func(o *Options) { o.Reconnect.Min = time.Hour; o.Reconnect.Max = time.Hour })
				server.stop()
				fresh := &rig{t: t}
				endpoint := wstest.Memory(func(c *wstest.Conn) { fresh.serve(c, peer{opened: test.opened}) })
				defer endpoint.Close()
				o := server.stream.setup.Load().Opening
				o.URL, o.Dial = endpoint.URL, endpoint.Dial
				err := Check(t.Context(), o, sec)
				if synctest.Wait(); test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("%v, want %q", err, test.want)
				}
				if test.want == "" && len(fresh.closes) == 1 && fresh.closes[0] != 1000 {
					t.Errorf("closed by %v", fresh.closes)
				}
			})
		})
	}
}

// TestSlowServer: a server that takes its time for each event, before it looks at a Ping behind it, gets no more at once
// than it can take within the timeout of a Ping. It keeps its connection, but for a beginning with too much.
func TestSlowServer(t *testing.T) {
	for _, how := range []Proof{Pong, Message} {
		for _, each := range []time.Duration{10 * ms, 100 * ms, 200 * ms, sec} {
			t.Run(fmt.Sprint(how, " ", each), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := start(t, peer{message: func(_ int, text string) []wstest.Frame {
						if time.Sleep(each); how == Pong {
							return nil
						}
						return []wstest.Frame{ack(t, text)}
					}}, func(o *Options) { o.Acknowledgements, o.PingInterval = how, 5*sec })
					defer r.stop()
					const events = 1500
					for i := range events {
						r.observe("p", fmt.Sprintf("%04d", i))
					}
					r.wait(events*each + 2*time.Minute)
					if c := r.stream.Counts(); c.Sent != events || c.Resent > 2*firstEvents {
						t.Errorf("%+v, %s", c, r.ends())
					}
				})
			})
		}
	}
}

// TestAddresses: every address of the name is tried, also after the one in use is gone.
func TestAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alive := netip.MustParseAddr("192.0.2.1")
		r := start(t, peer{opened: func(n int, c *wstest.Conn) {
			if c.Accept(); n == 1 {
				c.Pause(sec)
				c.Reset()
			}
		}}, func(o *Options) {
			there := o.Opening.Dial
			o.Opening.URL = "ws://wall.example/"
			o.Opening.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("192.0.2.8"), netip.MustParseAddr("2001:db8::1"), alive}, nil
			}
			o.Opening.Dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
				if addr.Addr() != alive {
					return nil, syscall.ECONNREFUSED
				}
				return there(ctx, addr)
			}
		})
		defer r.stop()
		r.observe("p", "a")
		r.wait(5 * sec)
		if c := r.stream.Counts(); c.Established != 2 || len(c.Failed) > 0 || c.Sent != 1 {
			t.Errorf("%+v", c)
		}
	})
}
