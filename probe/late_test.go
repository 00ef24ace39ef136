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
		"101":     {func(c *wstest.Conn) { late(c, func() { c.Accept() }) }, nil, reasons.HandshakeTimeout, reasons.UpgradeTimeout},
		"refusal": {func(c *wstest.Conn) { late(c, func() { c.Refuse(403, "") }) }, nil, reasons.HandshakeTimeout, reasons.UpgradeTimeout},
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
