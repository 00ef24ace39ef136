package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestFixed: whoever asks is told once when the outcome is fixed: at that time, and before the close handshake.
func TestFixed(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	refuse := func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, refused }
	ignoresClose := func(c *wstest.Conn) { c.Accept(); c.Watch() }
	for name, test := range map[string]struct {
		script    wstest.Script
		dial      func(context.Context, netip.AddrPort) (net.Conn, error)
		authorize func(context.Context) (string, error)
		reason    reasons.Code
		at, took  time.Duration
	}{
		"ok": {script: wstest.Reply(pong), reason: reasons.OK, at: listened, took: listened},
		"no_reply": {script: ignoresClose, reason: reasons.ReplyTimeout, at: 2 * time.Second, took: 2*time.Second +
			budget},
		"never_opened": {script: wstest.StallHandshake, reason: reasons.HandshakeTimeout, at: 2 * time.Second,
			took: 2 * time.Second},
		"not_connected": {dial: refuse, reason: reasons.OpenFailed},
		"no_credential": {authorize: func(context.Context) (string, error) { return "", refused }, reason: reasons.OpenFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := wstest.Memory(test.script)
				defer s.Close()
				spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial, Authorize: test.authorize},
					Interpretation: probe.RoundTripLatency, Timeout: 2 * time.Second,
					Send: ping, Expect: want}
				if test.dial != nil {
					spec.Dial = test.dial
				}
				p, err := probe.New(spec)
				if err != nil {
					t.Fatal(err)
				}
				var ended, told []time.Time
				begin := time.Now()
				r, err := p.RunWith(t.Context(), probe.RunOptions{Fixed: func(at time.Time) {
					ended, told = append(ended, at), append(told, time.Now())
				}})
				if err != nil || r.Reason != test.reason {
					t.Fatalf("got %v (%s), %v, want %v", r.Reason, r.Detail, err, test.reason)
				}
				if len(ended) != 1 || ended[0] != r.Ended {
					t.Fatalf("fixed at %v, want once, at %v", ended, r.Ended)
				}
				if at, took := told[0].Sub(begin), time.Since(begin); at != test.at || took != test.took {
					t.Errorf("told after %v of a run of %v, want %v of %v", at, took, test.at, test.took)
				}
			})
		})
	}
}
