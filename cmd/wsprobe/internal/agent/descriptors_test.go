package agent

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/session"
)

// TestFits: what cannot all be open at a time is refused, and runs alone never are.
func TestFits(t *testing.T) {
	held := func(n int, renew session.Renew) []config.Probe {
		probes := make([]config.Probe, n)
		for i := range probes {
			probes[i].Session = &session.Spec{Renew: renew}
		}
		return probes
	}
	for name, test := range map[string]struct {
		limit       uint64
		maxSessions int
		probes      []config.Probe
		want        string
	}{
		"runs":             {1, 1, make([]config.Probe, 5000), ""},
		"last that fits":   {238, 0, held(100, session.RenewAfter), ""},
		"one more":         {237, 0, held(100, session.RenewAfter), "100 sessions, agent.max_concurrent 10 and 128 files besides exceed the 237 files that"},
		"overlap fits":     {248, 0, held(100, session.RenewBefore), ""},
		"overlap":          {247, 0, held(100, session.RenewBefore), "110 sessions, agent"},
		"overlap of few":   {144, 0, held(3, session.RenewBefore), ""},
		"bound":            {5000, 100, held(100, session.RenewAfter), ""},
		"beyond bound":     {5000, 99, held(100, session.RenewAfter), "100 sessions are more than agent.max_sessions, which is 99"},
		"bound of overlap": {5000, 109, held(100, session.RenewBefore), "110 sessions are more than"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fitsInto(test.limit, config.Agent{MaxConcurrent: 10, MaxSessions: test.maxSessions}, test.probes)
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestApplyFits: sessions beyond the bound are refused as a whole, and what runs stays.
func TestApplyFits(t *testing.T) {
	const head = "agent: {listen: \"127.0.0.1:0\", max_sessions: 2}\notlp: {protocol: none}\ndefaults: {session: {ping_interval: 1s}}\nprobes:\n"
	const two = "  - {name: a, url: \"ws://127.0.0.1:1/\"}\n  - {name: b, url: \"ws://127.0.0.1:1/\"}\n"
	a, err := New(loadFile(t, head+two, nil), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.listener.Close() }()
	more := loadFile(t, strings.Replace(head, "2}", "9}", 1)+two+"  - {name: c, url: \"ws://127.0.0.1:1/\"}\n", nil)
	if err := a.Apply(more.Probes); err == nil || err.Error() != "3 sessions are more than agent.max_sessions, which is 2" || a.fleet.size() != 2 {
		t.Errorf("%v, %d probes", err, a.fleet.size())
	}
	if err := a.Apply(more.Probes[1:]); err != nil || a.fleet.size() != 2 {
		t.Errorf("%v, %d probes", err, a.fleet.size())
	}
}
