package probe_test

import (
	"runtime"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestClock: a TCP connection tells the kernel's time on Linux, under TLS and for a pong too; one in memory cannot.
func TestClock(t *testing.T) {
	kernel := probe.UserTime
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		kernel = probe.KernelTime
	}
	release, err := probe.KeepKernelClock()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	message := func(*probe.Spec) {}
	for _, test := range []struct {
		name   string
		serve  func(wstest.Script) *wstest.Server
		script wstest.Script
		change func(*probe.Spec)
		want   probe.TimestampSource
	}{
		{"tcp", wstest.Start, wstest.Reply(pong), message, kernel},
		{"tls", startTLS, wstest.Reply(pong), message, kernel},
		{"memory", wstest.Memory, wstest.Reply(pong), message, probe.UserTime},
		{"pong", wstest.Start, wstest.Silent, func(s *probe.Spec) { s.Send, s.PingMode = "", probe.PingFrame }, kernel},
		{"open", wstest.Start, wstest.Silent, func(s *probe.Spec) {
			s.Send, s.Interpretation = "", probe.HandshakeLatency
		}, kernel},
		{"refused", wstest.Start, wstest.Refuse(403, ""), message, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.serve(test.script)
			defer s.Close()
			spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial}, Interpretation: probe.RoundTripLatency,
				Send: ping}
			if test.name == "tls" {
				spec.TLS = s.ClientTLS()
			}
			test.change(&spec)
			r := runOnce(t, spec)
			// The kernel begins some time after it was asked to, and a run that was interrupted between the reading of
			// the two clocks trusts neither.
			for n := 0; r.TimestampSource != test.want && n < 50; n++ {
				r = runOnce(t, spec)
			}
			if r.TimestampSource != test.want || (r.Reason == reasons.OK) != (test.want != "") {
				t.Errorf("clock %q, want %q: %+v", r.TimestampSource, test.want, r)
			}
		})
	}
}
