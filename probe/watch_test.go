package probe_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// watched runs a probe once, with a watch.
func watched(t *testing.T, spec probe.Spec, options probe.RunOptions) (probe.Result, *probe.Watch) {
	t.Helper()
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	if options.Watch == nil {
		options.Watch = &probe.Watch{}
	}
	r, err := p.RunWith(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return r, options.Watch
}

// story tells the frames in short, without the data of Pings.
func story(w *probe.Watch) []string {
	var out []string
	for _, f := range w.Frames {
		line := "< "
		if f.Sent {
			line = "> "
		}
		line += f.Kind()
		if !f.Final {
			line += " ..."
		}
		if f.Compressed {
			line += " compressed"
		}
		if f.Kind() != "ping" && f.Kind() != "pong" {
			line += fmt.Sprintf(" %q", f.Preview)
		}
		out = append(out, line)
	}
	return out
}

// TestWatchFrames: the frames of both sides are there in order, and what they say.
func TestWatchFrames(t *testing.T) {
	for name, c := range map[string]struct {
		script wstest.Script
		change func(*probe.Spec)
		want   []string
	}{
		"a greeting and a reply": {wstest.Greeting("hello", pong), nil, []string{
			`< text "hello"`, `> text "{\"op\":\"ping\"}"`, `< text "{\"op\":\"pong\"}"`, `> close "1000"`,
			`< close "1000"`}},
		"a reply in fragments": {func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Fragments(wstest.OpText, `{"op":`, `"po`, `ng"}`)...)
			c.Serve()
		}, nil, []string{
			`> text "{\"op\":\"ping\"}"`, `< text ... ""`, `< continuation ... ""`,
			`< continuation "{\"op\":\"pong\"}"`, `> close "1000"`, `< close "1000"`}},
		"a ping of the server": {func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Ping("are you there"), wstest.Text(pong))
			c.Serve()
		}, nil, []string{
			`> text "{\"op\":\"ping\"}"`, `< ping`, `< text "{\"op\":\"pong\"}"`, `> pong`, `> close "1000"`,
			`< close "1000"`}},
		"compressed": {wstest.DeflateReply(pong), func(s *probe.Spec) { s.Compression = probe.CompressionOn }, []string{
			`> text compressed "{\"op\":\"ping\"}"`, `< text compressed "{\"op\":\"pong\"}"`, `> close "1000"`,
			`< close "1000"`}},
		"a close in place of a reply": {wstest.CloseWith(4001, "token\nexpired"), nil, []string{
			`> text "{\"op\":\"ping\"}"`, `< close "4001 token\\nexpired"`, `> close "4001"`}},
		"a ping frame": {wstest.Silent, func(s *probe.Spec) {
			s.PingMode, s.Send, s.Expect = probe.PingFrame, "", ""
		}, []string{
			`> ping`, `< pong`, `> close "1000"`, `< close "1000"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.Start(c.script)
			defer s.Close()
			spec := probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: probe.RoundTripLatency, Send: ping,
				Expect: want}
			if c.change != nil {
				c.change(&spec)
			}
			r, w := watched(t, spec, probe.RunOptions{})
			got := story(w)
			if !slices.Equal(got, c.want) && !sameButForPongs(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for i, f := range w.Frames {
				if f.At < r.Handshake/2 || i > 0 && f.At < w.Frames[i-1].At {
					t.Errorf("frame %d is of %v", i, f.At)
				}
			}
			if r.Replied != (len(w.Replies) == 1) && spec.PingMode != probe.PingFrame {
				t.Errorf("replied %v, replies %+v", r.Replied, w.Replies)
			}
		})
	}
}

// sameButForPongs allows a Pong of ours to be sent at any time.
func sameButForPongs(got, want []string) bool {
	without := func(all []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(line string) bool { return line == "> pong" })
	}
	return len(got) == len(want) && slices.Equal(without(got), without(want))
}

// TestWatchHeads: both heads are there, and no secret of either side.
func TestWatchHeads(t *testing.T) {
	s := wstest.Start(func(c *wstest.Conn) {
		c.Raw("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
		c.Accept("Sec-WebSocket-Protocol: "+strings.Repeat("tuna", 20), "Set-Cookie: session=marlin; Path=/",
			"X-Saw: "+c.Request().Header.Get("X-Key"), "X-Odd: \x1b[31m")
		c.Serve()
	})
	defer s.Close()
	token := strings.Repeat("tuna", 20)
	_, w := watched(t, probe.Spec{Opening: probe.Opening{
		URL: s.URL + "socket?key=swordfish", Protocols: []string{"chat", token},
		Headers:   map[string]string{"X-Key": "sturgeon", "Origin": "https://app.example.com"},
		Authorize: func(context.Context) (string, error) { return "Bearer pilchard", nil },
	}}, probe.RunOptions{})
	request, response := strings.Join(w.Request, "\n"), strings.Join(w.Response, "\n")
	for _, line := range []string{"GET /socket?[redacted] HTTP/1.1\n", "Upgrade: websocket\n",
		"Origin: https://app.example.com\n", "X-Key: [redacted]\n",
		"Sec-WebSocket-Protocol: chat, [redacted]\n", "Authorization: Bearer [redacted]"} {
		if !strings.Contains(request+"\n", line) {
			t.Errorf("no %q in\n%s", line, request)
		}
	}
	for _, line := range []string{"HTTP/1.1 103 Early Hints\n", "HTTP/1.1 101 Switching Protocols\n",
		"Set-Cookie: session=[redacted]; Path=/\n", "Sec-WebSocket-Protocol: [redacted]\n",
		"X-Saw: [redacted]\n", `X-Odd: \x1b[31m`} {
		if !strings.Contains(response+"\n", line) {
			t.Errorf("no %q in\n%s", line, response)
		}
	}
	for _, secret := range []string{"swordfish", "marlin", "sturgeon", "pilchard", "tunatuna", "\x1b"} {
		if strings.Contains(request+response, secret) {
			t.Errorf("%q is shown in\n%s\n%s", secret, request, response)
		}
	}
}

// TestWatchRefusal: of what refuses the upgrade the head is there without the body, of what speaks no HTTP the
// beginning.
func TestWatchRefusal(t *testing.T) {
	const redirect = "HTTP/1.1 302 Found\r\nLocation: /login?token=marlin#x\r\nContent-Length: 4\r\n\r\nbody"
	for head, want := range map[string]string{
		redirect:                          "HTTP/1.1 302 Found|Location: /login?[redacted]|Content-Length: 4",
		"SSH-2.0-OpenSSH_9.2\r\nmore\r\n": "SSH-2.0-OpenSSH_9.2",
		"":                                "",
	} {
		s := wstest.Start(func(c *wstest.Conn) { c.Request(); c.Raw(head); c.FIN(); c.Hold() })
		_, w := watched(t, probe.Spec{Opening: probe.Opening{URL: s.URL}}, probe.RunOptions{})
		s.Close()
		if got := strings.Join(w.Response, "|"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestWatchTLS: version, cipher and chain of a handshake, and the chain alone of one that fails because of it.
func TestWatchTLS(t *testing.T) {
	s := wstest.StartTLS(wstest.Echo, nil)
	defer s.Close()
	_, w := watched(t, probe.Spec{Opening: probe.Opening{URL: s.URL, TLS: s.ClientTLS()}}, probe.RunOptions{})
	if seen := w.TLS; seen == nil || seen.Version != tls.VersionTLS13 || seen.Cipher == 0 || !seen.Verified ||
		len(seen.Chain) == 0 ||
		len(seen.Chain[0].Names) == 0 || !seen.Chain[0].Until.After(time.Now()) {
		t.Errorf("got %+v", seen)
	}
	r, w := watched(t, probe.Spec{Opening: probe.Opening{URL: s.URL}}, probe.RunOptions{})
	if seen := w.TLS; r.ErrorType != "tls_certificate_untrusted" || seen == nil || seen.Version != 0 || seen.Verified ||
		len(seen.Chain) == 0 {
		t.Errorf("%s: got %+v", r.ErrorType, seen)
	}
}

// TestWatchIsBounded: a flood fills no memory, and the end is seen nevertheless.
func TestWatchIsBounded(t *testing.T) {
	s := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		for range 1000 {
			c.Send(wstest.Text(strings.Repeat("x", 5000)))
		}
		c.Send(wstest.Text(pong))
		c.Serve()
	})
	defer s.Close()
	_, w := watched(t, probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: probe.RoundTripLatency,
		Send: ping, Expect: want}, probe.RunOptions{})
	if n := len(w.Frames); n < probe.MaxWatchedFrames || n > probe.MaxWatchedFrames+2 || w.Unseen < 700 {
		t.Errorf("%d frames, %d unseen", n, w.Unseen)
	}
	if last := w.Frames[len(w.Frames)-1]; last.Kind() != "close" {
		t.Errorf("the last frame is %+v", last)
	}
}

// TestListen: what an endpoint says of its own accord is heard until time is up, the endpoint closes or the context
// ends, and none of them is a failure; a breach of the protocol is.
func TestListen(t *testing.T) {
	say := func(then func(*wstest.Conn)) wstest.Script {
		return func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Text("one"), wstest.Binary("\x00two"))
			then(c)
		}
	}
	for name, c := range map[string]struct {
		script  wstest.Script
		length  time.Duration
		reason  reasons.Code
		code    int
		cancels bool
	}{
		"time is up": {script: say((*wstest.Conn).Serve), length: 200 * time.Millisecond},
		"the endpoint closes": {script: say(func(c *wstest.Conn) {
			c.Send(wstest.Close(1001, "restart"))
			c.Serve()
		}), length: time.Minute, code: 1001},
		"the connection ends": {script: say((*wstest.Conn).FIN), length: time.Minute, code: 1006},
		"a breach": {script: say(func(c *wstest.Conn) {
			c.Send(wstest.Frame{Opcode: wstest.OpText, Masked: true})
			c.Hold()
		}), length: time.Minute,
			reason: reasons.ClosedEarly, code: 1002},
		"the context ends": {script: say((*wstest.Conn).Serve), length: time.Minute, cancels: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.Start(c.script)
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var heard []string
			watch := &probe.Watch{Message: func(m probe.Message) {
				heard = append(heard, fmt.Sprintf("%s %v %d", m.Text, m.Binary, m.Bytes))
				if c.cancels && len(heard) == 2 {
					cancel()
				}
			}}
			p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL}})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.RunWith(ctx, probe.RunOptions{Listen: c.length, Watch: watch})
			if err != nil || cmp.Or(c.reason, reasons.OK) != r.Reason || r.CloseCode != c.code {
				t.Errorf("got %v, %s, %d %s", err, r.Reason, r.CloseCode, r.Detail)
			}
			if want := []string{"one false 3", `\x00two true 4`}; !slices.Equal(heard, want) {
				t.Errorf("heard %q", heard)
			}
		})
	}
}

// TestWatchRepliesOnly: who wants the replies alone gets nothing else.
func TestWatchRepliesOnly(t *testing.T) {
	s := wstest.StartTLS(wstest.Reply(pong), nil)
	defer s.Close()
	_, w := watched(t, probe.Spec{Opening: probe.Opening{URL: s.URL, TLS: s.ClientTLS()},
		Interpretation: probe.RoundTripLatency, Send: ping, Expect: want},
		probe.RunOptions{Watch: &probe.Watch{RepliesOnly: true}})
	if len(w.Replies) != 1 || w.Replies[0].Text != pong || w.Frames != nil || w.Request != nil || w.Response != nil ||
		w.TLS != nil {
		t.Errorf("got %+v", w)
	}
}

// TestListenBehindPing: a run that waits for a Pong can listen, too.
func TestListenBehindPing(t *testing.T) {
	s := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		c.Send(wstest.Pong(c.Read().Payload))
		c.Send(wstest.Text("later"))
		c.Serve()
	})
	defer s.Close()
	var heard []string
	watch := &probe.Watch{Message: func(m probe.Message) { heard = append(heard, m.Text) }}
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: probe.RoundTripLatency,
		PingMode: probe.PingFrame}
	r, _ := watched(t, spec, probe.RunOptions{Listen: 300 * time.Millisecond, Watch: watch})
	if !r.Replied || r.CloseCode != 0 || !slices.Equal(heard, []string{"later"}) {
		t.Errorf("got %+v, heard %q", r, heard)
	}
}
