package probe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// missed is a run that waits in vain for a reply, with one message of the server.
func missed(t *testing.T, change func(*probe.Spec), frames ...wstest.Frame) (r probe.Result) {
	t.Helper()
	waits := func(s *probe.Spec, _ *wstest.Server) {
		s.Timeout, s.Expect = 300*ms, ""
		change(s)
	}
	inBubble(t, false, wstest.Frames(frames...), waits, func(got probe.Result, _ time.Duration) { r = got })
	if r.Reason != reasons.ReplyMismatch || len(r.Detail) > probe.MaxBodyDetail {
		t.Errorf("got %v: %s", r.Reason, r.Detail)
	}
	return r
}

// TestMismatchOfJSON: the detail says which path failed and what stood there, or what the message is instead of JSON.
func TestMismatchOfJSON(t *testing.T) {
	t.Parallel()
	const doc = `{"id":6,"s":"x","list":[{"a":1}],"text":"{\"a\":","long":"` + "ab cd ef gh " +
		"ab cd ef gh ab cd ef gh ab cd ef gh ab cd ef gh ab cd ef gh ab cd ef gh" + `","no":null}`
	for _, test := range []struct {
		message string
		path    string
		want    any
		detail  string
	}{
		{doc, "id", 7, "within 300ms: id is 6, not 7"},
		{doc, "id", "6", `: id is 6, not "6"`},
		{doc, "s", "y", `: s is "x", not "y"`},
		{doc, "no", "y", `: no is null, not "y"`},
		{doc, "$.list[0].a", 2, ": $.list[0].a is 1, not 2"},
		{doc, "list", 1, `: list is [{"a":1}], not 1`},
		{doc, "list.1.a", 1, ": there is nothing at list.1.a"},
		{doc, "data.id", 1, ": there is nothing at data.id"},
		{doc, "text|@fromstr|a", 1, ": a text on the way to text|@fromstr|a is no JSON"},
		{doc, "long", "z", `: long is "ab cd ef gh ab cd ef gh ab cd ef gh ab cd ef gh ab cd ef gh ab ..., not "z"`},
		{`[{"id":7}]`, "id", 7, ": there is nothing at id: the last one is a list"},
		{`"id"`, "id", 7, ": there is nothing at id: the last one is a text"},
		{`-7`, "id", 7, ": there is nothing at id: the last one is a number"},
		{"hello", "id", 7, ": the last one is no JSON"},
		{"", "id", 7, ": the last one is no JSON: it is empty"},
		{`{"id":7`, "id", 7, ": the last one is no JSON"},
		{"{\"id\":7}\x1e", "id", 7, ": the last one is no JSON but JSON that ends in 0x1e, as in SignalR"},
		{"{}\x1e{\"id\":7}\x1e", "id", 7, "that ends in 0x1e, as in SignalR"},
		{`a["{\"id\":7}"]`, "id", 7, "a frame of SockJS"},
		{"o", "id", 7, "a frame of SockJS"},
		{`c[3000,"Go away!"]`, "id", 7, "a frame of SockJS"},
		{`42["pong",{"id":7}]`, "id", 7, "a packet of Socket.IO"},
		{`42/chat,["pong"]`, "id", 7, "a packet of Socket.IO"},
		{`431[{"id":7}]`, "id", 7, "a packet of Socket.IO"},
		{`451-["x",{"_placeholder":true}]`, "id", 7, "a packet of Socket.IO"},
		{`0{"sid":"x","pingInterval":25000}`, "id", 7, "a packet of Engine.IO"},
		{"{\"id\":7}\x00", "id", 7, "JSON that ends in a NUL"},
		{"CONNECTED\nversion:1.2\n\n\x00", "id", 7, "a frame of STOMP"},
		{"\xef\xbb\xbf{\"id\":7}", "id", 7, "a byte order mark"},
		{"{\"id\":7}\n{\"id\":8}", "id", 7, "several documents"},
		{`{"id":7} ok`, "id", 7, "more stands behind its end"},
		{"<!DOCTYPE html><html>", "id", 7, "HTML or XML"},
	} {
		t.Run(test.message+" "+test.path, func(t *testing.T) {
			t.Parallel()
			r := missed(t, func(s *probe.Spec) {
				s.ExpectJSON = map[string]any{test.path: test.want}
			}, wstest.Text(test.message))
			if !strings.Contains(r.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", r.Detail, test.detail)
			}
			if plain := ": the last one is no JSON"; test.detail == plain && !strings.HasSuffix(r.Detail, plain) {
				t.Errorf("detail %q says more than %q", r.Detail, plain)
			}
		})
	}
}

// TestMismatchOfText: the detail says how a text or a regular expression would have matched.
func TestMismatchOfText(t *testing.T) {
	t.Parallel()
	text := func(want string) func(*probe.Spec) { return func(s *probe.Spec) { s.Expect = want } }
	pattern := func(want string) func(*probe.Spec) { return func(s *probe.Spec) { s.ExpectPattern = want } }
	for _, test := range []struct {
		name, message string
		change        func(*probe.Spec)
		detail        string // empty: nothing is said
	}{
		{"line break", pong, text(want + "\n"),
			"the last one would match without the line break at the end of what is expected"},
		{"CRLF", pong, text(want + "\r\n"), "without the line break at the end of what is expected"},
		{"blank", pong, text(want + " "), "without the blanks around what is expected"},
		{"letter case", strings.ToUpper(pong), text(want), "in other letter case"},
		{"letter case and line break", strings.ToUpper(pong), text(want + "\n"),
			"without the line break at the end of what is expected, in other letter case"},
		{"blanks within", `{"op": "pong"}`, text(want), "but for blanks and line breaks"},
		{"JSON in JSON", `{"data":"{\"op\":\"pong\"}"}`, text(want), "but for the escapes of JSON"},
		{"something else", "else", text(want), ""},
		{"a long message that ends right", strings.Repeat("x", 3000) + pong, text(want + "\n"),
			"without the line break"},
		{"only a line break", "else", text("\n"), ""},
		{"pattern with line break", pong, pattern("\"op\":\"pong\"\n"),
			"without the line break at the end of the expression"},
		{"pattern letter case", "PONG", pattern("^pong$"), "with (?i)"},
		{"pattern dot", "a\nb", pattern("a.b"), "with (?s)"},
		{"pattern lines", "a\nb\n", pattern("^b$"), "with (?m)"},
		{"pattern special", "a+b (c)", pattern(`a+b (c)`), "a backslash has to stand"},
		{"pattern of something else", "else", pattern("^pong$"), ""},
		{"pattern and a long message", strings.Repeat("PONG", 5000), pattern("pong"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := missed(t, test.change, wstest.Text(test.message))
			if test.detail == "" && !strings.HasSuffix(r.Detail, "no match in 1 message within 300ms") ||
				!strings.Contains(r.Detail, test.detail) {
				t.Errorf("detail %q, want %q", r.Detail, test.detail)
			}
		})
	}
}

// TestMismatchHidesSecrets: what the detail repeats of a message and of an expectation holds no secret.
func TestMismatchHidesSecrets(t *testing.T) {
	t.Parallel()
	const secret, other = "s3cr3t-t0ken-of-the-probe", "an0ther-secret-value"
	r := missed(t, func(s *probe.Spec) {
		s.Secrets, s.ExpectJSON = []string{secret, other}, map[string]any{"id": other}
	}, wstest.Text(`{"id":"token s3cr3t-t0ken-of-the-probe and more, and then again an0ther-secret-value"}`))
	if strings.Contains(r.Detail, "s3cr3t") || strings.Contains(r.Detail, "an0th") ||
		!strings.Contains(r.Detail, `id is "token [redacted] and more`) {
		t.Errorf("detail %q", r.Detail)
	}
}

// TestMismatchOfBytes: a pattern finds bytes in a binary message, and text in a text message.
func TestMismatchOfBytes(t *testing.T) {
	t.Parallel()
	connack := func(s *probe.Spec, _ *wstest.Server) {
		s.Send, s.Expect, s.ExpectPattern, s.MessageFormat = "1000", "", `^\x20\x02[\x00\x01]\x00$`, probe.FormatHex
	}
	for _, e := range []endpoint{
		{name: "bytes", script: wstest.Frames(wstest.Binary("\x20\x02\x00\x00")), change: connack},
		{name: "bytes_above_ASCII", script: wstest.Frames(wstest.Text("\u00ff\u00fe"), wstest.Binary("\xff\xfe\x80")),
			change: func(s *probe.Spec, _ *wstest.Server) { s.Expect, s.ExpectPattern = "", `\xff\xfe\x80$` }},
		{name: "characters_in_a_binary_message", script: wstest.Frames(wstest.Binary("caf\u00e9!")),
			change: func(s *probe.Spec, _ *wstest.Server) { s.Expect, s.ExpectPattern = "", `^caf[\p{L}]!$` }},
		{name: "bytes_of_a_long_message",
			script: wstest.Frames(wstest.Binary(strings.Repeat("\xfe", 100_000) + "\xff\x00")),
			change: func(s *probe.Spec, _ *wstest.Server) { s.Expect, s.ExpectPattern = "", `\xff{1,2}\x00$` }},
	} {
		e.test(t)
	}
	other := unanswered("other_bytes", reasons.ReplyMismatched, wstest.Frames(wstest.Binary("\x20\x02\x00\x05")))
	other.change = connack
	other.test(t)
}

// TestMismatchInAnExchange: a message that an earlier step took is named, and one that came too early.
func TestMismatchInAnExchange(t *testing.T) {
	t.Parallel()
	mute := func(name, detail string, script wstest.Script, steps ...probe.Step) endpoint {
		e := unanswered(name, reasons.ReplyTimedOut, script)
		e.detail, e.change = detail, exchanging(steps...)
		return e
	}
	json := probe.Step{ExpectJSON: map[string]any{"op": "b"}}
	rows := []endpoint{
		mute("taken",
			"step 2 of 2: nothing within 2s: waiting for the reply: step 1 took a message that this one waits for",
			conversation("<ab", ">x"), hears("a"), asks("x", "b")),
		mute("taken_by_any", "step 1 took a message", conversation("<ab", ">x"), hears(""), asks("x", "b")),
		mute("passed_over", "step 1 passed over a message that this one waits for", conversation("<b", "<a", ">x"),
			hears("a"), asks("x", "b")),
		mute("taken_json", "step 2 took a message", conversation("<hello", ">x", `<{"op":"b","a":1}`), hears("hello"),
			asks("x", "a"), measure(json)),
		mute("taken_pattern", "step 1 took a message", conversation("<a7", ">x"), hears("a"),
			probe.Step{Send: new("x"), ExpectPattern: `a\d`}),
		mute("not_taken", "step 2 of 2: nothing within 2s: waiting for the reply", conversation("<a", ">x"), hears("a"),
			asks("x", "b")),
	}
	early := unanswered("matches_too_early", reasons.ReplyMismatched, wstest.Greeting(pong, "else"))
	early.detail = "a message that matches was there before the message was sent, so that it is no reply"
	closes := closed("mismatch_then_close", reasons.ReplyMismatched, 1000, "",
		wstest.Frames(wstest.Text("PONG"), wstest.Close(1000, "")))
	closes.reason, closes.detail = reasons.ReplyMismatch, `: the last one would match in other letter case`
	closes.change = func(s *probe.Spec, _ *wstest.Server) { s.Expect = "pong" }
	for _, e := range append(rows, early, closes) {
		e.test(t)
	}
}
