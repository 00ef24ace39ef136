package main

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// holdCase is a session with an endpoint of `wsprobe target`, held for a time.
type holdCase struct {
	endpoint string // empty for a port where nobody listens
	limit    time.Duration
	spec     session.Spec
	pace     pace
	held     bool
}

func heldIdentity(url string) *metrics.Identity {
	shown := redact.URL(url)
	return metrics.NewIdentity(metrics.Target{Name: shown, URL: shown, Interpretation: probe.HandshakeLatency})
}

// feedNumbers are where a feed has its number and its time.
var feedNumbers = session.Spec{Sequence: "data.seq", SentAt: "data.ts"}

var holdCases = map[string]holdCase{
	"idle_cut":       {endpoint: "idle-cut?after=60s", limit: 5 * time.Minute},
	"idle_close":     {endpoint: "idle-close?after=75s&code=1001", limit: 5 * time.Minute},
	"lifetime":       {endpoint: "lifetime-1001?after=1h", limit: 200 * time.Minute, spec: session.Spec{PingInterval: 25 * time.Minute}},
	"drain":          {endpoint: "drain-1012?every=1m&down=3s", limit: 95 * time.Second, spec: session.Spec{PingInterval: 25 * time.Second}},
	"half_open":      {endpoint: "half-open?after=10s", limit: 30 * time.Second, spec: session.Spec{PingInterval: 4 * time.Second, PingTimeout: 3 * time.Second}},
	"slow_pong":      {endpoint: "slow-pong?after=1500ms", limit: 7800 * time.Millisecond, spec: session.Spec{PingInterval: 2 * time.Second}, held: true},
	"deaf":           {endpoint: "feed-deaf?every=1s&messages=3", limit: 12 * time.Second, spec: session.Spec{MaxSilence: 4 * time.Second}},
	"gap":            {endpoint: "feed-gap?every=1s&messages=3&gap=2", limit: 6500 * time.Millisecond, spec: feedNumbers, held: true},
	"repeat":         {endpoint: "feed-repeat?every=1s&messages=2", limit: 5500 * time.Millisecond, spec: feedNumbers, held: true},
	"flood":          {endpoint: "feed?every=10ms", limit: 3505 * time.Millisecond, spec: feedNumbers, held: true},
	"flood_quiet":    {endpoint: "feed?every=10ms", limit: 3505 * time.Millisecond, spec: feedNumbers, pace: pace{quiet: true}, held: true},
	"every_message":  {endpoint: "feed?every=100ms", limit: 950 * time.Millisecond, spec: feedNumbers, pace: pace{every: true}, held: true},
	"late":           {endpoint: "feed-late?every=1s&step=400ms", limit: 3505 * time.Millisecond, spec: feedNumbers, held: true},
	"heartbeat_gone": {endpoint: "heartbeat-stops?messages=2", limit: 25 * time.Second, spec: session.Spec{Heartbeat: &session.Heartbeat{Send: "ping", Interval: 5 * time.Second, Timeout: 2 * time.Second}, PingInterval: 3 * time.Second}},
	"renew_before":   {endpoint: "echo", limit: 25 * time.Second, spec: session.Spec{MaxLifetime: 10 * time.Second, Renew: session.RenewBefore}, held: true},
	"renew_after":    {endpoint: "echo", limit: 15 * time.Second, spec: session.Spec{MaxLifetime: 10 * time.Second}, held: true},
	"server_pings":   {endpoint: "server-pings?every=2s&within=1s", limit: 5 * time.Second, held: true},
	"ping_flood":     {endpoint: "pings-only", limit: 1500 * time.Millisecond, spec: session.Spec{Exchange: []probe.Step{{Send: new(string)}}}, held: true},
	"rules":          {endpoint: "close-at-open", limit: time.Second},
	"too_long":       {endpoint: "huge-frame", limit: 700 * time.Millisecond, spec: session.Spec{Exchange: []probe.Step{{Send: new(string)}}}},
	"no_numbers":     {endpoint: "feed?every=1s", limit: 1500 * time.Millisecond, spec: session.Spec{Sequence: "seq", SentAt: "ts"}, held: true},
	"nobody":         {limit: 2 * time.Second},
}

// hold holds the session of a case in a bubble, and shows it.
func (c holdCase) hold(t *testing.T, show func(io.Writer, *metrics.Identity) holdDisplay) (shown string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		scripts := map[string]wstest.Script{}
		for _, c := range wstest.Catalogue(defaultTargetText) {
			scripts["/"+c.Name] = c.Script
		}
		server := wstest.Memory(wstest.ByPath(scripts))
		defer server.Close()
		c.spec.URL, c.spec.Dial = server.URL+c.endpoint, server.Dial
		if c.endpoint == "" {
			c.spec.Dial = func(context.Context, netip.AddrPort) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
		}
		var out strings.Builder
		h := holdRun{spec: c.spec.WithDefaults(), limit: c.limit, pace: c.pace, show: show(&out, heldIdentity(server.URL+c.endpoint))}
		h.options.Random = func() float64 { return 0.5 }
		if err := h.run(t.Context()); (err == nil) != c.held {
			t.Errorf("%v, want it held: %v", err, c.held)
		}
		shown = out.String()
	})
	return shown
}

func TestHoldText(t *testing.T) {
	for name, c := range holdCases {
		t.Run(name, func(t *testing.T) {
			shown := c.hold(t, func(w io.Writer, probe *metrics.Identity) holdDisplay {
				return &holdText{out: w, words: heldWords(), probe: probe}
			})
			golden(t, "../hold/"+name, shown)
			for line := range strings.Lines(shown) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > lineWidth {
					t.Errorf("a line of %d columns: %s", n, line)
				}
			}
		})
	}
}

// TestHoldColours holds that colours change nothing else.
func TestHoldColours(t *testing.T) {
	for _, name := range []string{"half_open", "gap", "nobody"} {
		shown := holdCases[name].hold(t, func(w io.Writer, probe *metrics.Identity) holdDisplay {
			return &holdText{out: w, words: heldWords(), probe: probe, ink: true}
		})
		golden(t, "../hold/"+name, regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(shown, ""))
	}
}

// TestHoldPulse holds that a terminal shows each second for how long the session is open, in a line that goes away: what
// stays is the same as elsewhere.
func TestHoldPulse(t *testing.T) {
	const pulse = `  (opening|open for [0-9ms ]+, nothing new for [0-9ms ]+|not open, the next try comes in \d+ s)\r\x1b\[K`
	for name, want := range map[string]string{
		"idle_cut": "  open for 3 s, nothing new for 3 s" + clearLine, "gap": "  open for 5 s, nothing new for ",
		"nobody": "  not open, the next try comes in 1 s" + clearLine,
	} {
		shown := holdCases[name].hold(t, func(w io.Writer, probe *metrics.Identity) holdDisplay {
			return &holdText{out: w, words: heldWords(), probe: probe, terminal: true}
		})
		if !strings.Contains(shown, want) {
			t.Errorf("%s: no %q in %q", name, want, shown)
		}
		golden(t, "../hold/"+name, regexp.MustCompile(pulse).ReplaceAllString(shown, ""))
	}
}

func TestHoldJSON(t *testing.T) {
	for _, name := range []string{"idle_cut", "drain", "gap", "flood", "heartbeat_gone", "renew_before", "nobody"} {
		t.Run(name, func(t *testing.T) {
			golden(t, "../hold/"+name+"_json", holdCases[name].hold(t, func(w io.Writer, probe *metrics.Identity) holdDisplay { return newHoldJSON(w, probe, heldWords()) }))
		})
	}
}

// TestHoldShowsNoSecret: what an endpoint says drives no terminal, and shows no secret of the session.
func TestHoldShowsNoSecret(t *testing.T) {
	server := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		c.Send(wstest.Close(4001, "\x1b[2J no entry with s3cret-t0ken"))
		c.Watch()
	})
	defer server.Close()
	spec := session.Spec{Opening: probe.Opening{URL: server.URL, Headers: map[string]string{"X-Key": "s3cret-t0ken"}}}
	for name, show := range map[string]func(io.Writer, *metrics.Identity) holdDisplay{
		"text": func(w io.Writer, probe *metrics.Identity) holdDisplay {
			return &holdText{out: w, words: heldWords(), probe: probe}
		},
		"json": func(w io.Writer, probe *metrics.Identity) holdDisplay { return newHoldJSON(w, probe, heldWords()) },
	} {
		var out strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		h := holdRun{spec: spec.WithDefaults(), show: show(&until{&out, "4001", cancel}, heldIdentity(server.URL))}
		if err := h.run(ctx); err == nil {
			t.Errorf("%s: held", name)
		}
		if shown := out.String(); strings.Contains(shown, "s3cret") || strings.Contains(shown, "\x1b") || !strings.Contains(shown, "[redacted]") {
			t.Errorf("%s: %s", name, shown)
		}
	}
}

// until calls a function once a text was written.
type until struct {
	io.Writer
	text string
	call func()
}

func (u *until) Write(b []byte) (int, error) {
	if strings.Contains(string(b), u.text) {
		u.call()
	}
	return u.Writer.Write(b)
}

// TestHoldEndsWithItsReader: once nobody reads any more, the session is closed.
func TestHoldEndsWithItsReader(t *testing.T) {
	c := holdCases["gap"]
	c.held, c.limit = false, 0
	lines := 0
	c.hold(t, func(io.Writer, *metrics.Identity) holdDisplay {
		return newHoldJSON(writerFunc(func(b []byte) (int, error) {
			if lines++; lines > 3 {
				return 0, syscall.EPIPE
			}
			return len(b), nil
		}), heldIdentity("ws://h/"), heldWords())
	})
	if lines != 4 {
		t.Errorf("%d lines, want no more after the first that nobody read", lines)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestSample holds that least and most are exact, and the others near, however many values there are.
func TestSample(t *testing.T) {
	var s sample
	const n = 5 * maxSample
	for i := range n {
		s.add(time.Duration(n - i))
	}
	if len(s.kept) > maxSample || s.n != n || s.least != 1 || s.most != n {
		t.Errorf("%d kept of %d, from %d to %d", len(s.kept), s.n, s.least, s.most)
	}
	for i, percent := range []float64{50, 99} {
		want := n * percent / 100
		if got := float64(s.quantiles(50, 99)[i]); got < want-n/1000 || got > want+n/1000 {
			t.Errorf("p%.0f is %.0f, want %.0f", percent, got, want)
		}
	}
}
