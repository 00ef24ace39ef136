package config

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config/discovery"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// TestSession: a session is complete, and the Spec beside it opens the same endpoint.
func TestSession(t *testing.T) {
	p := loadProbes(t, `
probes:
  - name: feed
    url: wss://feed.example.com/v1
    interpretation: round_trip_latency
    timeout_ms: 2000
    max_message_bytes: 5000
    message_format: hex
    headers: {Origin: https://example.com}
    exchange: [{send: c0ff}]
    session:
      ping_interval: 20s
      heartbeat: {send: c000, expect: d000, timeout_ms: 5000}
      answers: [{expect_pattern: ^2$, send: "03"}, {expect_json: {a: 1}, send: "04"}]
      expect: ffff
      max_silence: 30s
      sequence: data.seq
      sent_at: data.ts
      max_lifetime: 1h
      renew: before
      reconnect: {min: 1s, max: 30s}
`)["feed"]
	s := *p.Session
	if s.PingInterval != 20*time.Second || s.PingTimeout != session.DefaultPingTimeout || s.Expect != "ffff" || s.MaxSilence != 30*time.Second ||
		s.Sequence != "data.seq" || s.SentAt != "data.ts" || s.MaxLifetime != time.Hour || s.Renew != session.RenewBefore ||
		s.Reconnect != (session.Reconnect{Min: time.Second, Max: 30 * time.Second}) {
		t.Errorf("%+v", s)
	}
	want := session.Heartbeat{Send: "c000", Expectation: session.Expectation{Expect: "d000"}, Interval: session.DefaultHeartbeatInterval, Timeout: 5 * time.Second}
	if !reflect.DeepEqual(*s.Heartbeat, want) || len(s.Answers) != 2 || s.Answers[0].Send != "03" || s.Answers[1].ExpectJSON == nil {
		t.Errorf("heartbeat %+v, answers %+v", *s.Heartbeat, s.Answers)
	}
	if s.URL != p.Spec.URL || s.Timeout != 2*time.Second || s.MaxReply != 5000 || s.MessageFormat != probe.FormatHex || len(s.Exchange) != 1 ||
		s.Headers["Origin"] == "" || s.UserAgent != probe.DefaultUserAgent {
		t.Errorf("the opening is not that of the probe: %+v", s)
	}
	if faults := p.Spec.Validate(); faults != nil || p.Spec.Interpretation != probe.HandshakeLatency || len(p.Spec.Exchange) != 1 {
		t.Errorf("the run that opens it: %+v, %v", p.Spec, faults)
	}
	if p.Headline() != probe.RoundTripLatency {
		t.Errorf("headline %s", p.Headline())
	}
}

// TestSessionInherits: a session has the fields of the defaults block one by one, and mappings and lists as a whole. A
// probe that can only run has none.
func TestSessionInherits(t *testing.T) {
	probes := loadProbes(t, `
defaults:
  send_message: x
  ping_mode: frame
  expect_pattern: y
  exchange: [{send: login}]
  session: {ping_interval: 20s, heartbeat: {send: x, expect: y}, expect: z, reconnect: {min: 5s, max: 1h}}
probes:
  - {name: inherits, url: wss://example.com}
  - {name: "null", url: wss://example.com, session: ~}
  - {name: own, url: wss://example.com, exchange: [{send: a}, {send: b}], session: {ping_interval: 5s, heartbeat: {send: v}, expect_json: {a: b}, reconnect: {max: 2s}}}
  - {name: shut, url: wss://example.com, expect_status: 401}
  - {name: talks, url: wss://example.com, interpretation: round_trip_latency, ping_mode: message, send_message: hi}
  - {name: quiet, url: wss://example.com, send_message: "", ping_mode: none, stay_open_ms: 0}
`)
	waits := session.Reconnect{Min: 5 * time.Second, Max: time.Hour}
	for _, name := range []string{"inherits", "null", "quiet"} {
		p := probes[name]
		if s := p.Session; s == nil || s.PingInterval != 20*time.Second || s.Heartbeat.Send != "x" || s.Expect != "z" || s.Reconnect != waits || len(s.Exchange) != 1 {
			t.Errorf("%s: %+v", name, s)
		}
		if s := p.Spec; s.Send != "" || s.PingMode != probe.PingNone || s.ExpectPattern != "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if probes["inherits"].Session == probes["null"].Session {
		t.Error("two probes have one session")
	}
	own := probes["own"].Session
	if own.PingInterval != 5*time.Second || own.Heartbeat.Send != "v" || own.Heartbeat.Expect != "" || own.Expect != "" || own.ExpectJSON == nil ||
		own.Reconnect != (session.Reconnect{Min: session.DefaultReconnectMin, Max: 2 * time.Second}) || len(own.Exchange) != 2 {
		t.Errorf("%+v", own)
	}
	if shut, talks := probes["shut"], probes["talks"]; shut.Session != nil || talks.Session != nil || shut.Spec.ExpectStatus != 401 || talks.Spec.Send != "hi" {
		t.Errorf("%+v and %+v are held", shut, talks)
	}
	if p := probes["shut"]; p.Spec.Exchange != nil || p.Headline() != p.Spec.Interpretation {
		t.Errorf("%+v", p)
	}
}

// TestSessionTakesAway: a probe says nothing in place of a default, and has no default that it cannot use.
func TestSessionTakesAway(t *testing.T) {
	probes := loadProbes(t, `
defaults:
  session: {ping_interval: 20s, ping_timeout: 5s, heartbeat: {send: x}, answers: [{expect: a, send: b}], expect: z, max_silence: 1m, sequence: a, max_lifetime: 1h, renew: before}
probes:
  - name: nothing
    url: wss://example.com
    session: {ping_interval: 0s, heartbeat: {}, answers: [], expect: "", max_silence: 0s, sequence: "", max_lifetime: 0s}
  - {name: everything, url: wss://example.com, session: {}}
`)
	got, want := *probes["nothing"].Session, session.Spec{Opening: probes["nothing"].Spec.Opening, Answers: []session.Answer{}}.WithDefaults()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if s := probes["everything"].Session; s.PingTimeout != 5*time.Second || s.Heartbeat == nil || len(s.Answers) != 1 || s.Renew != session.RenewBefore {
		t.Errorf("%+v", s)
	}
}

// TestSessionHeadline: thresholds judge the headline of a session, whatever its run measures.
func TestSessionHeadline(t *testing.T) {
	for in, want := range map[probe.Interpretation]probe.Interpretation{
		probe.HandshakeLatency: probe.HandshakeLatency, probe.RoundTripLatency: probe.HandshakeLatency, probe.ConnectionSuccess: probe.ConnectionSuccess,
	} {
		p := loadProbes(t, probeWith("interpretation: "+string(in), "session: {ping_interval: 1s}", "thresholds: {healthy: '== 1'}"))["a"]
		if p.Headline() != in || p.Spec.Interpretation != want {
			t.Errorf("%s: headline %s, run %s", in, p.Headline(), p.Spec.Interpretation)
		}
	}
	if _, err := loadWith(t, probeWith("interpretation: connection_success", "session: {}", "thresholds: {healthy: '< 200'}"), nil); err == nil {
		t.Error("thresholds in milliseconds are accepted for connection_success")
	}
}

// TestSessionSecrets: what is put into a session is hidden in it and in its run, and a target means itself.
func TestSessionSecrets(t *testing.T) {
	config, err := loadWith(t, "defaults: {session: {heartbeat: {send: 'a ${env:A}', expect: '${env:B}'}}}\n"+
		probeWith("session: {answers: [{expect_json: {a: '${env:C}'}, send: '${env:D}'}], sequence: '${env:S}', expect_pattern: '${env:E}'}"),
		map[string]string{"A": "alpha", "B": "beta", "C": "gamma", "D": "delta", "E": "epsilon", "S": "seq"})
	if err != nil {
		t.Fatal(err)
	}
	p := config.Probes[0]
	want := []string{"alpha", "beta", "delta", "epsilon", "gamma"}
	if !slices.Equal(p.Spec.Secrets, want) || !slices.Equal(p.Session.Secrets, want) {
		t.Errorf("secrets %q and %q, want %q", p.Spec.Secrets, p.Session.Secrets, want)
	}
	p.SetUserAgent("x")
	if p.Spec.UserAgent != "x" || p.Session.UserAgent != "x" {
		t.Errorf("%s, %s", p.Spec.UserAgent, p.Session.UserAgent)
	}
	filled, err := discoverOf(t, "", "session:\n  ping_interval: '{{target.label.every}}'\n"+
		"  heartbeat: {send: '{{nonce}} {{target.label.brace}}', expect: '{{nonce}}'}\n  expect_pattern: 'a{{target.label.n}}'\n  answers: [{expect_pattern: '{{target.label.n}}', send: '{{target.label.n}}'}]\n").
		Probe(discovery.Target{Address: "h", Labels: map[string]string{"n": "a.b", "every": "5s", "brace": "{{x}}"}})
	if s := filled.Session; err != nil || s.PingInterval != 5*time.Second || s.ExpectPattern != `aa\.b` || s.Answers[0].ExpectPattern != `a\.b` || s.Answers[0].Send != "a.b" ||
		s.Heartbeat.Send != `{{nonce}} {{"{{"}}x}}` {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestSessionWithoutSecrets: what is not known yet is no fault.
func TestSessionWithoutSecrets(t *testing.T) {
	got := checkBlind(t, probeWith("interpretation: round_trip_latency", "session: {ping_interval: '${env:A}', ping_timeout: 5s, heartbeat: {send: '${env:B}', interval: '${env:C}'}, "+
		"renew: '${env:D}', max_lifetime: '${env:E}', expect_pattern: '(${env:F}', sequence: '${env:H}', reconnect: {min: 5s, max: '${env:G}'}}"))
	if got != "" {
		t.Error(got)
	}
}
