package probe_test

import (
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestWatchHidesWhatIsSplit: a secret that comes in messages, or in fragments, of three bytes each is in none of them.
func TestWatchHidesWhatIsSplit(t *testing.T) {
	t.Parallel()
	const secret = "tok-marlin-9-swordfish"
	s := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		c.Message()
		for i := 0; i < len(secret); i += 3 {
			c.Send(wstest.Text(secret[i:min(i+3, len(secret))]), wstest.Ping("between"))
		}
		c.Send(wstest.Close(1000, ""))
		c.Watch()
	})
	defer s.Close()
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL, Secrets: []string{secret}},
		Interpretation: probe.RoundTripLatency, Send: ping, Expect: "never"})
	if err != nil {
		t.Fatal(err)
	}
	watch := &probe.Watch{}
	if _, err := p.RunWith(t.Context(), probe.RunOptions{Watch: watch}); err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for _, f := range watch.Frames {
		if strings.Contains(f.Preview, "[redacted]") {
			hidden++
		} else if !f.Sent && f.Preview != "" && strings.Contains(secret, f.Preview) {
			t.Errorf("a frame shows %q", f.Preview)
		}
	}
	if want := (len(secret) + 2) / 3; hidden != want {
		t.Errorf("%d frames hide something, want %d: %+v", hidden, want, watch.Frames)
	}
}
