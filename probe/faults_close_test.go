package probe_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// closed is a row of an endpoint that opens and is gone before the reply.
func closed(name string, err reasons.ErrorType, code int, why string, script wstest.Script) endpoint {
	return endpoint{name: name, script: script, opened: true, reason: reasons.ClosedEarly, err: err,
		closeCode: code, closeWhy: why, ends: 1500 * time.Millisecond}
}

func TestClosedEarly(t *testing.T) {
	t.Parallel()
	codes := map[int]string{1000: "bye", 1001: "going away", 1003: "text not wanted", 1007: "", 1008: "policy",
		1009: "too big",
		1010: "extension", 1011: "internal error", 1012: "restart", 1013: "try again later", 1014: "bad gateway",
		3000: "registered",
		3999: "", 4000: "own", 4001: "token expired", 4999: strings.Repeat("é", 61)}
	for code, why := range codes {
		name := "close_" + strconv.Itoa(code)
		e := closed(name+"_after_send", reasons.CloseFrame, code, why, wstest.CloseWith(code, why))
		e.saw, e.detail = []int{code}, "close frame "+strconv.Itoa(code)
		e.test(t)
		e = closed(name+"_at_open", reasons.CloseFrame, code, why, wstest.CloseAtOpen(code, why))
		e.saw = []int{code}
		e.test(t)
	}
	empty := closed("close_empty", reasons.CloseFrame, 1005, "", wstest.CloseWith(1005, ""))
	empty.saw = []int{1005}
	gone := func(pause time.Duration, end func(*wstest.Conn)) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept()
			c.Pause(pause)
			end(c)
		}
	}
	fin := func(c *wstest.Conn) { c.FIN(); c.Watch() }
	reset := func(c *wstest.Conn) { c.Reset() }
	for _, e := range []endpoint{
		empty,
		closed("close_1013_then_rst", reasons.CloseFrame, 1013, "later", func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Close(1013, "later").Bytes())
			c.Pause(100 * time.Millisecond)
			c.Reset()
		}),
		closed("close_1013_and_rst", reasons.CloseFrame, 1013, "later", func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Close(1013, "later").Bytes())
			c.Reset()
		}),
		closed("close_then_fin", reasons.CloseFrame, 1011, "x", func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Close(1011, "x").Bytes())
			c.FIN()
			c.Watch()
		}),
		closed("close_then_more_data", reasons.CloseFrame, 4000, "",
			wstest.Frames(wstest.Close(4000, ""), wstest.Text(pong))),
		closed("close_then_breach", reasons.CloseFrame, 4000, "",
			wstest.Frames(wstest.Close(4000, ""), wstest.Frame{Opcode: 11})),
		closed("close_inside_fragments", reasons.CloseFrame, 4000, "", wstest.Frames(
			wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true}, wstest.Close(4000, ""))),
		closed("fin_at_open", reasons.UnexpectedEOF, 1006, "", gone(0, fin)),
		closed("fin_after_open", reasons.UnexpectedEOF, 1006, "", gone(50*time.Millisecond, fin)),
		closed("fin_after_send", reasons.UnexpectedEOF, 1006, "", wstest.Drop),
		closed("rst_at_open", reasons.ConnectionReset, 1006, "", gone(50*time.Millisecond, reset)),
		closed("rst_after_send", reasons.ConnectionReset, 1006, "", wstest.Reset),
		closed("fin_mid_message", reasons.UnexpectedEOF, 1006, "", after(func(c *wstest.Conn) {
			c.Send(wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true})
			c.FIN()
			c.Watch()
		})),
		closed("fin_mid_frame", reasons.UnexpectedEOF, 1006, "", after(func(c *wstest.Conn) {
			c.Raw(wstest.Text(pong).Bytes()[:9])
			c.FIN()
			c.Watch()
		})),
		closed("fin_mid_close", reasons.UnexpectedEOF, 1006, "", after(func(c *wstest.Conn) {
			c.Raw("\x88\x05\x03")
			c.FIN()
			c.Watch()
		})),
	} {
		e.test(t)
	}
}

func TestCloseAfterReply(t *testing.T) {
	for _, e := range []endpoint{
		{name: "reply_then_close_1000", script: wstest.Frames(wstest.Text(pong), wstest.Close(1000, "")),
			ends: 1500 * time.Millisecond},
		{name: "reply_then_close_1011", script: wstest.Frames(wstest.Text(pong), wstest.Close(1011, "")),
			saw: []int{1011}, ends: 1500 * time.Millisecond},
		{name: "reply_then_fin", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.FIN()
			c.Watch()
		}), ends: 1700 * time.Millisecond},
		{name: "reply_then_breach", script: wstest.Frames(wstest.Text(pong), wstest.Frame{Opcode: 11}),
			saw: []int{1002}},
		{name: "reply_then_huge", script: wstest.Frames(wstest.Text(pong),
			wstest.Frame{Opcode: wstest.OpText, Announce: 1 << 40}), saw: []int{1009}},
		{name: "never_answers_close", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Watch()
		}), most: 900 * time.Millisecond},
		{name: "never_reads_close", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Hold()
		}), saw: []int{0, 1000}},
		{name: "answers_close_keeps_tcp", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			for c.Read().Opcode != wstest.OpClose {
			}
			c.Send(wstest.Close(1000, ""))
			c.Hold()
		})},
		{name: "floods_during_close", alone: true, on: onlyTCP, script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Flood(wstest.Text(strings.Repeat("x", 4000)).Bytes())
		})},
		{name: "pings_during_close", alone: true, on: onlyTCP, script: after(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Flood(wstest.Ping("x").Bytes())
		})},
	} {
		e.test(t)
	}
}

func TestProtocolError(t *testing.T) {
	t.Parallel()
	text := wstest.Text(pong)
	broken := func(name string, frames ...wstest.Frame) endpoint {
		e := closed(name, reasons.ProtocolError, 1002, "", wstest.Frames(frames...))
		e.detail, e.saw, e.ends = "protocol error", []int{1002}, 0
		return e
	}
	invalid := func(name string, frames ...wstest.Frame) endpoint {
		e := broken(name, frames...)
		e.closeCode, e.saw = 1007, []int{1007}
		return e
	}
	masked, rsv1, rsv2, rsv3, long16, long64 := text, text, text, text, text, text
	masked.Masked, rsv1.RSV, rsv2.RSV, rsv3.RSV, long16.Length, long64.Length = true, 4, 2, 1, wstest.Length16,
		wstest.Length64
	fin := invalid("bad_utf8_then_fin")
	fin.script = after(func(c *wstest.Conn) { c.Raw(wstest.Text(pong + "\xff").Bytes()); c.FIN(); c.Watch() })
	early := broken("masked_at_open")
	early.script = func(c *wstest.Conn) { c.Raw(c.AcceptHead() + masked.Bytes()); c.Watch() }
	for _, e := range []endpoint{
		broken("masked_reply", masked),
		broken("reserved_opcode_11", wstest.Frame{Opcode: 11}),
		broken("reserved_opcode_3", wstest.Frame{Opcode: 3, Payload: pong}),
		broken("rsv1_not_negotiated", rsv1),
		broken("rsv2", rsv2),
		broken("rsv3", rsv3),
		broken("text_inside_fragments", wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true}, text),
		broken("continuation_without_start", wstest.Frame{Payload: pong}),
		broken("control_fragmented", wstest.Frame{Opcode: wstest.OpPing, More: true}, text),
		broken("ping_of_126_bytes", wstest.Ping(strings.Repeat("x", 126)), text),
		broken("ping_length_16", wstest.Frame{Opcode: wstest.OpPing, Payload: "x", Length: wstest.Length16}, text),
		broken("length_not_minimal", long64),
		broken("length_not_minimal_16", long16),
		broken("length_negative", wstest.Frame{Opcode: wstest.OpText, Announce: 1 << 63}),
		broken("close_code_999", wstest.Close(999, "")),
		broken("close_code_0", wstest.Close(0, "")),
		broken("close_code_1004", wstest.Close(1004, "")),
		broken("close_code_1005_on_the_wire", wstest.Frame{Opcode: wstest.OpClose, Payload: "\x03\xed"}),
		broken("close_code_1006_on_the_wire", wstest.Close(1006, "")),
		broken("close_code_1015", wstest.Close(1015, "")),
		broken("close_code_2999", wstest.Close(2999, "")),
		broken("close_code_5000", wstest.Close(5000, "")),
		broken("close_one_byte", wstest.Frame{Opcode: wstest.OpClose, Payload: "\x03"}),
		invalid("close_reason_bad_utf8", wstest.Close(1008, "\xff")),
		invalid("bad_utf8_text", wstest.Text(pong+"\xff")),
		invalid("bad_utf8_surrogate", wstest.Text(pong+"\xed\xa0\x80")),
		invalid("bad_utf8_overlong", wstest.Text(pong+"\xc0\xaf")),
		invalid("bad_utf8_cut", wstest.Text(pong+"\xe2\x82")),
		invalid("bad_utf8_across_fragments", wstest.Fragments(wstest.OpText, pong+"\xe2", "\x41")...),
		fin, early,
	} {
		e.test(t)
	}
}

func TestTooBig(t *testing.T) {
	big := func(name string, script wstest.Script) endpoint {
		e := closed(name, reasons.MessageTooBig, 1009, "", script)
		e.saw, e.detail, e.ends = []int{1009}, "message of more than", 0
		return e
	}
	small := big("limit_of_its_own", wstest.Reply(strings.Repeat("x", 11)))
	small.change = func(s *probe.Spec, _ *wstest.Server) { s.MaxReply = 10 }
	tiny := big("fragments_one_byte", after(func(c *wstest.Conn) {
		c.Send(wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true})
		c.Flood(strings.Repeat(wstest.Frame{Payload: "x", More: true}.Bytes(), 4000))
	}))
	tiny = flooding(tiny)
	tiny.change = func(s *probe.Spec, _ *wstest.Server) { s.MaxReply = 64 << 10 }
	for _, e := range []endpoint{
		small, tiny,
		big("frame_1gib_announced", after(func(c *wstest.Conn) {
			c.Send(wstest.Frame{Opcode: wstest.OpBinary, Payload: "0123456789", Announce: 1<<30 - 10})
			c.Watch()
		})),
		big("frame_largest", wstest.Frames(wstest.Frame{Opcode: wstest.OpText, Announce: 1<<63 - 1})),
		big("one_byte_over", wstest.Reply(strings.Repeat("x", 1<<20+1))),
		flooding(big("fragments_endless", after(func(c *wstest.Conn) {
			c.Send(wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true})
			c.Flood(wstest.Frame{Payload: strings.Repeat("x", 4000), More: true}.Bytes())
		}))),
	} {
		e.test(t)
	}
}
