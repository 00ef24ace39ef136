package main

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// rehearsals says what a probe that sends and expects makes of each endpoint of `wsprobe target`.
var rehearsals = map[string]struct {
	reason    reasons.Code
	errorType reasons.ErrorType
}{
	"good": {}, "echo": {}, "slow": {}, "greeting": {}, "fragments": {}, "deflate": {},
	"slow-handshake": {}, "ignores-close": {},
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

	"connect-then-drop?after=1s": {reasons.ClosedEarly, reasons.UnexpectedEOF},
}

// held are the endpoints that stay open, with queries by which a run sees nothing of what happens to them later.
var held = []string{
	"idle-cut?after=24h", "idle-cut-messages?after=24h", "idle-close?after=24h", "lifetime-fin?after=24h",
	"lifetime-1001?after=24h", "drain-1001?every=24h", "drain-1012?every=24h", "half-open?after=24h", "heartbeat-stops", "server-pings?every=24h",
	"slow-pong", "feed", "feed-deaf", "feed-gap", "feed-repeat", "feed-disorder", "feed-late",
}

func TestTargetRehearsesEveryFailure(t *testing.T) {
	addr := startTargets(t, targetFlags{}).plain
	rehearsed := map[string]bool{}
	for _, path := range append(slices.Collect(maps.Keys(rehearsals)), held...) {
		name, _, _ := strings.Cut(path, "?")
		rehearsed[name] = true
		t.Run(name, func(t *testing.T) {
			if name != "flood" { // takes all the CPU it gets
				t.Parallel()
			}
			want, timeout := rehearsals[path], 30*time.Second
			switch want.reason {
			case reasons.HandshakeTimeout, reasons.ReplyTimeout, reasons.ReplyMismatch:
				timeout = 8 * time.Second // it passes
			}
			got := rehearse(t, timeout, probe.Opening{URL: "ws://" + addr + "/" + path})
			if got.Reason != want.reason || got.ErrorType != want.errorType {
				t.Errorf("got %v, %q (%s); want %v, %q", got.Reason, got.ErrorType, got.Detail, want.reason, want.errorType)
			}
		})
	}
	for _, c := range wstest.Catalogue(defaultTargetText) {
		if !rehearsed[c.Name] {
			t.Errorf("the test does not know what to expect of %s", c.Name)
		}
	}
}

// rehearse runs a probe that sends and expects.
func rehearse(t *testing.T, timeout time.Duration, opening probe.Opening) probe.Result {
	t.Helper()
	p, err := probe.New(probe.Spec{
		Opening:        opening,
		Interpretation: probe.RoundTripLatency,
		Timeout:        timeout,
		Send:           `{"op":"pong"}`,
		Expect:         `"op":"pong"`,
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestTargetTLS tries every host of wss:// as its line in the listing says, and the one that wants a client certificate
// with it and without.
func TestTargetTLS(t *testing.T) {
	files := t.TempDir()
	flags := targetFlags{caFile: filepath.Join(files, "ca.pem"), clientFile: filepath.Join(files, "client.pem")}
	served := startTargets(t, flags)
	for _, path := range []string{caPath, clientPath} {
		content, err := os.ReadFile(filepath.Join(files, path))
		status, offered := get(t, "http://"+served.plain+path)
		if err != nil || status != http.StatusOK || offered != string(content) {
			t.Errorf("%s: %d, %v: what is offered is not what was written", path, status, err)
		}
	}
	_, listing := get(t, "http://"+served.plain+"/")
	trusting, problems := config.TLS{CAFile: flags.caFile}.Config()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	proving, problems := config.TLS{CAFile: flags.caFile, CertFile: flags.clientFile, KeyFile: flags.clientFile}.Config()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	_, port, _ := net.SplitHostPort(served.secure)
	for host, want := range tlsOutcomes {
		t.Run(host, func(t *testing.T) {
			url := "wss://" + host + ":" + port + "/good"
			line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(url) + ` +\S.*\S  +` + regexp.QuoteMeta(outcomeOf(host)) + `$`)
			if !line.MatchString(listing) {
				t.Errorf("the listing has no line %s in\n%s", line, listing)
			}
			if got := rehearse(t, 30*time.Second, probe.Opening{URL: url, TLS: trusting}); got.ErrorType != want.errorType {
				t.Errorf("%v, %q (%s), want %q", got.Reason, got.ErrorType, got.Detail, want.errorType)
			}
			got := rehearse(t, 30*time.Second, probe.Opening{URL: url, TLS: proving})
			if ok := want.client || want.errorType == ""; (got.Reason == reasons.OK) != ok {
				t.Errorf("with a client certificate: %v, %q (%s)", got.Reason, got.ErrorType, got.Detail)
			}
		})
	}
	got := rehearse(t, 30*time.Second, probe.Opening{URL: "wss://" + served.secure + "/echo", TLS: trusting})
	if got.Reason != reasons.OK {
		t.Errorf("by its address: %v, %q (%s)", got.Reason, got.ErrorType, got.Detail)
	}
	if len(tlsOutcomes) != len(wstest.NewTLSCatalogue().Cases) {
		t.Errorf("%d hosts have an outcome, others have not", len(tlsOutcomes))
	}
}

// get returns status and body of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if types := resp.Header["Content-Type"]; !slices.Equal(types, []string{"text/plain; charset=utf-8"}) {
		t.Errorf("content types %q, want one", types)
	}
	return resp.StatusCode, string(body)
}

func TestTargetListsItsEndpoints(t *testing.T) {
	addr := startTargets(t, targetFlags{listenTLS: "none"}).plain
	status, page := get(t, "http://"+addr+"/")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	if try := "\n    wsprobe once ws://" + addr + "/good --send ping --expect pong\n"; !strings.Contains(page, try) {
		t.Errorf("the page has no command to begin with: %s", page)
	}
	for _, c := range wstest.Catalogue(defaultTargetText) {
		if !strings.Contains(page, "ws://"+addr+"/"+pathOf(c)+" ") {
			t.Errorf("the page does not list %s", c.Name)
		}
	}
	if strings.Contains(page, "wss://") {
		t.Errorf("the page lists wss:// where there is none: %s", page)
	}
	if status, _ := get(t, "http://"+addr+caPath); status != http.StatusNotFound {
		t.Errorf("an authority of no certificate: %d", status)
	}
}

func TestTargetSecureAddress(t *testing.T) {
	for _, test := range []struct{ listen, listenTLS, want string }{
		{"127.0.0.1:9465", "", "127.0.0.1:9466"},
		{":9465", "", ":9466"},
		{"[::1]:9465", "", "[::1]:9466"},
		{"127.0.0.1:0", "", "127.0.0.1:0"},
		{"127.0.0.1:1", "none", ""},
		{"127.0.0.1:65535", "127.0.0.1:1", "127.0.0.1:1"},
	} {
		got, err := targetFlags{listen: test.listen, listenTLS: test.listenTLS}.secureAddress()
		if err != nil || got != test.want {
			t.Errorf("%+v: %q, %v", test, got, err)
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

// served are the addresses of endpoints.
type served struct{ plain, secure string }

// startTargets serves the endpoints as the command does, until the test ends.
func startTargets(t *testing.T, flags targetFlags) served {
	t.Helper()
	flags.listen, flags.text = "127.0.0.1:0", defaultTargetText
	endpoints, err := flags.open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- endpoints.serve(ctx, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	addresses := served{plain: endpoints.plain.Addr().String()}
	if endpoints.secure != nil {
		addresses.secure = endpoints.secure.Addr().String()
	}
	return addresses
}
