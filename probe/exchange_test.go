package probe_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// exchanging makes a round-trip probe have an exchange in place of one message.
func exchanging(steps ...probe.Step) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, _ *wstest.Server) {
		s.Send, s.Expect, s.Exchange = "", "", steps
	}
}

func tells(text string) probe.Step     { return probe.Step{Send: &text} }
func hears(text string) probe.Step     { return probe.Step{Expect: &text} }
func asks(q, answer string) probe.Step { return probe.Step{Send: &q, Expect: &answer} }
func catches(expr string) probe.Step   { return probe.Step{ExpectPattern: expr} }

// within gives a step a bound of its own.
func within(d time.Duration, s probe.Step) probe.Step {
	s.Timeout = d
	return s
}

// measure marks a step.
func measure(s probe.Step) probe.Step {
	s.Measure = true
	return s
}

// conversation is a script that sends what begins with "<" and insists on hearing what begins with ">", in order.
// What comes instead of what it insists on ends it with a close 4000 that says so.
func conversation(lines ...string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept()
		for _, line := range lines {
			if text, ok := strings.CutPrefix(line, "<"); ok {
				c.Send(wstest.Text(text))
				continue
			}
			if got := c.Message(); got != line[1:] {
				c.Send(wstest.Close(4000, "got "+got))
				break
			}
		}
		c.Serve()
	}
}

// TestExchange runs exchanges against conversations of servers.
func TestExchange(t *testing.T) {
	silent := func(name string, e endpoint) endpoint {
		e.name, e.reason, e.err, e.opened = name, reasons.ReplyTimeout, reasons.ReplyTimedOut, true
		return e
	}
	for _, e := range []endpoint{
		{name: "greeting_login_subscribe", script: conversation("<hello", ">login", "<welcome", ">subscribe", "<data"),
			change: exchanging(hears("hello"), asks("login", "welcome"), asks("subscribe", "data"))},
		{name: "greeting_in_two_messages_at_once", script: conversation("<hello", "<motd", ">go", "<gone"),
			change: exchanging(hears("hello"), hears("motd"), asks("go", "gone"))},
		{name: "greeting_passed_over", script: conversation("<hello", ">go", "<gone"),
			change: exchanging(asks("go", "gone"))},
		{name: "messages_without_answer", script: conversation(">a", ">b", "<c"),
			change: exchanging(tells("a"), tells("b"), measure(hears("c")))},
		{name: "sending_last", script: conversation(">a", "<b", ">bye"),
			change: exchanging(asks("a", "b"), tells("bye"))},
		{name: "any_answer", script: conversation(">a", "<whatever"), change: exchanging(asks("a", ""))},
		{name: "caught_and_sent", script: conversation(`<{"sid":"x.7"}`, ">join x.7", "<joined x.7", ">leave x.7 x.7",
			"<left"),
			change: exchanging(catches(`"sid":"(?P<sid>[^"]+)"`), asks("join {{sid}}", "joined {{sid}}"),
				asks("leave {{sid}} {{ sid }}", "left"))},
		{name: "caught_is_no_pattern", script: conversation("<id x.7", ">go", "<id xx7", "<id x.7!"),
			change: exchanging(catches(`id (?P<id>.+)`), probe.Step{Send: new("go"), ExpectPattern: `^id {{id}}!$`})},
		{name: "group_that_took_no_part", script: conversation("<id", ">go []", "<ok"),
			change: exchanging(catches(`id(?P<id> .+)?`), asks("go [{{id}}]", "ok"))},
		{name: "braces_are_text", script: conversation(`>{"a":{"b":{}}}{{}}{{1}}{{a b}}{ {a}}`, "<ok"),
			change: exchanging(asks(`{"a":{"b":{}}}{{}}{{1}}{{a b}}{ {a}}`, "ok"))},
		{name: "double_braces_sent", script: conversation("<id 7", `>{{id}} 7 {{nonce}} {{{{}} {{"x"}}`, "<got {{id}}",
			">next", "<a{{id}}7", ">last", `<{"t":"{{name}}"}`),
			change: exchanging(catches(`id (?P<id>\d)`),
				asks(`{{"{{"}}id}} {{id}} {{'{{'}}nonce}} {{ "{{" }}{{"{{"}}}} {{"x"}}`, `got {{"{{"}}id}}`),
				probe.Step{Send: new("next"), ExpectPattern: `^a{{'{{'}}id\}\}{{id}}$`},
				probe.Step{Send: new("last"), ExpectJSON: map[string]any{"t": `{{"{{"}}name}}`}})},
		{name: "caught_bytes", script: func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Binary("\x01\xff\xc3\xa9.\x02"))
			c.Message()
			c.Send(wstest.Binary("\xff\xc3\xa9x!"), wstest.Binary("\x00\xff\xc3\xa9.!"))
			c.Message()
			c.Serve()
		}, change: exchanging(catches(`\x01(?P<id>[^\x02]+)`), probe.Step{Send: new("a"), ExpectPattern: `{{id}}!`},
			tells("{{id}}"))},
		{name: "empty_message_sent", script: conversation(">", "<ok"), change: exchanging(asks("", "ok"))},
		{name: "json", script: conversation(`>{"id":7}`, `<{"id":6,"result":true}`,
			`<{"id":7.0,"result":{"ok":null,"n":[1,"two"]}}`),
			change: exchanging(probe.Step{Send: new(`{"id":7}`),
				ExpectJSON: map[string]any{"id": 7, "result.ok": nil, "result.n.1": "two", "result.n.#": 2}})},
		{name: "json_numbers_are_exact", script: conversation(">a", `<{"id":6.532470403686728e+17}`,
			`<{"id":653247040368672769}`, `<{"id":653247040368672768.0,"n":-0}`),
			change: exchanging(probe.Step{Send: new("a"),
				ExpectJSON: map[string]any{"id": json.Number("653247040368672768"), "n": 0}})},
		{name: "json_in_a_text", script: conversation(">a", `<{"event":"x","data":"{\"status\":\"ok\"}"}`),
			change: exchanging(probe.Step{Send: new("a"), ExpectJSON: map[string]any{"data|@fromstr|status": "ok"}})},
		{name: "json_hostile", on: onlyBubble, reason: reasons.ReplyMismatch, err: reasons.ReplyMismatched,
			opened: true, ends: 3 * time.Second, timeout: brief,
			script: conversation(">a", `<{"a":"`+strings.Repeat("[", 900_000)+`"}`,
				`<{"a":1e`+strings.Repeat("9", 900_000)+`}`),
			change: exchanging(probe.Step{Send: new("a"), ExpectJSON: map[string]any{"a|@fromstr|@fromstr|0": 1,
				"a": 1}})},
		{name: "slow_measured_step", least: 190 * time.Millisecond, most: time.Second,
			script: func(c *wstest.Conn) {
				c.Accept()
				c.Message()
				c.Pause(200 * time.Millisecond)
				c.Send(wstest.Text("slow"))
				c.Message()
				c.Send(wstest.Text("quick"))
				c.Serve()
			}, change: exchanging(measure(asks("a", "slow")), asks("b", "quick"))},
		{name: "early_answer_is_none", reason: reasons.ReplyMismatch, err: reasons.ReplyMismatched, opened: true,
			detail: "step 2 of 2: no match in 1 message", timeout: brief,
			script: atOnce("hello", "pong"), change: exchanging(hears("hello"), asks("ping", "pong"))},
		silent("no_greeting", endpoint{script: wstest.Silent, timeout: brief, detail: "step 1 of 2: nothing within " +
			brief.String() + ": waiting for the reply",
			change: exchanging(hears("hello"), asks("a", "b"))}),
		silent("silent_later", endpoint{script: conversation("<hello", ">a"), timeout: brief,
			detail: "step 2 of 3: nothing",
			change: exchanging(hears("hello"), asks("a", "b"), asks("c", "d"))}),
		silent("step_has_less_time", endpoint{on: onlyBubble, script: conversation("<hello", ">a"), ends: time.Second,
			detail: "step 2 of 2: nothing within 100ms",
			change: exchanging(hears("hello"), within(100*time.Millisecond, asks("a", "b")))}),
		{name: "mismatch_in_a_step", on: onlyBubble, reason: reasons.ReplyMismatch, err: reasons.ReplyMismatched,
			opened: true, ends: time.Second,
			detail: "step 1 of 1: no match in 2 messages within 100ms",
			script: conversation(">a", "<b", "<c"), change: exchanging(within(100*time.Millisecond, asks("a", "d")))},
		closed("closed_between_steps", reasons.CloseFrame, 4000, "got b", conversation("<hello", ">a")).with(
			exchanging(hears("hello"), asks("b", "c")), "step 2 of 2: close frame 4000"),
		closed("closed_before_a_step_that_sends", reasons.CloseFrame, 1001, "", func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Text("hello"), wstest.Close(1001, ""))
			c.Watch()
		}).with(exchanging(hears("hello"), tells("a"), asks("b", "c")), "step 2 of 3: close frame 1001"),
		closed("fin_between_steps", reasons.UnexpectedEOF, 1006, "", func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Text("hello"))
			c.FIN()
			c.Watch()
		}).with(exchanging(asks("a", "hello"), hears("more")), "step 2 of 2: connection ended"),
		closed("caught_text_outgrows_its_bound", reasons.MessageTooBig, 1009, "",
			conversation("<"+strings.Repeat("x", 10_000))).with(
			exchanging(catches(`(?P<all>.+)`), asks(strings.Repeat("{{all}} ", 120), "ok")), "step 2 of 2: filling in"),
		closed("caught_text_outgrows_a_pattern", reasons.MessageTooBig, 1009, "",
			conversation("<"+strings.Repeat("x", 70_000))).with(
			exchanging(catches(`(?P<all>.+)`), probe.Step{Send: new("a"), ExpectPattern: "{{all}}"}),
			"step 2 of 2: filling in"),
	} {
		e.test(t)
	}
}

// atOnce says these messages in the segment of the 101, so that all of them are there before a probe can send.
func atOnce(messages ...string) wstest.Script {
	return func(c *wstest.Conn) {
		all := c.AcceptHead()
		for _, m := range messages {
			all += wstest.Text(m).Bytes()
		}
		c.Raw(all)
		c.Serve()
	}
}

// with gives a row another probe and the detail that it leads to.
func (e endpoint) with(change func(*probe.Spec, *wstest.Server), detail string) endpoint {
	e.change, e.detail = change, detail
	return e
}

// TestNonce: the text is there wherever it is asked for, and another one in every run.
func TestNonce(t *testing.T) {
	seen := make(map[string]bool)
	s := wstest.Memory(func(c *wstest.Conn) {
		c.Accept()
		message := c.Message()
		seen[message] = true
		c.Send(wstest.Text("other"), wstest.Text(message), wstest.Text("again "+message))
		c.Message()
		c.Send(wstest.Text(fmt.Sprintf(`{"echo":%q}`, message[2:])))
		c.Serve()
	})
	defer s.Close()
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial}, Interpretation: probe.RoundTripLatency}
	exchanging(asks("n {{nonce}}", "n {{nonce}}"), catches("^again n (?P<copy>{{nonce}})$"),
		probe.Step{Send: new("{{copy}}"), ExpectJSON: map[string]any{"echo": "{{copy}}"}})(&spec, s)
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r, err := p.Run(t.Context()); err != nil || r.Reason != reasons.OK {
			t.Errorf("%v, %v: %s", err, r.Reason, r.Detail)
		}
		s.Wait()
	}
	if len(seen) != 3 {
		t.Errorf("3 runs sent %d different messages", len(seen))
	}
	for message := range seen {
		if len(message) != len("n ")+26 {
			t.Errorf("sent %q", message)
		}
	}
}

// TestStepTimesExactly: each step has the time from its send, or from the end of the one before, to its message.
func TestStepTimesExactly(t *testing.T) {
	script := func(c *wstest.Conn) {
		c.Accept()
		c.Pause(100 * ms)
		c.Send(wstest.Text("hello"), wstest.Text("motd"))
		c.Message()
		c.Pause(30 * ms)
		c.Send(wstest.Text("b"))
		c.Message()
		c.Pause(time.Minute)
	}
	for _, test := range []struct {
		steps []probe.Step
		spans []probe.Span
		trip  time.Duration
		ok    bool
	}{
		{[]probe.Step{hears("hello"), hears("motd"), asks("a", "b")},
			[]probe.Span{{0, 100 * ms, probe.SpanEnded}, {100 * ms, 100 * ms, probe.SpanEnded},
				{100 * ms, 130 * ms, probe.SpanEnded}}, 30 * ms, true},
		{[]probe.Step{measure(hears("hello")), asks("a", "b"), tells("c")},
			[]probe.Span{{0, 100 * ms, probe.SpanEnded}, {100 * ms, 130 * ms, probe.SpanEnded},
				{130 * ms, 130 * ms, probe.SpanEnded}}, 100 * ms, true},
		{[]probe.Step{asks("a", "b"), within(200*ms, asks("c", "d")), tells("e")},
			[]probe.Span{{10 * ms, 130 * ms, probe.SpanEnded}, {130 * ms, 330 * ms, probe.SpanBroken}, {}}, 0, false},
	} {
		inBubble(t, false, script, exchanging(test.steps...), func(r probe.Result, _ time.Duration) {
			if fmt.Sprint(r.Steps) != fmt.Sprint(test.spans) || r.Replied != test.ok || r.RoundTrip != test.trip {
				t.Errorf("steps %v, round trip %v %v; want %v, %v %v", r.Steps, r.RoundTrip, r.Replied, test.spans,
					test.trip, test.ok)
			}
		})
	}
}

// TestPingBoth: a pong tells a silent application from a silent endpoint, and is never taken for the reply.
func TestPingBoth(t *testing.T) {
	both := func(s *probe.Spec, _ *wstest.Server) { s.PingMode = probe.PingBoth }
	alive := unanswered("application_silent", reasons.ReplyTimedOutPong, wstest.Silent)
	alive.detail = "but the pong"
	later := unanswered("silent_in_a_later_step", reasons.ReplyTimedOutPong, conversation("<hello", ">a", "<b", ">c"))
	later.change = func(s *probe.Spec, server *wstest.Server) {
		exchanging(hears("hello"), asks("a", "b"), asks("c", "d"))(s, server)
		s.PingMode = probe.PingBoth
	}
	// The pong of an earlier step says nothing about this one.
	dead := unanswered("dead_in_a_later_step", reasons.ReplyTimedOut, func(c *wstest.Conn) {
		c.Accept()
		c.Message()
		c.Send(wstest.Pong(c.Read().Payload), wstest.Text("b"))
		c.Hold()
	})
	dead.change = func(s *probe.Spec, server *wstest.Server) {
		exchanging(asks("a", "b"), asks("c", "d"))(s, server)
		s.PingMode = probe.PingBoth
	}
	for _, e := range []endpoint{
		{name: "good", script: wstest.Reply(pong)},
		{name: "reply_without_pong", script: func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Text(pong))
			c.Watch()
			c.Send(wstest.Close(1000, ""))
		}, ends: 3 * time.Second},
		alive, later, dead,
		unanswered("both_silent", reasons.ReplyTimedOut, wstest.Deaf),
		{name: "pong_and_wrong_reply", reason: reasons.ReplyMismatch, err: reasons.ReplyMismatched, opened: true,
			timeout: brief, script: wstest.Reply("no")},
		closed("close_after_pong", reasons.CloseFrame, 1011, "", func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Pong(c.Read().Payload), wstest.Close(1011, ""))
			c.Watch()
		}),
	} {
		if e.change == nil {
			e.change = both
		}
		e.test(t)
	}
}
