package probe_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// lateConn is a connection on a machine so busy that the timer of a deadline comes late.
type lateConn struct{ net.Conn }

func (c lateConn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(t.Add(100 * ms)) }

// TestLateTimer: what comes after the deadline is late, even if the timer of the deadline is later still.
func TestLateTimer(t *testing.T) {
	const timeout = 500 * ms
	late := func(c *wstest.Conn, answer func()) {
		c.Pause(timeout + 20*ms)
		answer()
		c.Pause(time.Minute)
	}
	for name, test := range map[string]struct {
		script wstest.Script
		change func(*probe.Spec, *wstest.Server)
		reason reasons.Code
		err    reasons.ErrorType
	}{
		"reply": {func(c *wstest.Conn) {
			c.Accept()
			late(c, func() { c.Send(wstest.Text(pong)) })
		}, nil, reasons.ReplyTimeout, reasons.ReplyTimedOut},
		"reply to a step": {func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Pause(250 * ms)
			c.Send(wstest.Text("b"))
			c.Pause(time.Minute)
		}, exchanging(within(200*ms, asks("a", "b"))), reasons.ReplyTimeout, reasons.ReplyTimedOut},
		"pong": {func(c *wstest.Conn) {
			c.Accept()
			asked := c.Read()
			late(c, func() { c.Send(wstest.Pong(asked.Payload)) })
		}, func(s *probe.Spec, _ *wstest.Server) {
			s.Send, s.Expect, s.PingMode = "", "", probe.PingFrame
		}, reasons.ReplyTimeout, reasons.PongTimeout},
		"101": {func(c *wstest.Conn) {
			late(c, func() { c.Accept() })
		}, nil, reasons.HandshakeTimeout, reasons.UpgradeTimeout},
		"refusal": {func(c *wstest.Conn) {
			late(c, func() { c.Refuse(403, "") })
		}, nil, reasons.HandshakeTimeout, reasons.UpgradeTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(s *probe.Spec, server *wstest.Server) {
				s.Timeout = timeout
				s.Dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
					conn, err := server.Dial(ctx, addr)
					return lateConn{conn}, err
				}
				if test.change != nil {
					test.change(s, server)
				}
			}
			inBubble(t, false, test.script, change, func(r probe.Result, _ time.Duration) {
				if r.Reason != test.reason || r.ErrorType != test.err || r.Replied {
					t.Errorf("%v, %s (%s); want %v, %s", r.Reason, r.ErrorType, r.Detail, test.reason, test.err)
				}
			})
		})
	}
}

// frozenConn is a connection on a machine that stands still while a run listens for a greeting.
type frozenConn struct {
	net.Conn
	by time.Duration
}

func (c *frozenConn) SetDeadline(t time.Time) error {
	if time.Until(t) <= listened {
		t, c.by = t.Add(c.by), 0
	}
	return c.Conn.SetDeadline(t)
}

// TestFrozen: a machine that stands still before the message is sent is no silence of the endpoint's, and shows in the
// result even if there is time left.
func TestFrozen(t *testing.T) {
	const timeout = 500 * ms
	for name, test := range map[string]struct {
		freeze, handshake time.Duration
		mode              probe.PingMode
		reason            reasons.Code
		err               reasons.ErrorType
		overloaded        bool
	}{
		"past the deadline": {freeze: 1200 * ms, mode: probe.PingMessage, reason: reasons.ReplyTimeout,
			err: reasons.LocalResources, overloaded: true},
		"both": {freeze: 1200 * ms, mode: probe.PingBoth, reason: reasons.ReplyTimeout,
			err: reasons.LocalResources, overloaded: true},
		"for a moment": {freeze: 300 * ms, mode: probe.PingMessage, reason: reasons.OK,
			overloaded: true},
		"endpoint slower than the freeze": {freeze: 120 * ms, handshake: timeout - 5*ms, mode: probe.PingMessage,
			reason: reasons.ReplyTimeout, err: reasons.ReplyTimedOut, overloaded: true},
		"not at all": {mode: probe.PingMessage, reason: reasons.OK},
		"slow endpoint": {handshake: timeout - 5*ms, mode: probe.PingMessage,
			reason: reasons.ReplyTimeout, err: reasons.ReplyTimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			script := func(c *wstest.Conn) {
				c.Request()
				c.Pause(test.handshake)
				c.Raw(c.AcceptHead())
				for {
					c.Message()
					c.Send(wstest.Text(pong))
				}
			}
			change := func(s *probe.Spec, server *wstest.Server) {
				s.Timeout, s.PingMode = timeout, test.mode
				s.Dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
					conn, err := server.Dial(ctx, addr)
					return &frozenConn{conn, test.freeze}, err
				}
			}
			inBubble(t, false, script, change, func(r probe.Result, _ time.Duration) {
				if r.Reason != test.reason || r.ErrorType != test.err || r.Overloaded() != test.overloaded ||
					r.RoundTrip > 0 {
					t.Errorf("%v, %s (%s), lag %v, round trip %v", r.Reason, r.ErrorType, r.Detail, r.Lag, r.RoundTrip)
				}
				sent := r.Detail != "the time of 500ms was up with nothing sent yet"
				if sent != (r.Reason == reasons.OK) {
					t.Errorf("detail %q", r.Detail)
				}
			})
		})
	}
}
