package probe_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// secretToken has all that a URL, a header and JSON treat in a way of their own.
const secretToken = `a+b/c=d e&f?g%41h`

// granting is an endpoint whose path /grant gives a token in every way, after 40 ms. Its sockets tell what they were
// asked for, and then what they hear.
func granting(requests chan<- string) wstest.Script {
	return func(c *wstest.Conn) {
		if c.Request().URL.Path != "/grant" {
			c.Accept("Sec-WebSocket-Protocol: " + strings.Split(c.Request().Header.Get("Sec-WebSocket-Protocol"), ",")[0])
			c.Message()
			c.Send(wstest.Text(want + " of " + secretToken))
			c.Serve()
			return
		}
		body, _ := io.ReadAll(c.Request().Body)
		requests <- fmt.Sprintf("%s %s %v %s", c.Request().Method, c.Request().RequestURI, c.Request().Header, body)
		c.Pause(40 * ms)
		text, _ := json.Marshal(secretToken)
		wstest.Refuse(201, `{"access": {"token": `+string(text)+`, "number": 17}}`, "X-Ticket: ticket-canary", "Set-Cookie: sid=cookie-canary; Path=/; HttpOnly",
			"Set-Cookie: other=elsewhere; Path=/elsewhere")(c)
	}
}

// TestPrepare: one request comes before the socket, and what it captures goes where its names stand.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		requests := make(chan string, 1)
		var server *wstest.Server
		change := func(s *probe.Spec, srv *wstest.Server) {
			server = srv
			s.URL += "socket/{{token}}?t={{token}}&n={{number}}&{{ {{other}}"
			s.URL = strings.Replace(s.URL, "&{{ {{other}}", "", 1)
			s.Headers = map[string]string{"X-Token": "Bearer {{ticket}} {{ {{sid}}", "Cookie": "kept=1; sid=mine"}
			s.Protocols, s.ExpectProtocol = []string{"v{{number}}", "chat"}, "v{{number}}"
			s.Send = `{"id": "{{nonce}}", "token": "{{sid}}"}`
			s.Dial = dialAfter(20*ms, srv.Dial)
			s.Prepare = &probe.Prepare{URL: "/grant?key=query-canary", Body: `{"password": "body-canary"}`, Headers: map[string]string{"X-Api": "header-canary"},
				ExpectStatus: 201, Captures: map[string]probe.Capture{"token": {JSON: "access.token"}, "number": {Pattern: `"number": (\d+)`},
					"ticket": {Header: "x-ticket"}, "sid": {Cookie: "sid"}}}
		}
		inBubble(t, secure, granting(requests), change, func(r probe.Result, _ time.Duration) {
			if r.Reason != reasons.OK || r.Handshake != 20*ms || r.Phases[probe.PhasePrepare] != (probe.Span{End: 60 * ms, State: probe.SpanEnded}) {
				t.Errorf("%v: %s; handshake %v, prepare %v", r.Reason, r.Detail, r.Handshake, r.Phases[probe.PhasePrepare])
			}
			asked := <-requests
			for _, text := range []string{"POST /grant?key=query-canary ", `{"password": "body-canary"}`, "X-Api:[header-canary]", "application/json", "User-Agent:[wsprobe]"} {
				if !strings.Contains(asked, text) {
					t.Errorf("asked with %s, want %s in it", asked, text)
				}
			}
			head := server.Last().Head
			for _, line := range []string{
				"GET /socket/a+b%2Fc=d%20e&f%3Fg%2541h?t=a%2Bb%2Fc%3Dd+e%26f%3Fg%2541h&n=17 HTTP/1.1\r\n", "\r\nX-Token: Bearer ticket-canary {{ cookie-canary\r\n",
				"\r\nCookie: kept=1; sid=mine\r\n", "\r\nSec-WebSocket-Protocol: v17, chat\r\n",
			} {
				if !strings.Contains(head, line) {
					t.Errorf("upgrade %q, want %q in it", head, line)
				}
			}
			if r.Subprotocol != "v17" {
				t.Errorf("subprotocol %q", r.Subprotocol)
			}
		})
	}
}

// TestPreparedSecrets: nothing that was sent to or captured from the answer is in a result or in a watch, however a
// server repeats it.
func TestPreparedSecrets(t *testing.T) {
	requests := make(chan string, 1)
	s := wstest.Start(func(c *wstest.Conn) {
		if c.Request().URL.Path == "/grant" {
			granting(requests)(c)
			return
		}
		wstest.Refuse(403, url.QueryEscape(secretToken)+" "+secretToken+" ticket-canary cookie-canary body-canary header-canary query-canary YTpib2R5LWNhbmFyeQ==")(c)
	})
	defer s.Close()
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL + "socket/{{ticket}}?t={{token}}", Headers: map[string]string{"X-Token": "Bearer {{sid}}"},
		Prepare: &probe.Prepare{URL: "/grant?key=query-canary", Body: "user=a&password=body-canary", Headers: map[string]string{"X-Api": "header-canary"},
			ExpectStatus: 201, Captures: map[string]probe.Capture{"token": {JSON: "access.token"}, "ticket": {Header: "x-ticket"}, "sid": {Cookie: "sid"}}}}}
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	watch := new(probe.Watch)
	r, err := p.RunWith(t.Context(), probe.RunOptions{Watch: watch})
	if err != nil || r.ErrorType != reasons.HTTPStatus(403) {
		t.Fatalf("%v, %v: %s", err, r.ErrorType, r.Detail)
	}
	shown := fmt.Sprintf("%+v %+v", r, watch)
	for _, secret := range []string{"canary", secretToken, url.QueryEscape(secretToken), "Ym9keS1jYW5hcnk"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown: %s", secret, shown)
		}
	}
	if !strings.Contains(r.Body, "[redacted]") {
		t.Errorf("body %q", r.Body)
	}
}

// TestPrepareFails: each way to fail has a type and a sentence, and nothing is opened.
func TestPrepareFails(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	raw := func(text string) wstest.Script { return func(c *wstest.Conn) { c.Request(); c.Raw(text) } }
	json := func(c *probe.Prepare) { c.Captures = map[string]probe.Capture{"token": {JSON: "token"}} }
	endless := func(c *wstest.Conn) {
		c.Request()
		c.Raw("HTTP/1.1 200 OK\r\n\r\n")
		for {
			c.Raw("x")
			c.Pause(10 * ms)
		}
	}
	for name, test := range map[string]struct {
		script wstest.Script
		change func(*probe.Prepare)
		broke  reasons.ErrorType
		detail string // or its beginning, before ...
	}{
		"status":       {wstest.Refuse(403, "secret"), nil, reasons.PrepareStatus, "prepare: the server answered 403 Forbidden instead of 200"},
		"redirect":     {wstest.Redirect("https://login.example.com/?next=token"), nil, reasons.PrepareStatus, "prepare: the server answered 302 Found instead of 200, and points to https://login.example.com/?[redacted]"},
		"created":      {wstest.Refuse(200, ""), func(p *probe.Prepare) { p.ExpectStatus = 201 }, reasons.PrepareStatus, "prepare: the server answered 200 OK instead of 201"},
		"no capture":   {wstest.Refuse(200, `{"tok": "x"}`), json, reasons.PrepareCapture, "prepare: capture token: the answer has no such text"},
		"no JSON":      {wstest.Refuse(200, `<html>`), json, reasons.PrepareCapture, "prepare: capture token: the answer has no such text"},
		"empty":        {wstest.Refuse(200, `{"token": ""}`), json, reasons.PrepareCapture, "prepare: capture token: the answer has no such text"},
		"an object":    {wstest.Refuse(200, `{"token": {}}`), json, reasons.PrepareCapture, "prepare: capture token: the answer has no such text"},
		"too long":     {wstest.Refuse(200, `{"token": "`+strings.Repeat("x", probe.MaxCaptureBytes+1)+`"}`), json, reasons.PrepareCapture, "prepare: capture token: the text in the answer is too long"},
		"line break":   {wstest.Refuse(200, `{"token": "x\r\nX-Smuggled: y"}`), json, reasons.PrepareCapture, "prepare: with what was captured, header X-Token must not contain line breaks or other control characters on connection main"},
		"no header":    {wstest.Refuse(200, ``), func(p *probe.Prepare) { p.Captures = map[string]probe.Capture{"token": {Header: "X-None"}} }, reasons.PrepareCapture, "prepare: capture token: the answer has no such text"},
		"no cookie":    {wstest.Refuse(200, ``), func(p *probe.Prepare) { p.Captures = map[string]probe.Capture{"token": {Cookie: "none"}} }, reasons.PrepareCapture, "prepare: capture token: the answer has no such text"},
		"not HTTP":     {raw("SSH-2.0-x\r\n"), nil, reasons.PrepareFailed, `prepare: malformed HTTP response "SSH-2.0-x"`},
		"switched":     {func(c *wstest.Conn) { c.Accept() }, nil, reasons.PrepareStatus, "prepare: the server answered 101 Switching Protocols instead of 200"},
		"long head":    {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10)), nil, reasons.PrepareFailed, "prepare: malformed HTTP response: the head is longer than 65536 bytes"},
		"huge":         {raw("HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 2<<20)), nil, reasons.PrepareFailed, "prepare: the body of the answer is longer than 1048576 bytes"},
		"broken body":  {raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"), nil, reasons.PrepareFailed, "prepare: the body of the answer broke off: unexpected EOF"},
		"hung up":      {raw(""), nil, reasons.PrepareFailed, "prepare: the connection ended while waiting for the answer: EOF"},
		"no such name": {nil, func(p *probe.Prepare) { p.URL = "http://no.example.com/" }, reasons.PrepareFailed, "prepare: lookup no.example.com: no such host"},
		"silent":       {wstest.StallHandshake, nil, reasons.PrepareTimeout, "nothing within 1s: prepare was waiting for the answer"},
		"endless":      {endless, nil, reasons.PrepareTimeout, "nothing within 1s: prepare was waiting for the answer"},
		"TLS":          {func(c *wstest.Conn) { c.Hold() }, func(p *probe.Prepare) { p.URL = "https://192.0.2.1/" }, reasons.PrepareTimeout, "nothing within 1s: prepare was waiting for the TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Bool
			script := func(c *wstest.Conn) {
				if test.detail != "nothing within 1s: prepare was waiting for the TLS handshake" && c.Request().URL.Path == "/" {
					opened.Store(true)
				}
				if test.script != nil {
					test.script(c)
				}
			}
			change := func(s *probe.Spec, srv *wstest.Server) {
				s.Timeout, s.Prepare, s.Dial = timeout, &probe.Prepare{URL: "/grant"}, srv.Dial
				s.Headers = map[string]string{"X-Token": "{{token}}"}
				s.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
					return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				}
				if test.change != nil {
					test.change(s.Prepare)
				}
			}
			inBubble(t, false, script, change, func(r probe.Result, took time.Duration) {
				if r.ErrorType != test.broke || r.Detail != test.detail || r.Opened || opened.Load() {
					t.Errorf("got %v (%s), opened %v %v", r.ErrorType, r.Detail, r.Opened, opened.Load())
				}
				if wants := r.Phases[probe.PhasePrepare]; wants.State != probe.SpanBroken || r.Phases[probe.PhaseConnect].State != probe.SpanAbsent {
					t.Errorf("phases %v", r.Phases)
				}
				if r.HTTPStatus != 0 || r.Body != "" || took > timeout {
					t.Errorf("status %d, body %q, took %v", r.HTTPStatus, r.Body, took)
				}
				if r.Hint(nil) == "" {
					t.Error("no hint")
				}
			})
		})
	}
}

// TestPreparedCredentials: the credentials of the endpoint go to the endpoint itself, and nowhere else.
func TestPreparedCredentials(t *testing.T) {
	asked := make(chan string, 1)
	s := wstest.StartTLS(func(c *wstest.Conn) {
		if c.Request().URL.Path == "/grant" {
			asked <- c.Request().Host + " " + c.Request().Header.Get("Authorization")
			wstest.Refuse(200, "")(c)
			return
		}
		wstest.Echo(c)
	}, nil)
	defer s.Close()
	port := s.Addr().(*net.TCPAddr).Port
	here := fmt.Sprintf("127.0.0.1:%d", port)
	own := map[string]string{"authorization": "Basic own", "Host": "other.example.com"}
	for name, test := range map[string]struct {
		url       string
		headers   map[string]string
		connectTo string
		want      string
	}{
		"a path":       {"/grant", nil, "", here + " Bearer token"},
		"same origin":  {"https://" + here + "/grant", nil, "", here + " Bearer token"},
		"its own":      {"/grant", own, "", "other.example.com Basic own"},
		"another host": {fmt.Sprintf("https://localhost:%d/grant", port), nil, "", fmt.Sprintf("localhost:%d ", port)},
		"connected to": {"/grant", nil, here, "127.0.0.1:1 Bearer token"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := probe.Spec{Opening: probe.Opening{URL: s.URL, TLS: s.ClientTLS(), ConnectTo: test.connectTo, IPVersion: probe.IPv4,
				Authorize: func(context.Context) (string, error) { return "Bearer token", nil },
				Prepare:   &probe.Prepare{URL: test.url, Headers: test.headers}}}
			if test.connectTo != "" {
				spec.URL = "wss://127.0.0.1:1/"
			}
			r := runOnce(t, spec)
			if r.Reason != reasons.OK {
				t.Fatalf("%v: %s", r.ErrorType, r.Detail)
			}
			if got := <-asked; got != test.want {
				t.Errorf("asked %q, want %q", got, test.want)
			}
		})
	}
}

// TestPreparedCookies: cookies of the answer go where a browser would send them.
func TestPreparedCookies(t *testing.T) {
	for name, test := range map[string]struct {
		set, configured string
		secure          bool
		want            string
	}{
		"a session":          {"sid=1; HttpOnly", "", false, "sid=1"},
		"beside another":     {"sid=1", "lang=de; theme=dark", false, "lang=de; theme=dark; sid=1"},
		"the same name":      {"sid=1", "sid=0", false, "sid=0"},
		"another path":       {"sid=1; Path=/login", "", false, ""},
		"secured only":       {"sid=1; Secure", "", false, ""},
		"secured":            {"sid=1; Secure", "", true, "sid=1"},
		"of another domain":  {"sid=1; Domain=example.com", "", false, ""},
		"of the parent":      {"sid=1; Domain=example.org", "", false, "sid=1"},
		"of all the world":   {"sid=1; Domain=org", "", false, ""},
		"expired":            {"sid=1; Max-Age=0", "", false, ""},
		"SameSite":           {"sid=1; SameSite=Strict; Path=/", "", false, "sid=1"},
		"one that is quoted": {`sid="a b"`, "", false, `sid="a b"`},
	} {
		t.Run(name, func(t *testing.T) {
			sent := make(chan string, 1)
			script := func(c *wstest.Conn) {
				if c.Request().URL.Path == "/login" {
					wstest.Refuse(302, "", "Set-Cookie: "+test.set, "Location: /")(c)
					return
				}
				sent <- c.Request().Header.Get("Cookie")
				wstest.Echo(c)
			}
			s, config := wstest.Start(script), (*tls.Config)(nil)
			if test.secure {
				s.Close()
				s = wstest.StartTLS(script, nil)
				config = s.ClientTLS()
			}
			defer s.Close()
			if config != nil {
				config.ServerName = "127.0.0.1"
			}
			resolve := func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
			spec := probe.Spec{Opening: probe.Opening{URL: strings.Replace(s.URL, "127.0.0.1", "chat.example.org", 1), TLS: config, Resolve: resolve, Prepare: &probe.Prepare{URL: "/login", ExpectStatus: 302}}}
			if test.configured != "" {
				spec.Headers = map[string]string{"cookie": test.configured}
			}
			if r := runOnce(t, spec); r.Reason != reasons.OK {
				t.Fatalf("%v: %s", r.ErrorType, r.Detail)
			}
			if got := <-sent; got != test.want {
				t.Errorf("sent %q, want %q", got, test.want)
			}
		})
	}
}

// TestPrepareOnce: one request serves all connections of a run, and each open of a session sends a new one.
func TestPrepareOnce(t *testing.T) {
	asked := 0
	heads := make(chan string, 8)
	s := wstest.Start(func(c *wstest.Conn) {
		if c.Request().URL.Path == "/grant" {
			asked++
			wstest.Refuse(200, fmt.Sprint("ticket", asked))(c)
			return
		}
		heads <- c.Request().RequestURI
		wstest.Echo(c)
	})
	defer s.Close()
	hello := "{{ticket}} {{nonce}}"
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL + "{{ticket}}", Prepare: &probe.Prepare{URL: "/grant",
		Captures: map[string]probe.Capture{"ticket": {Pattern: "(.*)"}}}},
		Exchange:    []probe.Step{{Send: &hello, Expect: &hello}, {On: "two", Send: &hello, Expect: &hello}},
		Connections: map[string]probe.Connection{"two": {URL: s.URL + "two?{{ticket}}"}}})
	if err != nil {
		t.Fatal(err)
	}
	for run := 1; run <= 2; run++ {
		r, held, _, err := p.Open(t.Context(), probe.RunOptions{})
		if err != nil || held == nil {
			t.Fatalf("%v: %s", err, r.Detail)
		}
		first, second := <-heads, <-heads
		if want := fmt.Sprint("ticket", run); asked != run || first != "/"+want || second != "/two?"+want || held.Caught["ticket"] != want {
			t.Errorf("run %d: asked %d times, opened %s and %s, caught %v", run, asked, first, second, held.Caught)
		}
		if shown, _ := held.Texts.Shown(fmt.Sprint("of ticket", run), ""); shown != "of [redacted]" {
			t.Errorf("shown %q", shown)
		}
		_ = held.Raw.Close()
		_ = held.Others[0].Raw.Close()
	}
}

// TestPrepareCancelled: the end of the context ends the wait for the answer.
func TestPrepareCancelled(t *testing.T) {
	begun := make(chan struct{})
	s := wstest.Start(func(c *wstest.Conn) { c.Request(); close(begun); c.Hold() })
	defer s.Close()
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL, Prepare: &probe.Prepare{URL: "/"}}})
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-begun; cancel(cause) }()
	if _, err := p.Run(ctx); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
}
