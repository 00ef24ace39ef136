package opening_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// hangs is a bound that only a hang breaks.
const hangs = time.Minute

// attempt is an Attempt from now on, with memory of its own.
func attempt(timeout time.Duration) *opening.Attempt {
	now := time.Now()
	return &opening.Attempt{Started: now, Deadline: now.Add(timeout), MaxBody: 100, Head: bufio.NewReader(nil), Chunk: make([]byte, 4096)}
}

// opener opens sockets to a server.
func opener(t *testing.T, server string, change func(*opening.Options)) *opening.Opener {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	options := opening.Options{URL: u, Network: "ip", MaxMessage: 1 << 20}
	if change != nil {
		change(&options)
	}
	o, err := opening.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRecord: an attempt says how far it came: which phases ended, which one broke, and which never began.
func TestRecord(t *testing.T) {
	const absent, broken, ended = opening.Absent, opening.Broken, opening.Ended
	named := func(o *opening.Options) {
		o.ConnectTo, o.URL.Host = o.URL.Host, "endpoint.example"
		o.ConnectTo = strings.Replace(o.ConnectTo, "127.0.0.1", "name.example", 1)
		o.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
	}
	for name, test := range map[string]struct {
		script wstest.Script
		change func(*opening.Options)
		states [4]opening.State // of DNS, Connect, TLS, Upgrade
		stage  reasons.Stage
		status int
		body   string
	}{
		"an address": {
			script: wstest.Silent,
			states: [4]opening.State{absent, ended, absent, ended}, stage: reasons.StageUpgrade, status: 101,
		},
		"a name": {
			script: wstest.Silent, change: named,
			states: [4]opening.State{ended, ended, absent, ended}, stage: reasons.StageUpgrade, status: 101,
		},
		"a refusal": {
			script: wstest.Refuse(403, "no entry"),
			states: [4]opening.State{absent, ended, absent, broken}, stage: reasons.StageUpgrade, status: 403, body: "no entry",
		},
		"a wanted refusal": {
			script: wstest.Refuse(403, "no entry"), change: func(o *opening.Options) { o.ExpectStatus = 403 },
			states: [4]opening.State{absent, ended, absent, ended}, stage: reasons.StageUpgrade, status: 403,
		},
		"a false key": {
			script: wstest.BadAccept,
			states: [4]opening.State{absent, ended, absent, broken}, stage: reasons.StageUpgrade, status: 101,
		},
		"no TLS": {
			script: wstest.Refuse(400, "plain"), change: func(o *opening.Options) { o.URL.Scheme = "wss" },
			states: [4]opening.State{absent, ended, broken, absent}, stage: reasons.StageTLS,
		},
		"no such address": {
			script: wstest.Silent, change: func(o *opening.Options) { named(o); o.Network = "ip6" },
			states: [4]opening.State{broken, absent, absent, absent}, stage: reasons.StageDNS,
		},
		"a refusal of a proxy": {
			script: wstest.Refuse(407, "who?"), change: func(o *opening.Options) { o.Proxy = &url.URL{Scheme: "http", Host: o.URL.Host} },
			states: [4]opening.State{absent, broken, absent, absent}, stage: reasons.StageTunnel, status: 407, body: "who?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.Start(test.script)
			defer s.Close()
			a := attempt(hangs)
			defer a.Close()
			err := opener(t, s.URL, test.change).Open(t.Context(), a)
			for phase, span := range a.Spans {
				if span.State != test.states[phase] || span.State == ended && span.End < span.Start {
					t.Errorf("phase %d is %+v, want %v", phase, span, test.states[phase])
				}
			}
			if a.Stage != test.stage || a.Status != test.status || a.Body != test.body {
				t.Errorf("got stage %v, status %d, body %q, %v", a.Stage, a.Status, a.Body, err)
			}
			if refused, ok := errors.AsType[*opening.Refused](err); ok != (test.status == 403 && test.body != "") || ok && refused.Status != test.status {
				t.Errorf("got error %#v", err)
			}
			if open := a.Stream != nil; open != (err == nil) {
				t.Errorf("open %v, %v", open, err)
			}
		})
	}
}

// TestOpenAttemptSpeaks: an open attempt has the messages that came behind the 101, and many are opened one after the
// other by the same Opener.
func TestOpenAttemptSpeaks(t *testing.T) {
	s := wstest.StartTLS(func(c *wstest.Conn) {
		c.Accept("Sec-WebSocket-Protocol: chat")
		c.Send(wstest.Text("hello"))
		c.Serve()
	}, nil)
	defer s.Close()
	o := opener(t, s.URL, func(options *opening.Options) { options.TLS, options.Protocols = s.ClientTLS(), []string{"chat"} })
	for range 3 {
		a := attempt(hangs)
		if err := o.Open(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if opcode, err := a.Stream.Next(); err != nil || opcode != frame.Text {
			t.Errorf("got a message with opcode %d, %v", opcode, err)
		}
		if got, err := io.ReadAll(a.Stream.Payload()); err != nil || string(got) != "hello" {
			t.Errorf("got %q, %v", got, err)
		}
		if a.Agreement.Subprotocol != "chat" || a.Secured.Version != tls.VersionTLS13 || a.Secured.Expiry.IsZero() {
			t.Errorf("got %+v, %+v", a.Agreement, a.Secured)
		}
		a.Stream.SendClose(frame.CloseNormal)
		if err := a.Stream.Await(); err != nil {
			t.Error(err)
		}
		a.Close()
	}
}

// TestOpenEnds: the deadline and the context end an opening wherever it waits, and the context an open socket, too.
func TestOpenEnds(t *testing.T) {
	s := wstest.Start(wstest.ByPath(map[string]wstest.Script{"/stalls": wstest.StallHandshake, "/opens": wstest.Silent}))
	defer s.Close()
	stalls, opens := opener(t, s.URL+"stalls", nil), opener(t, s.URL+"opens", nil)

	a := attempt(100 * time.Millisecond)
	if err := stalls.Open(t.Context(), a); err == nil || a.Stage != reasons.StageUpgrade || time.Now().Before(a.Deadline) {
		t.Errorf("deadline: got %v in stage %v", err, a.Stage)
	}
	a.Close()

	ctx, cancel := context.WithCancel(t.Context())
	a = attempt(hangs)
	a.Trace = &opening.Trace{Request: func([]byte) { cancel() }, Response: func([]byte) {}}
	if err := stalls.Open(ctx, a); err == nil || a.Stage != reasons.StageUpgrade {
		t.Errorf("context: got %v in stage %v", err, a.Stage)
	}
	a.Close()

	ctx, cancel = context.WithCancel(t.Context())
	a = attempt(hangs)
	if err := opens.Open(ctx, a); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := a.Stream.Await(); err == nil {
		t.Error("an open socket outlives its context")
	}
	a.Close()
}
