package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// on puts a step on a connection.
func on(name string, s probe.Step) probe.Step {
	s.On = name
	return s
}

// hub is a server that passes each message to every other connection after a delay, and answers the sender with ok.
// A message "close" makes it close the sender's connection, and "quit" that of all others.
type hub struct {
	delay time.Duration
	mu    sync.Mutex
	heard []string
	conns map[*wstest.Conn]chan wstest.Frame
}

func (h *hub) script(c *wstest.Conn) {
	out := make(chan wstest.Frame, 8)
	h.mu.Lock()
	if h.conns == nil {
		h.conns = make(map[*wstest.Conn]chan wstest.Frame)
	}
	h.conns[c] = out
	h.mu.Unlock()
	c.Accept() // whoever is told that it is open gets all that follows
	go func() {
		defer func() { _ = recover() }() // the connection may be gone
		for f := range out {
			time.Sleep(h.delay)
			c.Send(f)
		}
	}()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.conns, c)
		close(out)
	}()
	for {
		f := c.Read()
		if f.Opcode == wstest.OpClose {
			c.Send(wstest.Close(1000, ""))
			return
		}
		h.publish(c, f.Payload)
	}
}

func (h *hub) publish(from *wstest.Conn, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, text)
	for c, out := range h.conns {
		switch {
		case c != from && text == "quit":
			out <- wstest.Close(1008, "you quit")
		case c != from:
			out <- wstest.Text(text)
		case text == "close":
			out <- wstest.Close(1008, "no right to publish")
		default:
			out <- wstest.Text("ok")
		}
	}
}

// TestFanOut: what one connection sends arrives on others, and the time from the one to the other is exact.
func TestFanOut(t *testing.T) {
	sub := func(s probe.Step) probe.Step { return on("sub", s) }
	for name, test := range map[string]struct {
		steps  []probe.Step
		trip   time.Duration
		detail string // of a failure
	}{
		"opened, then published": {steps: []probe.Step{sub(probe.Step{}), tells("{{nonce}}"), sub(hears("{{nonce}}"))}, trip: 50 * ms},
		"the acknowledgement comes later in the exchange than the message": {
			steps: []probe.Step{sub(probe.Step{}), asks("{{nonce}}", "ok"), sub(measure(hears("{{nonce}}")))}, trip: 50 * ms},
		"a message waits for the step that expects it": {
			steps: []probe.Step{sub(probe.Step{}), tells("a"), tells("b"), hears("ok"), hears("ok"), sub(hears("a")), sub(measure(hears("b")))},
			trip:  100 * ms},
		"what came before the message that is measured is not taken": {
			steps: []probe.Step{sub(probe.Step{}), asks("first", "ok"), sub(asks("x", "ok")), tells("second"), sub(measure(hears("")))}, trip: 50 * ms},
		"what is caught on one is known on another": {
			steps: []probe.Step{sub(probe.Step{}), tells("id {{nonce}}"), sub(catches("id (?P<id>.*)")), sub(tells("again {{id}}")),
				measure(hears("again {{nonce}}"))}, trip: 50 * ms},
		"three": {steps: []probe.Step{on("a", probe.Step{}), on("b", probe.Step{}), on("a", tells("x")), on("b", hears("x")), measure(hears("x"))},
			trip: 50 * ms},
		"not published": {steps: []probe.Step{sub(probe.Step{}), tells("x"), sub(within(time.Second, hears("y")))},
			detail: "step 3 of 3 on sub: no match in 1 message within 1s"},
		"the publisher was thrown out meanwhile": {steps: []probe.Step{sub(probe.Step{}), tells("close"), sub(within(time.Second, hears("y")))},
			detail: `step 3 of 3 on sub: no match in 1 message within 1s; meanwhile main had ended by close frame 1008 "no right to publish"`},
		"the subscriber was thrown out": {steps: []probe.Step{sub(probe.Step{}), tells("quit"), sub(hears("y"))},
			detail: `step 3 of 3 on sub: close frame 1008 "you quit"`},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", with TLS ", secure), func(t *testing.T) {
				h := &hub{delay: 50 * ms}
				inBubble(t, secure, h.script, exchanging(test.steps...), func(r probe.Result, _ time.Duration) {
					if !strings.HasPrefix(r.Detail, test.detail) || (r.Reason == reasons.OK) != (test.detail == "") || r.RoundTrip != test.trip {
						t.Errorf("got %v %q in %v, want %q in %v", r.Reason, r.Detail, r.RoundTrip, test.detail, test.trip)
					}
					if failed := r.Reason != reasons.OK; failed != (r.Connection == "sub") || !r.Opened {
						t.Errorf("on %q, opened %t", r.Connection, r.Opened)
					}
				})
			})
		}
	}
}

// onSecondConnection: whatever an endpoint does to a run, it does to the second connection of one.
func (e endpoint) onSecondConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := wstest.Memory(conversation()), wstest.Memory(e.script)
		defer first.Close()
		defer second.Close()
		spec := e.spec(second, probe.RoundTripLatency)
		step := asks(spec.Send, spec.Expect)
		exchanging(on("other", step))(&spec, second)
		dials := 0
		spec.Dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
			if dials++; dials == 1 {
				return first.Dial(ctx, addr)
			}
			return second.Dial(ctx, addr)
		}
		r, took := e.run(t, spec)
		if took > spec.Timeout+budget {
			t.Errorf("took %v", took)
		}
		e.opened = true
		if e.well(probe.RoundTripLatency) {
			e.protocol = "" // that of the first one is told
		}
		e.checkOutcome(t, r, e.well(probe.RoundTripLatency))
		failed := r.Reason != reasons.OK
		if named := strings.Contains(r.Detail, "step 1 of 1 on other: "); failed != named || failed != (r.Connection == "other") {
			t.Errorf("on %q: %q", r.Connection, r.Detail)
		}
		if failed && e.status != 0 && r.HTTPStatus != e.status {
			t.Errorf("HTTP status %d, want %d", r.HTTPStatus, e.status)
		}
		wait(t, first)
		wait(t, second)
		if got := first.Last().CloseCode; got != 1000 {
			t.Errorf("the first endpoint saw close %d", got)
		}
		if saw := second.Last().CloseCode; !failed && e.saw == nil && saw != 1000 {
			t.Errorf("the second endpoint saw close %d", saw)
		}
	})
}

// TestConnectionsDiffer: a connection has its own URL, headers, subprotocols and credentials, or else those of the
// Spec, and none of them is shown.
func TestConnectionsDiffer(t *testing.T) {
	heads := make(map[string]string)
	s := wstest.Memory(func(c *wstest.Conn) {
		r := c.Request()
		heads[r.URL.Path] = fmt.Sprint(r.Header["X-Key"], r.Header["Authorization"], r.Header["Sec-Websocket-Protocol"], r.URL.RawQuery)
		c.Accept("Sec-WebSocket-Protocol: " + strings.Split(r.Header.Get("Sec-WebSocket-Protocol")+",", ",")[0])
		c.Message()
		c.Send(wstest.Text("main-key sub-key sub-token main-token sub-query main-query"))
		c.Serve()
	})
	defer s.Close()
	bearer := func(token string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return "Bearer " + token, nil }
	}
	spec := probe.Spec{
		Opening: probe.Opening{URL: s.URL + "main?q=main-query", Dial: s.Dial, Headers: map[string]string{"X-Key": "main-key"}, Protocols: []string{"p1"},
			ExpectProtocol: "p1", Authorize: bearer("main-token")},
		Interpretation: probe.RoundTripLatency, Timeout: brief,
		Exchange: []probe.Step{tells("a"), on("same", tells("b")), on("sub", asks("c", "never"))},
		Connections: map[string]probe.Connection{"sub": {URL: s.URL + "sub?q=sub-query", Headers: map[string]string{"X-Key": "sub-key"},
			Protocols: []string{"p2"}, Authorize: bearer("sub-token")}},
	}
	r := run(t, spec)
	if want := "[sub-key] [Bearer sub-token] [p2]q=sub-query"; heads["/sub"] != want {
		t.Errorf("sub: %s", heads["/sub"])
	}
	if want := "[main-key] [Bearer main-token] [p1]q=main-query"; heads["/main"] != want {
		t.Errorf("main: %s", heads["/main"])
	}
	if s.Connections() != 3 || r.Reason != reasons.ReplyMismatch || strings.Contains(r.LastReply, "sub") || strings.Contains(r.LastReply, "main") {
		t.Errorf("%d connections, %+v", s.Connections(), r)
	}

	spec.Connections["sub"] = probe.Connection{Authorize: func(context.Context) (string, error) { return "", errors.New("no such file") }}
	if r := run(t, spec); r.ErrorType != reasons.CredentialsUnreadable || r.Detail != "reading credentials of connection sub: no such file" {
		t.Errorf("%v %q", r.ErrorType, r.Detail)
	}
}

// run runs a probe once.
func run(t *testing.T, spec probe.Spec) probe.Result {
	t.Helper()
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestClosesTogether: the close handshakes of all connections have one budget.
func TestClosesTogether(t *testing.T) {
	mute := func(c *wstest.Conn) {
		c.Accept()
		c.Hold()
	}
	var steps []probe.Step
	for i := range probe.MaxConnections - 1 {
		steps = append(steps, on(fmt.Sprint("c", i), tells("x")))
	}
	inBubble(t, false, mute, func(s *probe.Spec, server *wstest.Server) {
		exchanging(steps...)(s, server)
		s.Interpretation, s.PingMode = probe.HandshakeLatency, probe.PingNone
	}, func(r probe.Result, took time.Duration) {
		if waits := time.Duration(len(steps)) * 10 * ms; r.Reason != reasons.OK || took != waits+budget {
			t.Errorf("%v %s in %v", r.Reason, r.Detail, took)
		}
	})
}

// TestStepsThatOpen: the span of a step includes the open of its connection, and its timeout bounds it.
func TestStepsThatOpen(t *testing.T) {
	script := func(c *wstest.Conn) {
		if c.Request().URL.Path == "/slow" {
			c.Pause(100 * ms)
		}
		c.Accept()
		c.Message()
		c.Send(wstest.Text("b"))
		c.Serve()
	}
	for limit, detail := range map[time.Duration]string{0: "", 60 * ms: "step 2 of 2 on slow: nothing within 60ms: waiting for the response to the upgrade"} {
		inBubble(t, false, script, func(s *probe.Spec, server *wstest.Server) {
			exchanging(asks("a", "b"), on("slow", within(limit, asks("a", "b"))))(s, server)
			s.Connections = map[string]probe.Connection{"slow": {URL: server.URL + "slow"}}
		}, func(r probe.Result, _ time.Duration) {
			want := probe.Span{Start: 10 * ms, End: 120 * ms, State: probe.SpanEnded}
			if limit > 0 {
				want = probe.Span{Start: 10 * ms, End: 70 * ms, State: probe.SpanBroken}
			}
			if r.Detail != detail || r.Steps[1] != want || r.Replied && r.RoundTrip != 0 || r.Phases[probe.PhaseUpgrade].End > 10*ms {
				t.Errorf("%q, %v, round trip %v", r.Detail, r.Steps, r.RoundTrip)
			}
			if limit > 0 && (r.Reason != reasons.HandshakeTimeout || !r.Opened) {
				t.Errorf("%v %v", r.Reason, r.ErrorType)
			}
		})
	}
}

// TestOtherScheme: a connection may have TLS where the main one has none, and the other way round. A certificate that
// is not trusted is told as that of the connection.
func TestOtherScheme(t *testing.T) {
	plain, secured := wstest.Start(wstest.Echo), wstest.StartTLS(wstest.Echo, nil)
	defer plain.Close()
	defer secured.Close()
	for _, test := range []struct {
		main, other *wstest.Server
		trusted     bool
	}{{plain, secured, true}, {secured, plain, true}, {plain, secured, false}} {
		spec := probe.Spec{Opening: probe.Opening{URL: test.main.URL}, Timeout: patient, Interpretation: probe.RoundTripLatency,
			Exchange: []probe.Step{asks("a", "a"), on("other", asks("b", "b"))}, Connections: map[string]probe.Connection{"other": {URL: test.other.URL}}}
		if test.trusted {
			spec.TLS = secured.ClientTLS()
		}
		r := run(t, spec)
		if test.trusted && r.Reason != reasons.OK {
			t.Errorf("%s and %s: %s", test.main.URL, test.other.URL, r.Detail)
		}
		if !test.trusted && (r.ErrorType != reasons.TLSCertificateUntrust || r.Connection != "other" || r.Hint(nil) == "") {
			t.Errorf("%v on %q: %s, %s", r.ErrorType, r.Connection, r.Detail, r.Hint(nil))
		}
	}
}
