package probe_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestCatalogue probes every ready-made endpoint behind its path, as those who rehearse their alerts do.
func TestCatalogue(t *testing.T) {
	reasons := map[string]string{
		"good":            "ok",
		"echo":            "ws_reply_mismatch",
		"slow":            "ok",
		"greeting":        "ok",
		"fragments":       "ok",
		"deflate":         "ok",
		"slow-handshake":  "ok",
		"stall-handshake": "ws_handshake_timeout",
		"drip-handshake":  "ws_handshake_timeout",
		"silent":          "ws_reply_timeout",
		"half-message":    "ws_reply_timeout",
		"pings-only":      "ws_reply_timeout",
		"mismatch":        "ws_reply_mismatch",
		"flood":           "ws_reply_mismatch",
		"close-at-open":   "ws_closed_early",
		"close-1000":      "ws_closed_early",
		"close-1011":      "ws_closed_early",
		"close-1013":      "ws_closed_early",
		"close-4001":      "ws_closed_early",
		"close-empty":     "ws_closed_early",
		"drop":            "ws_closed_early",
		"reset":           "ws_closed_early",
		"ignores-close":   "ok",
		"huge-frame":      "ws_closed_early",
		"deflate-bomb":    "ws_closed_early",
		"masked":          "ws_closed_early",
		"reserved-bits":   "ws_closed_early",
		"bad-utf8":        "ws_closed_early",

		"connect-then-drop": "ws_closed_early",
	}
	cases := wstest.Catalogue(pong)
	paths := make(map[string]wstest.Script)
	for _, c := range cases {
		paths["/"+c.Name] = c.Script
	}
	s := wstest.Start(wstest.ByPath(paths))
	t.Cleanup(s.Close)
	for _, c := range append(cases, wstest.Case{Name: "no-such-path"}) {
		t.Run(c.Name, func(t *testing.T) {
			if c.Name != "flood" { // takes all the CPU it gets
				t.Parallel()
			}
			compression := probe.CompressionOff
			if strings.HasPrefix(c.Name, "deflate") {
				compression = probe.CompressionOn
			}
			timeout := patient
			if want := reasons[c.Name]; strings.HasSuffix(want, "_timeout") || want == "ws_reply_mismatch" {
				timeout = brief
			}
			p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL + c.Name + unhurried(c), Compression: compression},
				Interpretation: probe.RoundTripLatency, Timeout: timeout, Send: ping, Expect: want})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			reason := reasons[c.Name]
			switch {
			case reason == "" && len(c.Parameters) > 0:
				reason = "ok" // nothing happens to it for so long
			case reason == "":
				reason = "ws_open_failed" // all the others
			}
			if r.Reason.String() != reason {
				t.Errorf("%s: %v, %s (%s), want %s", c.Does, r.Reason, r.ErrorType, r.Detail, reason)
			}
			if status, ok := strings.CutPrefix(c.Name, "http-4"); ok && string(r.ErrorType) != "http_4"+status {
				t.Errorf("error type %s", r.ErrorType)
			}
		})
	}
}

// unhurried is a query by which nothing happens to an endpoint that stays open during a run, however slow the machine is.
// The endpoint that ends soon keeps its time.
func unhurried(c wstest.Case) string {
	query := url.Values{}
	for _, p := range c.Parameters {
		if c.Name != "connect-then-drop" && p.Name != "down" && !p.Number {
			query.Set(p.Name, p.Format(p.Most))
		}
	}
	return "?" + query.Encode()
}
