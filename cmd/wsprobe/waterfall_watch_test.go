package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// watchedRun is a run of which everything was seen.
func watchedRun() shot {
	r := ran(func(r *probe.Result) { r.CertificateExpiry = began.AddDate(0, 0, 43) },
		opening(step{probe.PhaseRoundTrip, 12_345 * us, probe.SpanEnded}, step{probe.PhaseClose, 800 * us, probe.SpanEnded})...)
	names := strings.Split("chat.example.com www.example.com a.example.com b.example.com c.example.com d.example.com e.example.com f.example.com g.example.com", " ")
	return shot{probe: chat(probe.RoundTripLatency), result: r, watch: &probe.Watch{
		Request:  []string{"GET /socket?[redacted] HTTP/1.1", "Host: chat.example.com", "Authorization: Bearer [redacted]"},
		Response: []string{"HTTP/1.1 101 Switching Protocols", "X-Long: " + strings.Repeat("0123456789", 12)},
		TLS: &probe.Secured{Version: 0x0304, Cipher: 0x1301, ALPN: "http/1.1", Verified: true, Chain: []probe.Certificate{
			{Subject: "CN=chat.example.com", Issuer: "CN=R11,O=Some Authority", Names: names, From: began.AddDate(0, 0, -47), Until: began.AddDate(0, 0, 43)},
			{Subject: "CN=R11,O=Some Authority", Issuer: "CN=Root", From: began.AddDate(-3, 0, 0), Until: began.AddDate(3, 0, 0)},
		}},
		Frames: []probe.Frame{
			{At: 37_500 * us, Sent: true, Opcode: 1, Final: true, Length: 13, Preview: `{"op":"ping"}`},
			{At: 40 * ms, Opcode: 1, Length: 3},
			{At: 41 * ms, Opcode: 9, Final: true, Length: 4, Preview: "beat"},
			{At: 41_100 * us, Sent: true, Opcode: 10, Final: true, Length: 4, Preview: "beat"},
			{At: 49_845 * us, Opcode: 0, Final: true, Length: 70_000, Preview: strings.Repeat(`{"op":"pong"} `, 9)},
			{At: 49_900 * us, Opcode: 2, Final: true, Compressed: true, Length: 9, Preview: `\x00\x01`},
			{At: 50 * ms, Sent: true, Opcode: 8, Final: true, Length: 2, Preview: "1000"},
		},
		Unseen:  1234,
		Replies: []probe.Message{{At: 49_845 * us, Bytes: 70_003, Text: strings.Repeat(`{"op":"pong"} `, 9), Cut: true}},
	}}
}

// TestVerboseWaterfall compares with testdata/waterfall, too: -v, and the same with colours, which take no room.
func TestVerboseWaterfall(t *testing.T) {
	s := watchedRun()
	for name, d := range map[string]*textDisplay{
		"verbose":         {verbose: true},
		"verbose_colours": {verbose: true, ink: true},
	} {
		got := d.waterfall(s)
		golden(t, name, got)
		checkLayout(t, s.result, regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(got, ""))
	}
}

// TestSeries: minimum, median, 95th percentile, maximum and losses, and no number where nothing was measured.
func TestSeries(t *testing.T) {
	all, p := make(seriesOf), chat(probe.HandshakeLatency)
	for i := range 20 {
		all.add(shot{probe: p, number: i + 1, result: probe.Result{Reason: reasons.OK, Opened: true, Handshake: time.Duration(20-i) * ms}})
	}
	want := "  20 runs, 20 ok, 0 failed: 0% lost\n  handshake_latency  min 1.000  median 10.500  p95 19.000  max 20.000 ms\n"
	if got := all[p.Name].lines(p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	none, q := make(seriesOf), config.Probe{Name: "none"}
	for range 3 {
		none.add(shot{probe: q, number: 1, result: probe.Result{Reason: reasons.OpenFailed}})
	}
	if got := none[q.Name].lines(q); got != "  3 runs, 0 ok, 3 failed: 100% lost\n" {
		t.Errorf("got %s", got)
	}
}

// golden compares with a file of testdata/waterfall, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "waterfall", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
