package probe_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestMakerKeepsSpecsApart: Probes of one Maker do what their own Specs say, whatever these differ in.
func TestMakerKeepsSpecsApart(t *testing.T) {
	end := wstest.Close(1000, "")
	server := wstest.Start(wstest.ByPath(map[string]wstest.Script{
		"/one": wstest.Frames(wstest.Text("one"), end), "/two": wstest.Frames(wstest.Text("two"), end),
	}))
	defer server.Close()
	base := probe.Spec{Opening: probe.Opening{URL: server.URL + "one"}, Interpretation: probe.RoundTripLatency, Send: "x", Expect: "one"}
	var maker probe.Maker
	for _, c := range []struct {
		name  string
		other func(s *probe.Spec)
		want  reasons.Code
	}{
		{"the first", func(*probe.Spec) {}, reasons.OK},
		{"another URL", func(s *probe.Spec) { s.URL = server.URL + "two" }, reasons.ReplyMismatch},
		{"another expectation", func(s *probe.Spec) { s.Expect = "two" }, reasons.ReplyMismatch},
		{"both", func(s *probe.Spec) { s.URL, s.Expect = server.URL+"two", "two" }, reasons.OK},
		{"the first again", func(*probe.Spec) {}, reasons.OK},
		{"a pattern", func(s *probe.Spec) { s.Expect, s.ExpectPattern = "", "^two$" }, reasons.ReplyMismatch},
		{"no expectation", func(s *probe.Spec) { s.Expect = "" }, reasons.OK},
		{"another limit", func(s *probe.Spec) { s.Expect, s.MaxReply = "", 1 }, reasons.ClosedEarly},
		{"a subprotocol that must be picked", func(s *probe.Spec) { s.Protocols, s.ExpectProtocol = []string{"chat"}, "chat" }, reasons.OpenFailed},
		{"another resolver", func(s *probe.Spec) {
			s.URL = "ws://name.example/"
			s.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no") }
		}, reasons.OpenFailed},
		{"the first once more", func(*probe.Spec) {}, reasons.OK},
	} {
		spec := base
		c.other(&spec)
		p, err := maker.New(spec)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r, err := p.Run(t.Context())
		if err != nil || r.Reason != c.want {
			t.Errorf("%s: %v, %s, %v, want %v", c.name, r.Reason, r.Detail, err, c.want)
		}
	}
}
