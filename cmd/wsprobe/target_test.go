package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// rehearsals says what a probe that sends and expects makes of each endpoint of `wsprobe target`.
var rehearsals = map[string]struct {
	reason    reasons.Code
	errorType reasons.ErrorType
}{
	"good": {}, "echo": {}, "slow": {}, "greeting": {}, "fragments": {}, "deflate": {}, "slow-handshake": {}, "ignores-close": {},
	"stall-handshake": {reasons.HandshakeTimeout, reasons.UpgradeTimeout},
	"drip-handshake":  {reasons.HandshakeTimeout, reasons.UpgradeTimeout},
	"fin-handshake":   {reasons.OpenFailed, reasons.UnexpectedEOF},
	"reset-handshake": {reasons.OpenFailed, reasons.ConnectionReset},
	"http-200":        {reasons.OpenFailed, reasons.NotWebSocket},
	"http-302":        {reasons.OpenFailed, reasons.HTTPRedirect},
	"http-401":        {reasons.OpenFailed, "http_401"},
	"http-403":        {reasons.OpenFailed, "http_403"},
	"http-404":        {reasons.OpenFailed, "http_404"},
	"http-426":        {reasons.OpenFailed, "http_426"},
	"http-429":        {reasons.OpenFailed, "http_429"},
	"http-503":        {reasons.OpenFailed, "http_503"},
	"bad-accept":      {reasons.OpenFailed, reasons.BadAcceptKey},
	"bad-upgrade":     {reasons.OpenFailed, reasons.BadUpgradeHeader},
	"bad-subprotocol": {reasons.OpenFailed, reasons.BadSubprotocol},
	"bad-extension":   {reasons.OpenFailed, reasons.BadExtension},
	"not-http":        {reasons.OpenFailed, reasons.MalformedResponse},
	"endless-head":    {reasons.OpenFailed, reasons.MalformedResponse},
	"close-at-open":   {reasons.ClosedEarly, reasons.CloseFrame},
	"close-1000":      {reasons.ClosedEarly, reasons.CloseFrame},
	"close-1011":      {reasons.ClosedEarly, reasons.CloseFrame},
	"close-1013":      {reasons.ClosedEarly, reasons.CloseFrame},
	"close-4001":      {reasons.ClosedEarly, reasons.CloseFrame},
	"close-empty":     {reasons.ClosedEarly, reasons.CloseFrame},
	"drop":            {reasons.ClosedEarly, reasons.UnexpectedEOF},
	"reset":           {reasons.ClosedEarly, reasons.ConnectionReset},
	"silent":          {reasons.ReplyTimeout, reasons.ReplyTimedOut},
	"half-message":    {reasons.ReplyTimeout, reasons.ReplyTimedOut},
	"pings-only":      {reasons.ReplyTimeout, reasons.ReplyTimedOut},
	"mismatch":        {reasons.ReplyMismatch, reasons.ReplyMismatched},
	"flood":           {reasons.ReplyMismatch, reasons.ReplyMismatched},
	"huge-frame":      {reasons.ClosedEarly, reasons.MessageTooBig},
	"deflate-bomb":    {reasons.OpenFailed, "http_400"}, // the probe does not offer compression
	"masked":          {reasons.ClosedEarly, reasons.ProtocolError},
	"reserved-bits":   {reasons.ClosedEarly, reasons.ProtocolError},
	"bad-utf8":        {reasons.ClosedEarly, reasons.ProtocolError},
}

func TestTargetRehearsesEveryFailure(t *testing.T) {
	addr := startTargets(t)
	for _, c := range wstest.Catalogue(defaultTargetText) {
		t.Run(c.Name, func(t *testing.T) {
			if c.Name != "flood" { // takes all the CPU it gets
				t.Parallel()
			}
			want, ok := rehearsals[c.Name]
			if !ok {
				t.Fatal("the test does not know what to expect")
			}
			p, err := probe.New(probe.Spec{
				Opening:        probe.Opening{URL: "ws://" + addr + "/" + c.Name},
				Interpretation: probe.RoundTripLatency,
				Timeout:        rehearsalTime(want.reason),
				Send:           `{"op":"pong"}`,
				Expect:         `"op":"pong"`,
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Reason != want.reason || got.ErrorType != want.errorType {
				t.Errorf("got %v, %q (%s); want %v, %q", got.Reason, got.ErrorType, got.Detail, want.reason, want.errorType)
			}
		})
	}
}

// rehearsalTime is the timeout of a rehearsal: short where only its end shows the outcome, and else so long that a busy
// machine does not bring it about.
func rehearsalTime(want reasons.Code) time.Duration {
	if want == reasons.OK || want == reasons.OpenFailed || want == reasons.ClosedEarly {
		return 30 * time.Second
	}
	return 8 * time.Second
}

func TestTargetListsItsEndpoints(t *testing.T) {
	addr := startTargets(t)
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	if types := resp.Header["Content-Type"]; !slices.Equal(types, []string{"text/plain; charset=utf-8"}) {
		t.Errorf("content types %q, want one", types)
	}
	if try := "\n    wsprobe once ws://" + addr + "/good --send ping --expect pong\n"; !strings.Contains(string(page), try) {
		t.Errorf("the page has no command to begin with: %s", page)
	}
	for name := range rehearsals {
		if !strings.Contains(string(page), "ws://"+addr+"/"+name+" ") {
			t.Errorf("the page does not list %s", name)
		}
	}
}

func TestTargetAddress(t *testing.T) {
	for address, want := range map[string]string{"127.0.0.1:1": "127.0.0.1:1", "0.0.0.0:2": "127.0.0.1:2", "[::]:3": "127.0.0.1:3", "[::1]:4": "[::1]:4"} {
		addr, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := dialable(addr); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := firstTry(wstest.Case{Name: "good"}, "ws://a:1", "hello"); strings.Contains(got, "expect") {
		t.Errorf("endpoints that say hello are expected to say something else: %s", got)
	}
}

// startTargets serves the endpoints as the command does, until the test ends.
func startTargets(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serveTargets(ctx, io.Discard, l, defaultTargetText) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
