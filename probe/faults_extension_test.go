package probe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestBadExtension: what a server may not answer to the offer of compression is found before the socket opens.
func TestBadExtension(t *testing.T) {
	t.Parallel()
	for name, extensions := range map[string]string{
		"ext_unknown":                  "x-made-up",
		"ext_unknown_beside":           "permessage-deflate, x-made-up",
		"ext_deflate_unknown_param":    "permessage-deflate; made_up_param",
		"ext_deflate_twice":            "permessage-deflate, permessage-deflate",
		"ext_deflate_param_twice":      "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
		"ext_deflate_window_too_small": "permessage-deflate; server_max_window_bits=7",
		"ext_deflate_client_window":    "permessage-deflate; client_max_window_bits=15",
		"ext_webkit_frame":             "x-webkit-deflate-frame",
	} {
		e := violated(name, reasons.BadExtension, "101 with the extension \""+extensions,
			answers(func(c *wstest.Conn) string {
				return c.AcceptHead("Sec-WebSocket-Extensions: " + extensions)
			}))
		offered(e).test(t)
	}
}

// TestExtensions: the result tells what was agreed upon, and shows messages as they were before they were compressed.
func TestExtensions(t *testing.T) {
	t.Parallel()
	const params = "; server_max_window_bits=12;client_no_context_takeover"
	for name, test := range map[string]struct {
		script     wstest.Script
		compressed bool
		extensions string
	}{
		"agreed": {deflates(params, messages("something else", "one thing more")...), true,
			"permessage-deflate; server_max_window_bits=12; client_no_context_takeover"},
		"declined":    {wstest.Reply("one thing more"), true, ""},
		"not offered": {wstest.Reply("one thing more"), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server *wstest.Server
			change := func(s *probe.Spec, srv *wstest.Server) {
				if server = srv; test.compressed {
					offering(s, srv)
				}
			}
			inBubble(t, false, test.script, change, func(r probe.Result, _ time.Duration) {
				if r.Reason != reasons.ReplyMismatch || r.Extensions != test.extensions ||
					r.LastReply != "one thing more" {
					t.Errorf("got %+v", r)
				}
				server.Wait()
				head := server.Last().Head
				if strings.Contains(head, "Sec-WebSocket-Extensions: permessage-deflate\r\n") != test.compressed {
					t.Errorf("request %q", head)
				}
			})
		})
	}
}

// TestDeflateAndPing: compressed messages are none of a Ping's business, but have to be what they say.
func TestDeflateAndPing(t *testing.T) {
	t.Parallel()
	pinging := func(e endpoint) endpoint {
		e.change = func(s *probe.Spec, _ *wstest.Server) { s.PingMode, s.Send, s.Expect = probe.PingFrame, "", "" }
		return offered(e)
	}
	answering := func(answer func(c *wstest.Conn, ping wstest.Frame)) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept(wstest.Deflate)
			if f := c.Read(); f.Opcode == wstest.OpPing {
				answer(c, f)
			}
			c.Serve()
		}
	}
	pinging(endpoint{name: "deflate_before_the_pong_ok", script: answering(func(c *wstest.Conn, ping wstest.Frame) {
		c.Send(append(messages("one", "two"), wstest.Pong(ping.Payload))...)
	})}).test(t)
	broken := closed("deflate_garbage_for_a_pong", reasons.ProtocolError, 1007, "",
		answering(func(c *wstest.Conn, _ wstest.Frame) {
			c.Send(wstest.Compressed("\xff"))
		}))
	broken.saw = []int{1007}
	pinging(broken).test(t)
}
