package config

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// loadProbes reads a configuration that has to be right, and returns its probes by name.
func loadProbes(t *testing.T, text string) map[string]Probe {
	t.Helper()
	config, err := loadWith(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	probes := make(map[string]Probe)
	for _, p := range config.Probes {
		probes[p.Name] = p
	}
	return probes
}

func TestProbeFields(t *testing.T) {
	p := loadProbes(t, `
probes:
  - name: chat
    url: wss://chat.example.com/socket
    interval: 1m30s
    interpretation: round_trip_latency
    timeout_ms: 2500
    send_message: "ping\n"
    expect_message: pong
    protocols: [b, a]
    headers: {X-UPPER: a, x-lower: "", Host: example.com}
    labels: {Team: A, team: a}
`)["chat"]
	s := p.Spec
	if p.Interval != 90*time.Second || s.URL != "wss://chat.example.com/socket" || s.Interpretation != probe.RoundTripLatency ||
		s.Timeout != 2500*time.Millisecond || s.PingMode != probe.PingMessage || s.Send != "ping\n" || s.Expect != "pong" ||
		!slices.Equal(s.Protocols, []string{"b", "a"}) || s.MaxReply != probe.DefaultMaxReply {
		t.Errorf("%+v", p)
	}
	if want := map[string]string{"X-UPPER": "a", "x-lower": "", "Host": "example.com"}; !maps.Equal(s.Headers, want) {
		t.Errorf("headers %v, want %v: their names keep their case", s.Headers, want)
	}
	if want := map[string]string{"Team": "A", "team": "a"}; !maps.Equal(p.Labels, want) {
		t.Errorf("labels %v, want %v: their names keep their case", p.Labels, want)
	}
}

// TestInheritance: a probe has what it says itself, and the rest from the defaults, wherever they stand.
func TestInheritance(t *testing.T) {
	probes := loadProbes(t, `
probes:
  - {name: inherits, url: wss://example.com}
  - {name: overrides, url: wss://example.com, interval: 5s, timeout_ms: 100, protocols: [], interpretation: connection_success}
  - {name: nulls, url: wss://example.com, interval: ~, timeout_ms: , protocols: null, headers: , labels: ~}
  - {name: maps, url: wss://example.com, headers: {x-a: own, X-C: own, X-B: ~}, labels: {a: own, A: own, b: ~}}
defaults:
  interval: 30s
  timeout_ms: 5000
  protocols: [chat]
  headers: {X-A: default, x-b: default, X-D: default}
  labels: {a: default, b: default, d: default}
`)
	inherits, nulls := probes["inherits"], probes["nulls"]
	for _, p := range []Probe{inherits, nulls} {
		if p.Interval != 30*time.Second || p.Spec.Timeout != 5*time.Second || !slices.Equal(p.Spec.Protocols, []string{"chat"}) ||
			len(p.Spec.Headers) != 3 || len(p.Labels) != 3 {
			t.Errorf("%+v does not have the defaults", p)
		}
	}
	if p := probes["overrides"]; p.Interval != 5*time.Second || p.Spec.Timeout != 100*time.Millisecond || len(p.Spec.Protocols) != 0 ||
		p.Spec.Interpretation != probe.ConnectionSuccess {
		t.Errorf("%+v does not have its own", p)
	}
	p := probes["maps"]
	if want := map[string]string{"x-a": "own", "X-C": "own", "X-D": "default"}; !maps.Equal(p.Spec.Headers, want) {
		t.Errorf("headers %v, want %v", p.Spec.Headers, want)
	}
	if want := map[string]string{"a": "own", "A": "own", "d": "default"}; !maps.Equal(p.Labels, want) {
		t.Errorf("labels %v, want %v", p.Labels, want)
	}
}

// TestDefaultsThatDoNotFit: a default message and ping mode are for the probes that can use them.
func TestDefaultsThatDoNotFit(t *testing.T) {
	for _, test := range []struct {
		name, defaults, own string
		mode                probe.PingMode
		send, expect        string
	}{
		{"handshake", "ping_mode: message, send_message: hi, expect_message: ho", "", probe.PingNone, "", ""},
		{"handshake/frame", "ping_mode: frame", "interpretation: handshake_latency", probe.PingNone, "", ""},
		{"round trip", "send_message: hi, expect_message: ho", "interpretation: round_trip_latency", probe.PingMessage, "hi", "ho"},
		{"round trip/none", "ping_mode: none, send_message: hi", "interpretation: round_trip_latency", probe.PingMessage, "hi", ""},
		{"round trip/frame by default", "ping_mode: frame, send_message: hi, expect_message: ho", "interpretation: round_trip_latency",
			probe.PingFrame, "", ""},
		{"round trip/own frame", "send_message: hi, expect_message: ho", "interpretation: round_trip_latency, ping_mode: frame",
			probe.PingFrame, "", ""},
		{"round trip/own message", "ping_mode: frame, send_message: hi", "interpretation: round_trip_latency, ping_mode: message",
			probe.PingMessage, "hi", ""},
		{"round trip by default", "interpretation: round_trip_latency, send_message: hi", "", probe.PingMessage, "hi", ""},
		{"round trip by default/own handshake", "interpretation: round_trip_latency, send_message: hi, ping_mode: message",
			"interpretation: handshake_latency", probe.PingNone, "", ""},
		{"unset", "send_message: hi, expect_message: ho", "interpretation: round_trip_latency, expect_message: ''", probe.PingMessage, "hi", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			comma := ""
			if test.own != "" {
				comma = ", "
			}
			p := loadProbes(t, "defaults: {"+test.defaults+"}\nprobes:\n  - {name: a, url: wss://example.com"+comma+test.own+"}\n")["a"]
			if p.Spec.PingMode != test.mode || p.Spec.Send != test.send || p.Spec.Expect != test.expect {
				t.Errorf("ping_mode %s, send %q, expect %q", p.Spec.PingMode, p.Spec.Send, p.Spec.Expect)
			}
		})
	}
}

// TestAliases: an alias is a value like any other, and a merge key adds what the mapping does not say itself.
func TestAliases(t *testing.T) {
	clearEnvironment(t)
	config, err := Load("testdata/good/aliases.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []Probe{
		{Name: "chat", Interval: 15 * time.Second, Labels: map[string]string{"team": "chat"}},
		{Name: "second", Interval: 15 * time.Second, Labels: map[string]string{"team": "chat", "tier": "gold"}},
		{Name: "third", Interval: 15 * time.Second, Labels: map[string]string{"team": "chat", "zone": "b"}},
		{Name: "fourth", Interval: 15 * time.Second, Labels: map[string]string{"team": "chat"}},
	}
	for i, p := range config.Probes {
		if p.Name != want[i].Name || p.Interval != want[i].Interval || !maps.Equal(p.Labels, want[i].Labels) ||
			!maps.Equal(p.Spec.Headers, map[string]string{"Origin": "https://example.com"}) || p.Spec.URL != "wss://example.com/" {
			t.Errorf("got %+v, want %+v", p, want[i])
		}
	}
	if got := config.Probes[2].Spec.Protocols; !slices.Equal(got, []string{"chat", "second"}) {
		t.Errorf("protocols %q", got)
	}
}
