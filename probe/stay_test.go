package probe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// staying is a probe of an interpretation whose socket must stay open.
func staying(i probe.Interpretation, open time.Duration, steps ...probe.Step) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, _ *wstest.Server) {
		s.Interpretation, s.StayOpen, s.Exchange, s.Send, s.Expect = i, open, steps, "", ""
	}
}

// TestStayOpenExactly counts the time from the 101, or from the end of the last step.
func TestStayOpenExactly(t *testing.T) {
	t.Parallel()
	closes := func(after time.Duration, code int) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept()
			c.Pause(after)
			c.Send(wstest.Close(code, "no"))
			c.Watch()
		}
	}
	slow := func(c *wstest.Conn) {
		c.Accept()
		c.Message()
		c.Pause(100 * ms)
		c.Send(wstest.Text("b"), wstest.Ping("?"), wstest.Text("more"))
		c.Pause(700 * ms)
		c.Send(wstest.Text("and more"))
		c.Serve()
	}
	late := func(c *wstest.Conn) { c.Request(); c.Pause(1500 * ms); c.Accept(); c.Serve() }
	for name, row := range map[string]struct {
		script wstest.Script
		change func(*probe.Spec, *wstest.Server)
		reason reasons.Code
		err    reasons.ErrorType
		ended  time.Duration
		code   int
		detail string
	}{
		"stays": {wstest.Silent, staying(probe.HandshakeLatency, time.Second), reasons.OK, "", time.Second,
			0, ""},
		"stays as success": {wstest.Silent, staying(probe.ConnectionSuccess, time.Second), reasons.OK, "", time.Second,
			0, ""},
		"stays after the last step": {slow, staying(probe.RoundTripLatency, time.Second, asks("a", "b")), reasons.OK,
			"",
			listened + 100*ms + time.Second, 0, ""},
		"closed before": {closes(999*ms, 4406), staying(probe.HandshakeLatency, time.Second), reasons.ClosedEarly,
			reasons.CloseFrame,
			999 * ms, 4406, "before it had stayed open for 1s, 999 ms after the open"},
		"closed after": {closes(1001*ms, 4406), staying(probe.HandshakeLatency, time.Second), reasons.OK, "",
			time.Second, 4406, ""},
		"ends before": {func(c *wstest.Conn) {
			c.Accept()
			c.Pause(20 * ms)
			c.FIN()
			c.Watch()
		}, staying(probe.ConnectionSuccess, time.Second),
			reasons.ClosedEarly, reasons.UnexpectedEOF, 20 * ms, 1006, "20 ms after the open"},
		"breach meanwhile": {func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Frame{Opcode: 11})
			c.Watch()
		}, staying(probe.HandshakeLatency, time.Second), reasons.ClosedEarly, reasons.ProtocolError, 0, 1002,
			"protocol error"},
		"time is up": {late, staying(probe.HandshakeLatency, time.Second), reasons.ReplyTimeout,
			reasons.StayTimeout, 2 * time.Second, 0, "stays open"},
		"just in time": {late, staying(probe.HandshakeLatency, 500*ms), reasons.OK, "", 2 * time.Second, 0, ""},
	} {
		inBubble(t, false, row.script, row.change, func(r probe.Result, _ time.Duration) {
			if r.Reason != row.reason || r.ErrorType != row.err || r.Ended.Sub(r.Started) != row.ended ||
				r.CloseCode != row.code || !strings.Contains(r.Detail, row.detail) {
				t.Errorf("%s: %v, %s, %v, %d, %q", name, r.Reason, r.ErrorType, r.Ended.Sub(r.Started), r.CloseCode,
					r.Detail)
			}
		})
	}
}

// TestClosesAreTold has a server close a socket that was ok by then: whoever closes first is told, an answer is not.
func TestClosesAreTold(t *testing.T) {
	t.Parallel()
	answers := func(code int) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept()
			for c.Read().Opcode != wstest.OpClose {
			}
			c.Send(wstest.Close(code, ""))
		}
	}
	for name, row := range map[string]struct {
		script wstest.Script
		code   int
		why    string
	}{
		"with the 101": {func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Close(1008, "go").Bytes())
			c.Watch()
		}, 1008, "go"},
		"a moment later": {func(c *wstest.Conn) {
			c.Accept()
			c.Pause(ms)
			c.Send(wstest.Close(4406, "Subprotocol not acceptable"))
			c.Watch()
		}, 4406, "Subprotocol not acceptable"},
		"1000 at once": {func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Close(1000, "").Bytes())
			c.Watch()
		}, 1000, ""},
		"answer":           {answers(1000), 0, ""},
		"answer, no code":  {answers(1005), 0, ""},
		"answer, bad code": {answers(1006), 0, ""},
	} {
		for _, i := range []probe.Interpretation{probe.HandshakeLatency, probe.ConnectionSuccess} {
			inBubble(t, false, row.script, staying(i, 0), func(r probe.Result, _ time.Duration) {
				if r.Reason != reasons.OK || r.CloseCode != row.code || r.CloseReason != row.why || r.CloseByProbe ||
					(r.Hint(nil) != "") != (row.code != 0) {
					t.Errorf("%s: %v, %d %q, %q", name, r.Reason, r.CloseCode, r.CloseReason, r.Hint(nil))
				}
			})
		}
	}
}

// TestExchangeWithEveryInterpretation waits for a greeting, and gets a login through.
func TestExchangeWithEveryInterpretation(t *testing.T) {
	t.Parallel()
	for _, i := range probe.Interpretations() {
		for name, row := range map[string]struct {
			script wstest.Script
			steps  []probe.Step
			reason reasons.Code
			trip   time.Duration
		}{
			"greeting": {func(c *wstest.Conn) {
				c.Accept()
				c.Pause(30 * ms)
				c.Send(wstest.Text("hello"))
				c.Serve()
			}, []probe.Step{hears("hello")}, reasons.OK, 30 * ms},
			"login":   {conversation(">a", "<b"), []probe.Step{asks("a", "b")}, reasons.OK, 0},
			"refused": {conversation(">a", "<c"), []probe.Step{asks("a", "b")}, reasons.ReplyMismatch, -1},
		} {
			inBubble(t, false, row.script, staying(i, 0, row.steps...), func(r probe.Result, _ time.Duration) {
				if r.Reason != row.reason || r.Replied != (row.trip >= 0) || r.Replied && r.RoundTrip != row.trip ||
					!r.Opened || len(r.Steps) != 1 {
					t.Errorf("%s, %s: %+v", i, name, r)
				}
			})
		}
	}
}
