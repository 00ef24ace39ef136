package probe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// anyReply accepts whatever comes.
func anyReply(s *probe.Spec, _ *wstest.Server) { s.Expect = "" }

func expecting(text string) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, _ *wstest.Server) { s.Expect = text }
}

// sending is a probe that expects what it sends.
func sending(text string) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, _ *wstest.Server) { s.Send, s.Expect = text, text }
}

// after answers the first message by hand.
func after(answer func(*wstest.Conn)) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept()
		c.Message()
		answer(c)
	}
}

// unanswered is a row of an endpoint that opens and then lets the time pass.
func unanswered(name string, err reasons.ErrorType, script wstest.Script) endpoint {
	e := endpoint{name: name, script: script, timeout: brief, opened: true, reason: reasons.ReplyTimeout, err: err,
		detail: "within " + brief.String()}
	if err == reasons.ReplyMismatched {
		e.reason = reasons.ReplyMismatch
	}
	return e
}

func TestOK(t *testing.T) {
	t.Parallel()
	for _, e := range []endpoint{
		{name: "good", script: wstest.Reply(pong), most: 900 * time.Millisecond},
		{name: "good_any_reply", script: wstest.Reply("x"), change: anyReply},
		{name: "good_unicode", script: wstest.Echo, change: sending("é 😀 \"'\x00\n€")},
		{name: "good_125_bytes", script: wstest.Echo, change: sending(strings.Repeat("x", 125))},
		{name: "good_126_bytes", script: wstest.Echo, change: sending(strings.Repeat("x", 126))},
		{name: "good_65535_bytes", script: wstest.Echo, change: sending(strings.Repeat("x", 65535))},
		{name: "good_65536_bytes", script: wstest.Echo, change: sending(strings.Repeat("x", 65536))},
		{name: "good_bytewise", script: func(c *wstest.Conn) {
			c.Drip(c.AcceptHead(), time.Microsecond)
			c.Message()
			c.Drip(wstest.Text(pong).Bytes(), time.Microsecond)
			c.Serve()
		}},
		{name: "strict_client_check", script: strict},
		{name: "reply_just_in_time", on: onlyBubble, script: wstest.SlowReply(700*time.Millisecond, pong),
			timeout: time.Second,
			least:   690 * time.Millisecond, most: 990 * time.Millisecond},
		{name: "reply_after_pong", script: after(func(c *wstest.Conn) {
			c.Send(wstest.Ping("first"))
			for c.Read().Opcode != wstest.OpPong {
			}
			c.Send(wstest.Text(pong))
			c.Serve()
		})},
		{name: "reply_after_1000_pings", script: after(func(c *wstest.Conn) {
			for range 1000 {
				c.Send(wstest.Ping("again"))
			}
			c.Send(wstest.Text(pong))
			c.Serve()
		})},
		{name: "ping_of_125_bytes", script: wstest.Frames(wstest.Ping(strings.Repeat("x", 125)), wstest.Text(pong))},
		{name: "unsolicited_pong", script: wstest.Frames(wstest.Pong("nobody asked"), wstest.Text(pong))},
		{name: "utf8_split_ok", script: wstest.Frames(wstest.Fragments(wstest.OpText, "\xe2", "\x82", "\xac"+pong)...)},
		{name: "fragments_1000", script: wstest.Frames(wstest.Fragments(wstest.OpText,
			append(strings.Split(strings.Repeat("x", 1000), ""), pong)...)...)},
		{name: "fragments_empty", script: wstest.Frames(wstest.Fragments(wstest.OpText, "", "", pong, "", "")...)},
		{name: "fragment_splits_needle",
			script: wstest.Frames(wstest.Fragments(wstest.OpText, `{"op`, `":"po`, `ng"}`)...)},
		{name: "ping_between_fragments",
			script: wstest.Frames(wstest.Frame{Opcode: wstest.OpText, Payload: `{"op":`, More: true},
				wstest.Ping("in between"), wstest.Frame{Payload: `"pong"}`})},
		{name: "reply_64k_ok", script: wstest.Reply(strings.Repeat("x", 64<<10-len(pong)) + pong)},
		{name: "reply_1mib_ok", script: wstest.Reply(strings.Repeat("x", 1<<20-len(pong)) + pong)},
		{name: "empty_reply_any", script: wstest.Reply(""), change: anyReply},
		{name: "binary_reply_any", script: wstest.Frames(wstest.Binary("\xff\x00")), change: anyReply},
		{name: "binary_reply", script: wstest.Frames(wstest.Binary("\xff\x00" + pong))},
		{name: "binary_needle", script: wstest.Frames(wstest.Binary("a\xff\x00b")), change: expecting("\xff\x00")},
		{name: "two_matches", script: wstest.Frames(wstest.Text(pong), wstest.Text(pong))},
		{name: "mismatches_then_match", script: wstest.Frames(wstest.Text("one"), wstest.Text("two"),
			wstest.Text(pong))},
		{name: "expect_64k", script: wstest.Echo, change: sending(strings.Repeat("ab", 32<<10))},
	} {
		e.test(t)
	}
}

// strict answers pong if the request and the first frame are as RFC 6455 wants them, else what is wrong.
func strict(c *wstest.Conn) {
	r := c.Request()
	wrong := ""
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade",
		"Sec-WebSocket-Version": "13"} {
		if got := r.Header.Get(name); got != value {
			wrong += name + "=" + got + " "
		}
	}
	if key := r.Header.Get("Sec-WebSocket-Key"); len(key) != 24 || r.Method != "GET" || r.Proto != "HTTP/1.1" ||
		r.Host == "" {
		wrong += "request "
	}
	if r.Header.Get("Origin") != "" || r.Header.Get("Accept-Encoding") != "" ||
		r.Header.Get("Sec-WebSocket-Extensions") != "" {
		wrong += "uninvited "
	}
	if !strings.HasPrefix(r.Header.Get("User-Agent"), "wsprobe") {
		wrong += "agent "
	}
	c.Accept()
	if f := c.Read(); f.Opcode == wstest.OpText && (!f.Masked || f.RSV != 0 || f.More || f.Length != wstest.Shortest ||
		f.Payload != ping) {
		wrong += "frame "
	} else if f.Opcode == wstest.OpClose {
		c.Send(wstest.Close(1000, ""))
		return
	}
	if wrong == "" {
		wrong = pong
	}
	c.Send(wstest.Text(wrong))
	c.Serve()
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	greets := func(pause time.Duration, replyAfter time.Duration, greetings ...string) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept()
			c.Pause(pause)
			for _, g := range greetings {
				c.Send(wstest.Text(g))
			}
			for {
				c.Message()
				c.Pause(replyAfter)
				c.Send(wstest.Text(pong))
			}
		}
	}
	const wait = 300 * time.Millisecond
	mute := func(c *wstest.Conn) {
		c.Accept()
		c.Pause(50 * time.Millisecond)
		c.Send(wstest.Text("welcome"))
		c.Serve()
	}
	for _, e := range []endpoint{
		{name: "greeting_same_segment", least: 140 * time.Millisecond, script: func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Text("welcome").Bytes())
			for {
				c.Message()
				c.Pause(150 * time.Millisecond)
				c.Send(wstest.Text(pong))
			}
		}},
		{name: "greeting_matches_same_segment", least: wait - 10*time.Millisecond, script: func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Text(pong).Bytes())
			for {
				c.Message()
				c.Pause(wait)
				c.Send(wstest.Text(pong))
			}
		}},
		{name: "greeting_matches", on: onlyBubble, least: wait - 10*time.Millisecond, script: greets(0, wait, pong)},
		{name: "two_greetings_match", on: onlyBubble, least: wait - 10*time.Millisecond,
			script: greets(0, wait, pong, pong)},
		{name: "greeting_then_reply", script: greets(0, 0, "welcome", "news")},
		{name: "ping_to_be_answered_first", script: func(c *wstest.Conn) {
			c.Raw(c.AcceptHead() + wstest.Ping("there?").Bytes())
			if f := c.Read(); f.Opcode == wstest.OpText {
				c.Send(wstest.Close(4000, "a message before the pong"))
			}
			for {
				c.Message()
				c.Send(wstest.Text(pong))
			}
		}},
		{name: "greeting_of_200k", script: greets(0, 0, strings.Repeat("x", 200<<10))},
		unanswered("greeting_then_silence", reasons.ReplyMismatched, mute),
		unanswered("greeting_matches_then_silence", reasons.ReplyMismatched, wstest.Greeting(pong, "else")),
	} {
		e.test(t)
	}
}

func TestNoReply(t *testing.T) {
	t.Parallel()
	for _, e := range []endpoint{
		unanswered("silent_after_open", reasons.ReplyTimedOut, wstest.Silent),
		unanswered("deaf_after_open", reasons.ReplyTimedOut, wstest.Deaf),
		unanswered("pings_but_no_reply", reasons.ReplyTimedOut, func(c *wstest.Conn) {
			c.Accept()
			for {
				c.Send(wstest.Ping("x"))
				if c.Read().Opcode == wstest.OpClose {
					return
				}
				c.Pause(30 * time.Millisecond)
			}
		}),
		unanswered("reply_trickles_late", reasons.ReplyTimedOut, after(func(c *wstest.Conn) {
			c.Drip(wstest.Text(pong).Bytes(), brief/10)
		})),
		unanswered("fragments_endless_slow", reasons.ReplyTimedOut, after(func(c *wstest.Conn) {
			c.Send(wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true})
			for {
				c.Send(wstest.Frame{Payload: "more", More: true})
				c.Pause(20 * time.Millisecond)
			}
		})),
		unanswered("half_frame_header", reasons.ReplyTimedOut, after(func(c *wstest.Conn) {
			c.Raw("\x81")
			c.Watch()
		})),
		unanswered("half_control_frame", reasons.ReplyTimedOut, after(func(c *wstest.Conn) {
			c.Raw("\x89\x05ab")
			c.Watch()
		})),
		unanswered("half_close_frame", reasons.ReplyTimedOut, after(func(c *wstest.Conn) {
			c.Raw("\x88\x05\x03")
			c.Watch()
		})),
		unanswered("half_message", reasons.ReplyTimedOut, after(func(c *wstest.Conn) {
			c.Send(wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true})
			c.Watch()
		})),
	} {
		e.test(t)
	}
}

// TestLeastTimeout: the least timeout that a probe can have is kept to the nanosecond.
func TestLeastTimeout(t *testing.T) {
	least := unanswered("timeout_min_100", reasons.ReplyTimedOut, wstest.Silent)
	least.on, least.timeout, least.ends, least.detail = onlyBubble, probe.MinTimeout, probe.MinTimeout, "within 100ms"
	least.test(t)
}

// TestSlowPattern: a reply that keeps a regular expression busy for minutes does not keep the run.
func TestSlowPattern(t *testing.T) {
	slow := unanswered("pattern_busy", reasons.ReplyMismatched, wstest.Reply(strings.Repeat("x", 1<<20)))
	slow.change = func(s *probe.Spec, _ *wstest.Server) { s.Expect, s.ExpectPattern = "", "x{1,1000}y" }
	flooding(slow).test(t)
}

func TestMatching(t *testing.T) {
	closing := unanswered("mismatch_then_close", reasons.ReplyMismatched,
		wstest.Frames(wstest.Text("no"), wstest.Close(1000, "")))
	closing.closeCode, closing.detail, closing.timeout, closing.ends = 1000, "close frame 1000", 0,
		1500*time.Millisecond
	fin := unanswered("mismatch_then_fin", reasons.ReplyMismatched, after(func(c *wstest.Conn) {
		c.Send(wstest.Text("no"))
		c.FIN()
		c.Watch()
	}))
	fin.closeCode, fin.detail, fin.timeout, fin.ends = 1006, "without a close frame", 0, 1500*time.Millisecond
	breach := unanswered("mismatch_then_breach", reasons.ReplyMismatched,
		wstest.Frames(wstest.Text("no"), wstest.Frame{Opcode: 11}))
	breach.closeCode, breach.detail, breach.timeout, breach.saw = 1002, "protocol error", 0, []int{1002}
	forms := unanswered("unicode_forms_differ", reasons.ReplyMismatched, wstest.Reply("cafe\u0301"))
	forms.change = expecting("caf\u00e9")
	for _, e := range []endpoint{
		closing, fin, breach, forms,
		unanswered("mismatch_only", reasons.ReplyMismatched, wstest.Reply("something else")),
		unanswered("mismatch_empty", reasons.ReplyMismatched, wstest.Reply("")),
		unanswered("match_only_when_joined", reasons.ReplyMismatched,
			wstest.Frames(wstest.Text(`{"op":"po`), wstest.Text(`ng"}`))),
		unanswered("spacing_differs", reasons.ReplyMismatched, wstest.Reply(`{"op": "pong"}`)),
		unanswered("case_differs", reasons.ReplyMismatched, wstest.Reply(strings.ToUpper(pong))),
		flooding(unanswered("mismatch_flood", reasons.ReplyMismatched, wstest.Flood("something else"))),
		unanswered("mismatch_then_half", reasons.ReplyMismatched,
			wstest.Frames(wstest.Text("no"), wstest.Frame{Opcode: wstest.OpText, Payload: pong, More: true})),
	} {
		e.test(t)
	}
}
