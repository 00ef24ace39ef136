package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// full is a Spec with every field of a session.
func full() Spec {
	return Spec{
		Opening: probe.Opening{URL: "wss://feed.example.com/v1"}, PingInterval: 20 * time.Second, PingTimeout: 30 * time.Second,
		Heartbeat:   &Heartbeat{Send: `{"op":"ping"}`, Expectation: Expectation{Expect: "pong"}, Interval: 20 * time.Second, Timeout: 5 * time.Second},
		Answers:     []Answer{{Expectation: Expectation{ExpectPattern: "^2$"}, Send: "3"}},
		Expectation: Expectation{ExpectPattern: `"ch":"trades"`}, MaxSilence: 30 * time.Second, Sequence: "data.seq", SentAt: "data.ts",
		MaxLifetime: time.Hour, Renew: RenewBefore, Reconnect: Reconnect{Min: time.Second, Max: time.Minute},
	}
}

// TestValidate names each fault by its field.
func TestValidate(t *testing.T) {
	long := strings.Repeat("x", probe.MaxSendBytes+1)
	for name, test := range map[string]struct {
		change func(*Spec)
		want   []string // field, key, sub and sub-key, with the beginning of the problem
	}{
		"full":     {func(*Spec) {}, nil},
		"least":    {func(s *Spec) { *s = Spec{Opening: s.Opening} }, nil},
		"no URL":   {func(s *Spec) { s.URL = "" }, []string{"URL... is required"}},
		"timeout":  {func(s *Spec) { s.Timeout = time.Hour }, []string{"Timeout... must be between"}},
		"format":   {func(s *Spec) { s.MessageFormat = "x" }, []string{"MessageFormat... must be one of text, base64, hex"}},
		"headline": {func(s *Spec) { s.Interpretation = "x" }, []string{"Interpretation... must be one of handshake_latency, "}},
		"no round trip": {func(s *Spec) { *s = Spec{Opening: s.Opening, Interpretation: probe.RoundTripLatency} },
			[]string{"PingInterval... is required for round_trip_latency, or heartbeat"}},
		"round trip of pings":      {func(s *Spec) { s.Interpretation, s.Heartbeat = probe.RoundTripLatency, nil }, nil},
		"round trip of heartbeats": {func(s *Spec) { s.Interpretation, s.PingInterval, s.PingTimeout = probe.RoundTripLatency, 0, 0 }, nil},
		"pings too often":          {func(s *Spec) { s.PingInterval = time.Millisecond }, []string{"PingInterval... must be between 100ms and 24h0m0s"}},
		"ping timeout":             {func(s *Spec) { s.PingTimeout = -1 }, []string{"PingTimeout... must be between"}},
		"timeout, no pings":        {func(s *Spec) { s.PingInterval = 0 }, []string{"PingTimeout... is not allowed without ping_interval"}},
		"heartbeat": {func(s *Spec) { s.Heartbeat = &Heartbeat{Interval: 1, Timeout: 1} },
			[]string{"Heartbeat..Send. is required", "Heartbeat..Interval. must be", "Heartbeat..Timeout. must be"}},
		"two expectations":  {func(s *Spec) { s.Heartbeat.ExpectPattern = "x" }, []string{"Heartbeat..ExpectPattern. is not allowed beside expect"}},
		"long heartbeat":    {func(s *Spec) { s.Heartbeat.Send = long }, []string{"Heartbeat..Send. must be at most"}},
		"heartbeat's nonce": {func(s *Spec) { s.Heartbeat.Send, s.Heartbeat.Expect = "{{nonce}}", `{{"{{"}}{{nonce}}` }, nil},
		"heartbeat's name":  {func(s *Spec) { s.Heartbeat.Expect = "{{x}}" }, []string{"Heartbeat..Expect. has {{x}}, which no pattern"}},
		"heartbeat's steps": {func(s *Spec) {
			s.Heartbeat = &Heartbeat{Steps: []probe.Step{{Send: new("{{nonce}}")}, {On: "sub", ExpectPattern: "(?P<x>{{nonce}})", Measure: true}, {Send: new("{{x}}")}}}
			s.Connections = map[string]probe.Connection{"sub": {URL: "ws://other"}}
		}, nil},
		"faults of steps": {func(s *Spec) {
			s.Heartbeat = &Heartbeat{Send: "x", Expectation: Expectation{ExpectPattern: "x"}, Steps: []probe.Step{{On: "sub"}, {On: "a b", Send: new("x"), Expect: new("")},
				{Send: new("{{y}}"), Timeout: time.Second}}}
			s.Connections = map[string]probe.Connection{"none": {}}
		}, []string{"Connections.none.. must be used by a step", "Heartbeat..Send. is not allowed beside steps", "Heartbeat..ExpectPattern. is not allowed beside steps",
			"Heartbeat.0.. must send or expect", "Heartbeat.2.Timeout. is not allowed", "Heartbeat.1.On. must be at most 32", "Heartbeat.2.Send. has {{y}}"}},
		"no steps": {func(s *Spec) { s.Heartbeat = &Heartbeat{Steps: []probe.Step{}} }, []string{"Heartbeat... must have 1 to 32 steps"}},
		"names of the exchange": {func(s *Spec) {
			s.Exchange = []probe.Step{{ExpectPattern: "(?P<x>.)"}}
			s.Heartbeat.Send, s.Answers[0].Send = "{{x}}", "{{x}}"
		}, []string{"Answers.0.Send. must not have placeholders"}},
		"steps without a round trip": {func(s *Spec) { s.Heartbeat = &Heartbeat{Steps: []probe.Step{{Send: new("x")}}} }, []string{"Heartbeat... has no round trip"}},
		"heartbeat's fields": {func(s *Spec) { s.Heartbeat.Steps = []probe.Step{{Send: new("x"), Expect: new("")}} },
			[]string{"Heartbeat..Send. is not allowed beside steps", "Heartbeat..Expect. is not allowed beside steps"}},
		"answer's nonce":      {func(s *Spec) { s.Answers[0].Send = "{{nonce}}" }, []string{"Answers.0.Send. must not have placeholders"}},
		"answer to anything":  {func(s *Spec) { s.Answers[0].ExpectPattern = "" }, []string{"Answers.0.Expect. is required, or"}},
		"answer with nothing": {func(s *Spec) { s.Answers[0].Send = "" }, []string{"Answers.0.Send. is required"}},
		"answers":             {func(s *Spec) { s.Answers = make([]Answer, MaxAnswers+1) }, []string{"Answers... must be at most 8, got 9"}},
		"wanted pattern":      {func(s *Spec) { s.ExpectPattern = "(" }, []string{"ExpectPattern... must be a regular expression"}},
		"wanted placeholder":  {func(s *Spec) { s.ExpectPattern = "{{x}}" }, []string{"ExpectPattern... must not have placeholders"}},
		"wanted JSON": {func(s *Spec) { s.Expectation = Expectation{ExpectJSON: map[string]any{"a": []int{1}}} },
			[]string{"ExpectJSON.a.. must be text, a number"}},
		"silence":          {func(s *Spec) { s.MaxSilence = 1 }, []string{"MaxSilence... must be between"}},
		"paths":            {func(s *Spec) { s.Sequence, s.SentAt = "#(", strings.Repeat("a", 2000) }, []string{"Sequence... must", "SentAt... must be at most 1024 bytes"}},
		"lifetime":         {func(s *Spec) { s.MaxLifetime = 1 }, []string{"MaxLifetime... must be between"}},
		"renew of nothing": {func(s *Spec) { s.MaxLifetime = 0 }, []string{"Renew... is not allowed without max_lifetime"}},
		"renew":            {func(s *Spec) { s.Renew = "x" }, []string{"Renew... must be one of after, before"}},
		"reconnect":        {func(s *Spec) { s.Reconnect.Max = time.Millisecond }, []string{"Reconnect..Max. must be between 1s"}},
		"reconnect, least": {func(s *Spec) { s.Reconnect.Min = 1 }, []string{"Reconnect..Min. must be between 100ms"}},
		"exchange":         {func(s *Spec) { s.Exchange = []probe.Step{{}} }, []string{"Exchange.0.. must send or expect"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := full()
			test.change(&s)
			var got []string
			for _, f := range s.Validate() {
				got = append(got, fmt.Sprintf("%s.%s.%s.%s %s", f.Field, f.Key, f.Sub, f.SubKey, f.Problem))
			}
			same := slices.EqualFunc(got, test.want, strings.HasPrefix)
			if !same {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestDefaults names every default, and that WithDefaults changes nothing that others hold.
func TestDefaults(t *testing.T) {
	beat := Heartbeat{Send: "x"}
	s := Spec{Opening: probe.Opening{URL: "ws://h"}, PingInterval: time.Minute, Heartbeat: &beat, MaxLifetime: time.Hour}.WithDefaults()
	if s.PingTimeout != 10*time.Second || s.Heartbeat.Interval != 30*time.Second || s.Heartbeat.Timeout != 10*time.Second || s.Renew != RenewAfter ||
		s.Reconnect != (Reconnect{500 * time.Millisecond, time.Minute}) || s.MessageFormat != probe.FormatText || s.MaxReply != 1<<20 ||
		s.Interpretation != probe.HandshakeLatency || s.Timeout != 10*time.Second || s.UserAgent != "wsprobe" || beat.Interval != 0 {
		t.Errorf("%+v, %+v", s, beat)
	}
	if s := (Spec{Reconnect: Reconnect{Min: 2 * time.Minute}}).WithDefaults(); s.Reconnect.Max != 2*time.Minute {
		t.Errorf("%v", s.Reconnect)
	}
}
