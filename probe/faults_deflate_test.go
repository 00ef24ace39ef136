package probe_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// offering is a probe that offers compression.
func offering(s *probe.Spec, _ *wstest.Server) { s.Compression = probe.CompressionOn }

// offered makes a row one of a probe that offers compression.
func offered(e endpoint) endpoint {
	change := e.change
	e.change = func(s *probe.Spec, srv *wstest.Server) {
		offering(s, srv)
		if change != nil {
			change(s, srv)
		}
	}
	return e
}

// deflates agrees to compression, with parameters if there are any, and answers the first message with frames.
func deflates(params string, frames ...wstest.Frame) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept(wstest.Deflate + params)
		c.Message()
		c.Send(frames...)
		c.Serve()
	}
}

// messages are the frames of texts that one compressor made.
func messages(texts ...string) []wstest.Frame {
	var frames []wstest.Frame
	d := wstest.NewDeflater()
	for _, text := range texts {
		frames = append(frames, wstest.Compressed(d.Message(text)))
	}
	return frames
}

// inPieces are the frames of a compressed message, of n bytes each.
func inPieces(payload string, n int) []wstest.Frame {
	var pieces []string
	for len(payload) > n {
		pieces, payload = append(pieces, payload[:n]), payload[n:]
	}
	frames := wstest.Fragments(wstest.OpText, append(pieces, payload)...)
	frames[0].RSV = 4
	return frames
}

func deflated(text string) string { return wstest.NewDeflater().Message(text) }

// noise is a text that hardly compresses.
func noise(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(rand.Text())
	}
	return b.String()[:n]
}

func TestDeflate(t *testing.T) {
	t.Parallel()
	long := noise(40 << 10)
	single := func(frame wstest.Frame) wstest.Script { return deflates("", frame) }
	pings := inPieces(deflated(pong), 1)
	for i := len(pings) - 1; i > 0; i-- {
		pings = append(pings[:i], append([]wstest.Frame{wstest.Ping("in between")}, pings[i:]...)...)
	}
	binary := wstest.Compressed(deflated("\xff\x00" + pong))
	binary.Opcode = wstest.OpBinary
	stored := "\x00\x0d\x00\xf2\xff" + pong + "\x00"
	for _, e := range []endpoint{
		{name: "deflate_ok", script: wstest.DeflateEcho, change: sending(pong)},
		{name: "deflate_strict_client_check", script: strictDeflate},
		{name: "deflate_declined_ok", script: wstest.Reply(pong)},
		{name: "deflate_agreed_and_not_used_ok", script: deflates("", wstest.Text(pong))},
		{name: "deflate_used_and_not_used_ok",
			script: deflates("", append([]wstest.Frame{wstest.Text(long)}, messages(pong[:9], pong)...)...)},
		{name: "deflate_reply_refers_to_the_greeting_ok", script: func(c *wstest.Conn) {
			d := wstest.NewDeflater()
			c.Raw(c.AcceptHead(wstest.Deflate) + wstest.Compressed(d.Message(pong)).Bytes())
			c.Send(wstest.Compressed(d.Message(long)), wstest.Text(long))
			c.Message()
			c.Send(wstest.Compressed(d.Message(long[20<<10:] + pong)))
			c.Serve()
		}},
		{name: "deflate_without_takeover_ok",
			script: deflates("; server_no_context_takeover; client_no_context_takeover",
				wstest.Compressed(deflated("other")), wstest.Compressed(deflated(pong)))},
		{name: "deflate_small_window_ok",
			script: deflates("; server_max_window_bits=8", messages(long[:100], pong)...)},
		{name: "deflate_flushed_at_every_byte_ok", script: single(wstest.Compressed(flushedBytewise(pong)))},
		{name: "deflate_fragments_ok", script: deflates("", inPieces(deflated(pong), 1)...)},
		{name: "deflate_fragments_with_pings_ok", script: deflates("", pings...)},
		{name: "deflate_fragments_empty_ok",
			script: deflates("", wstest.Frame{Opcode: wstest.OpText, RSV: 4, More: true},
				wstest.Frame{More: true}, wstest.Frame{Payload: deflated(pong), More: true}, wstest.Frame{})},
		{name: "deflate_utf8_split_ok", script: deflates("", inPieces(deflated("€😀"+pong), 3)...)},
		{name: "deflate_binary_ok", script: single(binary)},
		{name: "deflate_empty_ok", script: single(wstest.Compressed("\x00")), change: anyReply},
		{name: "deflate_empty_without_a_block_ok", script: single(wstest.Compressed("")), change: anyReply},
		{name: "deflate_stored_ok", script: single(wstest.Compressed(stored))},
		{name: "deflate_tail_left_on_ok", script: deflates("", wstest.Compressed(wstest.NewDeflater().Flushed("other")),
			wstest.Compressed(deflated(pong)))},
		{name: "deflate_last_block_ok", script: deflates("", wstest.Compressed(wstest.NewDeflater().Final("other")),
			wstest.Compressed(deflated(pong)))},
		{name: "deflate_last_block_bare_ok",
			script: single(wstest.Compressed(strings.TrimSuffix(wstest.NewDeflater().Final(pong), "\x00")))},
		{name: "deflate_last_blocks_in_one_message_ok", script: single(wstest.Compressed(
			strings.TrimSuffix(wstest.NewDeflater().Final(pong[:5]), "\x00") + deflated(pong[5:])))},
		{name: "deflate_mismatches_then_match_ok", script: deflates("", messages("one", "two", pong)...)},
	} {
		offered(e).test(t)
	}
}

// flushedBytewise is the payload of a message whose sender flushes after every byte.
func flushedBytewise(text string) string {
	d, payload := wstest.NewDeflater(), ""
	for _, c := range text[:len(text)-1] {
		payload += d.Flushed(string(c))
	}
	return payload + d.Message(text[len(text)-1:])
}

// strictDeflate answers pong if the offer and the first message are as RFC 7692 wants them, else what is wrong.
func strictDeflate(c *wstest.Conn) {
	wrong := ""
	if got := c.Request().Header.Values("Sec-WebSocket-Extensions"); len(got) != 1 || got[0] != "permessage-deflate" {
		wrong += "offer "
	}
	c.Accept(wstest.Deflate + "; client_no_context_takeover")
	f := c.Read()
	if f.Opcode == wstest.OpClose {
		c.Send(wstest.Close(1000, ""))
		return
	}
	if f.Opcode != wstest.OpText || !f.Masked || f.RSV != 4 || f.More || f.Length != wstest.Shortest {
		wrong += "frame "
	}
	if got, err := wstest.Inflate(f.Payload); err != nil || got != ping {
		wrong += "payload "
	}
	if wrong == "" {
		wrong = pong
	}
	c.Send(wstest.Compressed(deflated(wrong)))
	c.Serve()
}

// brokenDeflate is a row of an endpoint that opens and then does what cannot be gone on with.
func brokenDeflate(name string, err reasons.ErrorType, code int, detail string, script wstest.Script) endpoint {
	e := closed(name, err, code, "", script)
	e.detail, e.saw = detail, []int{code}
	if err == reasons.ReplyMismatched {
		e.reason = reasons.ReplyMismatch
	}
	return offered(e)
}

func TestDeflateBroken(t *testing.T) {
	t.Parallel()
	broken := brokenDeflate
	breach := func(name string, code int, detail string, frames ...wstest.Frame) endpoint {
		return broken(name, reasons.ProtocolError, code, detail, deflates("", frames...))
	}
	payload := deflated(pong)
	marked := func(opcode byte) wstest.Frame { return wstest.Frame{Opcode: opcode, RSV: 4, Payload: "x"} }
	begun := wstest.Frame{Opcode: wstest.OpText, RSV: 4, Payload: payload[:3], More: true}
	cut := closed("deflate_cut_mid_message", reasons.UnexpectedEOF, 1006, "", func(c *wstest.Conn) {
		c.Accept(wstest.Deflate)
		c.Message()
		c.Send(wstest.Frame{Opcode: wstest.OpText, RSV: 4, Payload: payload, More: true})
		c.FIN()
		c.Watch()
	})
	text := noise(50)
	references := messages(pong+"xyz", pong+"xyz")[1]
	for _, e := range []endpoint{
		broken("deflate_1gib_announced", reasons.MessageTooBig, 1009, "1048576 bytes",
			deflates("", wstest.Frame{Opcode: wstest.OpText, RSV: 4, Payload: payload, Announce: 1 << 30})),
		offered(cut),
		breach("deflate_garbage", 1007, "protocol error: compressed message that cannot be inflated",
			wstest.Compressed("\xff\xff\xff\xff")),
		breach("deflate_plain_text", 1007, "protocol error", wstest.Compressed(pong)),
		breach("deflate_cut_short", 1007, "protocol error", wstest.Compressed(payload[:len(payload)-4])),
		breach("deflate_garbage_in_a_fragment", 1007, "protocol error", begun,
			wstest.Frame{Payload: "\xff\xff\xff\xff"}),
		breach("deflate_refers_before_the_beginning", 1007, "protocol error", references),
		breach("deflate_bad_utf8", 1007, "not UTF-8", wstest.Compressed(deflated(pong+"\xff"))),
		breach("deflate_half_a_character", 1007, "not UTF-8", wstest.Compressed(deflated(pong+"\xe2\x82"))),
		breach("deflate_mark_on_a_continuation", 1002, "reserved bits 100", begun,
			wstest.Frame{RSV: 4, Payload: payload[3:]}),
		breach("deflate_mark_on_a_ping", 1002, "reserved bits 100", marked(wstest.OpPing)),
		breach("deflate_mark_on_a_pong", 1002, "reserved bits 100", marked(wstest.OpPong)),
		breach("deflate_mark_on_a_close", 1002, "reserved bits 100", marked(wstest.OpClose)),
		breach("deflate_mark_on_another_opcode", 1002, "reserved bits 100", marked(3)),
		breach("deflate_other_reserved_bit", 1002, "reserved bits 110",
			wstest.Frame{Opcode: wstest.OpText, RSV: 6, Payload: payload}),
		breach("deflate_message_inside_fragments", 1002, "new message", begun, wstest.Compressed(payload)),
		broken("deflate_refers_back_without_takeover", reasons.ReplyMismatched, 1007, "protocol error",
			deflates("; server_no_context_takeover", messages(text, text)...)),
		broken("deflate_declined_and_used", reasons.ProtocolError, 1002, "reserved bits 100",
			wstest.Frames(wstest.Compressed(payload))),
	} {
		e.test(t)
	}
}

func TestDeflateSlow(t *testing.T) {
	t.Parallel()
	slow := func(name string, err reasons.ErrorType, answer func(*wstest.Conn)) endpoint {
		return offered(unanswered(name, err, func(c *wstest.Conn) {
			c.Accept(wstest.Deflate)
			c.Message()
			answer(c)
		}))
	}
	begin := wstest.Frame{Opcode: wstest.OpText, RSV: 4, More: true}
	endless := func(piece string) func(*wstest.Conn) {
		return func(c *wstest.Conn) {
			c.Send(begin)
			for {
				c.Send(wstest.Frame{Payload: piece, More: true})
				c.Pause(10 * time.Millisecond)
			}
		}
	}
	for _, e := range []endpoint{
		slow("deflate_endless_empty_fragments", reasons.ReplyTimedOut, endless("")),
		slow("deflate_endless_empty_blocks", reasons.ReplyTimedOut, endless("\x00\x00\x00\xff\xff")),
		slow("deflate_never_ends", reasons.ReplyTimedOut, func(c *wstest.Conn) {
			frame := begin
			frame.Payload = deflated(pong)
			c.Send(frame)
			c.Watch()
		}),
		slow("deflate_trickles", reasons.ReplyTimedOut, func(c *wstest.Conn) {
			c.Drip(wstest.Compressed(deflated(pong)).Bytes(), brief/10)
		}),
	} {
		e.test(t)
	}
}

// TestDeflateSizes inflates a lot, which takes its time under the race detector.
func TestDeflateSizes(t *testing.T) {
	single := func(text string) wstest.Script { return deflates("", wstest.Compressed(deflated(text))) }
	tooBig := func(name string, script wstest.Script) endpoint {
		return brokenDeflate(name, reasons.MessageTooBig, 1009, "message of more than 1048576 bytes", script)
	}
	const most = probe.DefaultMaxReply
	bomb := wstest.Bomb(512)
	late := tooBig("deflate_bomb_after_a_mismatch", deflates("", wstest.Text("no"), wstest.Compressed(bomb)))
	late.reason, late.err = reasons.ReplyMismatch, reasons.ReplyMismatched
	for _, e := range []endpoint{
		{name: "deflate_64k_ok", script: wstest.DeflateEcho, change: sending(noise(probe.MaxSendBytes))},
		{name: "deflate_1mib_that_does_not_compress_ok", script: single(noise(most-len(pong)) + pong)},
		{name: "deflate_1mib_that_does_ok", script: single(strings.Repeat(" ", most-len(pong)) + pong)},
		{name: "deflate_match_before_too_much_ok",
			script: deflates("", messages("one", pong, strings.Repeat(" ", most+1))...)},
		tooBig("deflate_one_byte_too_many", single(noise(most+1))),
		tooBig("deflate_bomb", wstest.DeflateBomb(512)),
		tooBig("deflate_bomb_in_fragments", deflates("", inPieces(bomb, 10_000)...)),
		tooBig("deflate_bomb_as_greeting", func(c *wstest.Conn) {
			c.Raw(c.AcceptHead(wstest.Deflate) + wstest.Compressed(bomb).Bytes())
			c.Watch()
		}),
		late,
	} {
		flooding(offered(e)).test(t)
	}
}

// TestDeflateFloods take all the CPU that they get, but no more time than the run has.
func TestDeflateFloods(t *testing.T) {
	most := wstest.Compressed(deflated(strings.Repeat(" ", probe.DefaultMaxReply))).Bytes()
	nothing := wstest.Compressed(strings.Repeat("\x03\x00", 1<<10)).Bytes()
	flood := func(data string) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept(wstest.Deflate)
			c.Message()
			c.Flood(data)
		}
	}
	early := func(c *wstest.Conn) {
		c.Raw(c.AcceptHead(wstest.Deflate))
		c.Flood(strings.Repeat(most, 100))
	}
	for _, e := range []endpoint{
		unanswered("deflate_flood", reasons.ReplyMismatched, flood(most)),
		unanswered("deflate_flood_of_small_ones", reasons.ReplyMismatched,
			flood(strings.Repeat(wstest.Compressed(deflated("no")).Bytes(), 100))),
		unanswered("deflate_flood_at_open", reasons.ReplyMismatched, early),
		unanswered("deflate_flood_of_last_blocks", reasons.ReplyMismatched, flood(nothing)),
	} {
		flooding(offered(e)).test(t)
	}
}
