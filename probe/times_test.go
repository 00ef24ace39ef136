package probe_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

const (
	ms       = time.Millisecond
	listened = 10 * ms // for a greeting, before the send
	budget   = 500 * ms
)

// inBubble runs a probe against a script in memory, where time is exact, and returns how long the run took.
func inBubble(t *testing.T, secure bool, script wstest.Script, change func(*probe.Spec, *wstest.Server),
	check func(r probe.Result, took time.Duration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		serve := wstest.Memory
		if secure {
			serve = func(s wstest.Script) *wstest.Server { return wstest.MemoryTLS(s, nil) }
		}
		s := serve(script)
		defer s.Close()
		spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial}, Interpretation: probe.RoundTripLatency,
			Timeout: 2 * time.Second, Send: ping, Expect: want}
		if secure {
			spec.TLS = s.ClientTLS()
		}
		if change != nil {
			change(&spec, s)
		}
		p, err := probe.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		r, err := p.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(begin)
		if took > spec.Timeout+time.Second {
			t.Errorf("took %v", took)
		}
		check(r, took)
		if t.Failed() {
			t.Logf("%+v", r)
		}
	})
}

// dialAfter is a Dial that takes a while.
func dialAfter(d time.Duration, dial func(context.Context, netip.AddrPort) (net.Conn, error)) func(context.Context,
	netip.AddrPort) (net.Conn, error) {
	return func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return dial(ctx, addr)
		case <-ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: "memory", Err: ctx.Err()}
		}
	}
}

func TestPhasesExactly(t *testing.T) {
	t.Parallel()
	slow := func(c *wstest.Conn) {
		c.Request()
		c.Pause(50 * ms)
		c.Accept()
		c.Message()
		c.Pause(70 * ms)
		c.Send(wstest.Text(pong))
		for c.Read().Opcode != wstest.OpClose {
		}
		c.Pause(90 * ms)
		c.Send(wstest.Close(1000, ""))
	}
	change := func(s *probe.Spec, srv *wstest.Server) {
		s.URL = strings.Replace(s.URL, "192.0.2.1", "localhost", 1)
		s.Resolve = resolver(20*ms, nil, "192.0.2.1")
		s.Dial = dialAfter(30*ms, srv.Dial)
	}
	for _, secure := range []bool{false, true} {
		inBubble(t, secure, slow, change, func(r probe.Result, took time.Duration) {
			if r.Handshake != 100*ms || r.RoundTrip != 70*ms || r.Reason != reasons.OK {
				t.Errorf("handshake %v, round trip %v, want 100ms and 70ms", r.Handshake, r.RoundTrip)
			}
			if took != 100*ms+listened+70*ms+90*ms || r.Ended.Sub(r.Started) != took-90*ms {
				t.Errorf("took %v, ended after %v", took, r.Ended.Sub(r.Started))
			}
			ended, sent := probe.SpanEnded, 100*ms+listened
			phases := probe.Phases{
				probe.PhaseDNS:       {0, 20 * ms, ended},
				probe.PhaseConnect:   {20 * ms, 50 * ms, ended},
				probe.PhaseUpgrade:   {50 * ms, 100 * ms, ended},
				probe.PhaseRoundTrip: {sent, sent + 70*ms, ended},
				probe.PhaseClose:     {sent + 70*ms, sent + 160*ms, ended},
			}
			if secure {
				phases[probe.PhaseTLS] = probe.Span{Start: 50 * ms, End: 50 * ms, State: ended}
			}
			if r.Phases != phases {
				t.Errorf("phases %v, want %v", r.Phases, phases)
			}
		})
	}
}

// TestDeadlineExactly lets the deadline pass in every phase.
func TestDeadlineExactly(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	hang := func(c *wstest.Conn) { c.Hold() }
	forever := func(s *probe.Spec, _ *wstest.Server) {
		s.Dial = func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	for _, test := range []struct {
		err    reasons.ErrorType
		phase  probe.Phase
		script wstest.Script
		change func(*probe.Spec, *wstest.Server)
		took   time.Duration
	}{
		{reasons.DNSTimeout, probe.PhaseDNS, hang, func(s *probe.Spec, _ *wstest.Server) {
			s.URL, s.Resolve = "ws://localhost/", resolver(time.Hour, nil)
		}, timeout},
		{reasons.ConnectTimeout, probe.PhaseConnect, hang, forever, timeout},
		{reasons.TLSTimeout, probe.PhaseTLS, hang, func(s *probe.Spec, _ *wstest.Server) {
			s.URL = "wss://192.0.2.1/"
		}, timeout},
		{reasons.UpgradeTimeout, probe.PhaseUpgrade, wstest.StallHandshake, nil, timeout},
		{reasons.UpgradeTimeout, probe.PhaseUpgrade, wstest.DripHandshake(timeout/3, pong), nil, timeout},
		{reasons.WriteTimeout, probe.PhaseRoundTrip, func(c *wstest.Conn) {
			c.Accept()
			c.Pause(time.Minute)
		}, func(s *probe.Spec, _ *wstest.Server) {
			s.Send = strings.Repeat("x", probe.MaxSendBytes)
		}, timeout + budget},
		{reasons.ReplyTimedOut, probe.PhaseRoundTrip, wstest.Silent, nil, timeout},
		{reasons.ReplyTimedOut, probe.PhaseRoundTrip, wstest.Deaf, nil, timeout + budget},
		{reasons.PongTimeout, probe.PhaseRoundTrip, wstest.Deaf, func(s *probe.Spec, _ *wstest.Server) {
			s.PingMode, s.Send, s.Expect = probe.PingFrame, "", ""
		}, timeout + budget},
	} {
		t.Run(string(test.err), func(t *testing.T) {
			change := func(s *probe.Spec, srv *wstest.Server) {
				if test.change != nil {
					test.change(s, srv)
				}
				s.Timeout = timeout
			}
			inBubble(t, false, test.script, change, func(r probe.Result, took time.Duration) {
				if r.ErrorType != test.err || took != test.took || r.Ended.Sub(r.Started) != timeout {
					t.Errorf("got %v after %v, all in all %v; want %v, %v", r.ErrorType, r.Ended.Sub(r.Started), took,
						test.err, test.took)
				}
				span := r.Phases[test.phase]
				if span.State != probe.SpanBroken || span.End != timeout {
					t.Errorf("phase %v: %+v", test.phase, span)
				}
			})
		})
	}
}

// TestCloseBudgetExactly measures how long a close handshake may take, and that no value knows of it.
func TestCloseBudgetExactly(t *testing.T) {
	t.Parallel()
	reply := func(c *wstest.Conn) { c.Accept(); c.Message(); c.Send(wstest.Text(pong)) }
	for name, test := range map[string]struct {
		script wstest.Script
		close  time.Duration
	}{
		"polite": {wstest.Reply(pong), 0},
		"deaf":   {func(c *wstest.Conn) { reply(c); c.Watch() }, budget},
		"stuck":  {func(c *wstest.Conn) { reply(c); c.Pause(time.Minute) }, budget},
		"flooding": {func(c *wstest.Conn) {
			reply(c)
			c.Pause(ms)
			c.Raw(wstest.Text("x").Bytes())
			c.Watch()
		}, budget},
		"lingering": {func(c *wstest.Conn) {
			reply(c)
			for c.Read().Opcode != wstest.OpClose {
			}
			c.Send(wstest.Close(1000, ""))
			c.Watch()
		}, budget},
		"half frame": {func(c *wstest.Conn) { reply(c); c.Raw("\x81\x7e"); c.Watch() }, budget},
	} {
		for _, secure := range []bool{false, true} {
			if secure && name == "lingering" {
				test.close = 0 // the close_notify of TLS tells the server what the close frame did not
			}
			t.Run(name, func(t *testing.T) {
				inBubble(t, secure, test.script, nil, func(r probe.Result, took time.Duration) {
					if r.RoundTrip != 0 || !r.Replied || r.Handshake != 0 || took != listened+test.close {
						t.Errorf("round trip %v, took %v, want 0 and %v", r.RoundTrip, took, listened+test.close)
					}
				})
			})
		}
	}
}

// TestGreetingExactly greets with the expected text, before and after the probe has stopped listening for that.
func TestGreetingExactly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		greeting, timeout, want time.Duration
	}{
		{0, time.Second, 300 * ms},
		{9 * ms, time.Second, 300 * ms},
		{11 * ms, time.Second, ms}, // nobody can tell this one from a reply
		{6 * ms, 350 * ms, 300 * ms},
		{6 * ms, 100 * ms, ms},
	} {
		script := func(c *wstest.Conn) {
			c.Accept()
			c.Pause(test.greeting)
			c.Send(wstest.Text(pong))
			c.Message()
			c.Pause(300 * ms)
			c.Send(wstest.Text(pong))
			c.Serve()
		}
		inBubble(t, false, script, func(s *probe.Spec, _ *wstest.Server) {
			s.Timeout = test.timeout
		}, func(r probe.Result, _ time.Duration) {
			if r.RoundTrip != test.want {
				t.Errorf("greeting after %v: round trip %v, want %v", test.greeting, r.RoundTrip, test.want)
			}
		})
	}
}

// TestSlowControlFrames holds that a control frame may take as long as it likes, within the deadline.
func TestSlowControlFrames(t *testing.T) {
	t.Parallel()
	for _, frame := range []wstest.Frame{wstest.Ping("hello"), wstest.Pong("hello"), wstest.Ping("")} {
		slow := func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Raw(wstest.Text("no").Bytes())
			c.Drip(frame.Bytes(), 4*time.Second)
			c.Raw(wstest.Text(pong).Bytes())
			c.Serve()
		}
		took := time.Duration(len(frame.Bytes())-1) * 4 * time.Second
		for _, timeout := range []time.Duration{30 * time.Second, took - 1} {
			inBubble(t, false, slow, func(s *probe.Spec, _ *wstest.Server) {
				s.Timeout = timeout
			}, func(r probe.Result, _ time.Duration) {
				want := reasons.OK
				if took > timeout {
					want = reasons.ReplyMismatch
				}
				if r.Reason != want || want == reasons.OK && r.RoundTrip != took {
					t.Errorf("%+v: %v after %v", frame, r.Reason, r.RoundTrip)
				}
			})
		}
	}
}
