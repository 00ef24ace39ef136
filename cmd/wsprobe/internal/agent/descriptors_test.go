package agent

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
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
	wide := held(2, session.RenewBefore)
	wide[0].Spec.Exchange = []probe.Step{{On: "a"}, {On: probe.MainConnection}, {}, {On: "b"}, {On: "a"}}
	wide = append(wide, config.Probe{Spec: probe.Spec{Exchange: []probe.Step{{On: "a"}}}})
	for name, test := range map[string]struct {
		limit       uint64
		maxSessions int
		probes      []config.Probe
		want        string
	}{
		"runs":             {1, 1, make([]config.Probe, 5000), ""},
		"last that fits":   {238, 0, held(100, session.RenewAfter), ""},
		"one more":         {237, 0, held(100, session.RenewAfter), "100 sessions need 238 open files, with those of agent.max_concurrent, which is 10, and 128 besides, and this process may have 237: "},
		"overlap fits":     {248, 0, held(100, session.RenewBefore), ""},
		"overlap":          {247, 0, held(100, session.RenewBefore), "110 sessions need 248 open files"},
		"overlap of few":   {144, 0, held(3, session.RenewBefore), ""},
		"connections fit":  {158, 0, wide, ""},
		"connections":      {157, 0, wide, "4 sessions need 158 open files"}, // 3 and 1, twice 3, ten times 2
		"bound":            {5000, 100, held(100, session.RenewAfter), ""},
		"beyond bound":     {5000, 99, held(100, session.RenewAfter), "100 sessions, overlaps of renew: before included, are more than agent.max_sessions, which is 99"},
		"bound of overlap": {5000, 109, held(100, session.RenewBefore), "110 sessions, overlaps of renew: before included, are more than"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fitsInto(test.limit, config.Agent{MaxConcurrent: 10, MaxSessions: test.maxSessions}, config.DemandOf(test.probes...), nil)
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestStreamsTakeFiles: each connection of a stream takes a file that sessions cannot have.
func TestStreamsTakeFiles(t *testing.T) {
	held := []config.Probe{{Session: &session.Spec{}}}
	streams := []config.Stream{{Workers: 1}, {Workers: 8}}
	for limit, want := range map[uint64]string{148: "", 147: "1 sessions need 148 open files, with those of agent.max_concurrent, which is 10, and 137 besides"} {
		err := fitsInto(limit, config.Agent{MaxConcurrent: 10}, config.DemandOf(held...), streams)
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%d files: got %v, want %q", limit, err, want)
		}
	}
}

// TestClientsTakeFiles: so do clients of the agent's own stream, and runs of /probe.
func TestClientsTakeFiles(t *testing.T) {
	held := config.DemandOf(config.Probe{Session: &session.Spec{}})
	for name, test := range map[string]struct {
		agent config.Agent
		files uint64
	}{
		"no page":   {config.Agent{ProbeEndpoint: config.ProbeEndpoint{Targets: []string{"*"}, MaxConcurrent: 7}}, 139},
		"a page":    {config.Agent{Listen: ":1", ProbeEndpoint: config.ProbeEndpoint{MaxConcurrent: 7}}, 239},
		"and probe": {config.Agent{Listen: ":1", ProbeEndpoint: config.ProbeEndpoint{Targets: []string{"*"}, MaxConcurrent: 7}}, 246},
	} {
		test.agent.MaxConcurrent = 10
		if fitsInto(test.files, test.agent, held, nil) != nil || fitsInto(test.files-1, test.agent, held, nil) == nil {
			t.Errorf("%s: not %d files", name, test.files)
		}
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
	if err := a.Apply(more.Probes); err == nil || err.Error() != "3 sessions, overlaps of renew: before included, are more than agent.max_sessions, which is 2" || a.fleet.size() != 2 {
		t.Errorf("%v, %d probes", err, a.fleet.size())
	}
	if err := a.Apply(more.Probes[1:]); err != nil || a.fleet.size() != 2 {
		t.Errorf("%v, %d probes", err, a.fleet.size())
	}
}
