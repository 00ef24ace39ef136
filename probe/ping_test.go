package probe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// ponging answers the first ping by hand, whose payload it gives.
func ponging(answer func(c *wstest.Conn, payload string)) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept()
		f := c.Read()
		if f.Opcode == wstest.OpClose {
			c.Send(wstest.Close(1000, ""))
			return
		}
		if f.Opcode != wstest.OpPing || !f.Masked || len(f.Payload) < 8 || len(f.Payload) > 125 {
			c.Send(wstest.Close(1002, "a ping was due"))
			return
		}
		answer(c, f.Payload)
	}
}

// TestPingFrame runs the families against a probe that sends a Ping in place of a message.
func TestPingFrame(t *testing.T) {
	silence := func(name string, script wstest.Script) endpoint {
		return unanswered(name, reasons.PongTimeout, script)
	}
	pongs := func(frames func(payload string) []wstest.Frame) wstest.Script {
		return ponging(func(c *wstest.Conn, payload string) {
			c.Send(frames(payload)...)
			c.Serve()
		})
	}
	breach := closed("pong_masked", reasons.ProtocolError, 1002, "", pongs(func(p string) []wstest.Frame {
		return []wstest.Frame{{Opcode: wstest.OpPong, Payload: p, Masked: true}}
	}))
	breach.saw, breach.detail = []int{1002}, "protocol error"
	invalid := closed("bad_utf8_before_pong", reasons.ProtocolError, 1007, "", pongs(func(p string) []wstest.Frame {
		return []wstest.Frame{wstest.Text("\xff")}
	}))
	invalid.saw, invalid.detail = []int{1007}, "UTF-8"
	other := silence("wrong_pong",
		pongs(func(p string) []wstest.Frame { return []wstest.Frame{wstest.Pong(p[1:]), wstest.Pong("")} }))
	other.detail = "but one with other data"
	for _, e := range []endpoint{
		{name: "pong", script: wstest.Silent},
		{name: "pong_late", least: 190 * time.Millisecond, script: ponging(func(c *wstest.Conn, payload string) {
			c.Pause(200 * time.Millisecond)
			c.Send(wstest.Pong(payload))
			c.Serve()
		})},
		{name: "pong_bytewise", script: ponging(func(c *wstest.Conn, payload string) {
			c.Drip(wstest.Pong(payload).Bytes(), time.Millisecond)
			c.Serve()
		})},
		{name: "pong_among_messages", script: pongs(func(p string) []wstest.Frame {
			return []wstest.Frame{wstest.Text("news"), wstest.Pong("other"),
				{Opcode: wstest.OpText, Payload: "a", More: true}, wstest.Pong(p), {Payload: "b"}}
		})},
		{name: "pong_then_close", script: pongs(func(p string) []wstest.Frame {
			return []wstest.Frame{wstest.Pong(p),
				wstest.Close(1000, "")}
		})},
		{name: "pong_then_breach", saw: []int{1002},
			script: pongs(func(p string) []wstest.Frame { return []wstest.Frame{wstest.Pong(p), {Opcode: 11}} })},
		{name: "pong_then_half_message", script: pongs(func(p string) []wstest.Frame {
			return []wstest.Frame{wstest.Pong(p), {Opcode: wstest.OpText, Payload: "a", More: true}}
		})},
		{name: "pong_after_mebibytes", alone: true, on: onlyTCP, script: ponging(func(c *wstest.Conn, payload string) {
			for range 64 {
				c.Send(wstest.Binary(strings.Repeat("x", 64<<10)))
			}
			c.Send(wstest.Pong(payload))
			c.Serve()
		})},
		// A server with a small receive buffer answers with no more than fits into it.
		{name: "pong_of_ten_bytes_at_most",
			script: pongs(func(p string) []wstest.Frame { return []wstest.Frame{wstest.Pong(p[:min(len(p), 10)])} })},
		silence("no_pong", wstest.Deaf),
		other,
		flooding(silence("messages_but_no_pong", ponging(func(c *wstest.Conn, _ string) {
			c.Flood(wstest.Text("news").Bytes())
		}))),
		silence("half_pong", ponging(func(c *wstest.Conn, p string) { c.Raw(wstest.Pong(p).Bytes()[:5]); c.Watch() })),
		closed("close_for_ping", reasons.CloseFrame, 1008, "no",
			pongs(func(string) []wstest.Frame { return []wstest.Frame{wstest.Close(1008, "no")} })),
		closed("close_at_open_ping", reasons.CloseFrame, 1013, "", wstest.CloseAtOpen(1013, "")),
		closed("fin_for_ping", reasons.UnexpectedEOF, 1006, "", ponging(func(c *wstest.Conn, _ string) {
			c.FIN()
			c.Watch()
		})),
		closed("rst_for_ping", reasons.ConnectionReset, 1006, "", ponging(func(c *wstest.Conn, _ string) {
			c.Reset()
		})),
		breach, invalid,
		refused("refused_ping", "http_403", "", wstest.Refuse(403, "")),
	} {
		if e.name == "refused_ping" {
			e.status = 403
		}
		e.change = func(s *probe.Spec, _ *wstest.Server) { s.PingMode, s.Send, s.Expect = probe.PingFrame, "", "" }
		e.test(t)
	}
}
