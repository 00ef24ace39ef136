package probe

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestValidateExchange breaks one thing of an exchange and expects exactly the faults named, as Fault.Error names
// their places.
func TestValidateExchange(t *testing.T) {
	ask := Step{Send: new("a"), Expect: new("b")}
	steps := func(steps ...Step) func(*Spec) { return func(s *Spec) { s.Exchange = steps } }
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   []string
	}{
		{"one step", steps(ask), nil},
		{"as many as there may be", steps(slices.Repeat([]Step{ask}, MaxSteps)...), nil},
		{"one too many", steps(slices.Repeat([]Step{ask}, MaxSteps+1)...), []string{"Exchange"}},
		{"no exchange", steps(), []string{"Send"}},
		{"no step, but an exchange", func(s *Spec) { s.Exchange = []Step{} }, []string{"Exchange"}},
		{"a step that does nothing", steps(ask, Step{}), []string{`Exchange["1"]`}},
		{"two expectations", steps(Step{Send: new("a"), Expect: new(""), ExpectPattern: "x",
			ExpectJSON: map[string]any{"a": 1}}),
			[]string{`Exchange["0"].ExpectPattern`, `Exchange["0"].ExpectJSON`}},
		{"the only waiting step is meant", steps(Step{Send: new("a")}, Step{Expect: new("b")}), nil},
		{"nothing to measure", steps(Step{Send: new("a")}), []string{"Exchange"}},
		{"either of two could be meant", steps(Step{Expect: new("a")}, Step{Expect: new("b")}), []string{"Exchange"}},
		{"nothing to measure, and nothing asked for", func(s *Spec) {
			s.Exchange, s.Interpretation = []Step{{Expect: new("a")}, {Expect: new("b")}}, HandshakeLatency
		}, nil},
		{"a greeting in binary", func(s *Spec) {
			s.Exchange, s.Interpretation, s.MessageFormat = []Step{{Expect: new("00ff")}}, ConnectionSuccess, FormatHex
		}, nil},
		{"beside a refusal", func(s *Spec) {
			s.Exchange, s.Interpretation, s.ExpectStatus = []Step{{Expect: new("a")}}, HandshakeLatency, 403
		}, []string{"Exchange"}},
		{"beside a Ping", func(s *Spec) { s.Exchange, s.PingMode = []Step{ask}, PingFrame }, []string{"Exchange"}},
		{"a waiting step measured", steps(Step{Send: new("a")}, Step{Expect: new("b"), Measure: true}), nil},
		{"two measured", steps(Step{Send: new("a"), Expect: new("b"), Measure: true},
			Step{Expect: new("b"), Measure: true}),
			[]string{`Exchange["1"].Measure`}},
		{"a step measured that expects nothing", steps(ask, Step{Send: new("a"), Measure: true}),
			[]string{`Exchange["1"].Measure`}},
		{"step timeout of the run", func(s *Spec) {
			s.Timeout = time.Second
			s.Exchange = []Step{{Expect: new(""), Measure: true, Timeout: time.Second}}
		}, nil},
		{"step timeout beyond the run", func(s *Spec) {
			s.Timeout = time.Second
			s.Exchange = []Step{{Expect: new(""), Measure: true, Timeout: time.Second + 1}}
		}, []string{`Exchange["0"].Timeout`}},
		{"step timeout negative", steps(Step{Expect: new(""), Measure: true, Timeout: -1}),
			[]string{`Exchange["0"].Timeout`}},
		{"send too long", steps(Step{Send: new(strings.Repeat("x", MaxSendBytes+1)), Expect: new("")}),
			[]string{`Exchange["0"].Send`}},
		{"send not UTF-8", steps(Step{Send: new("\xff"), Expect: new("")}), []string{`Exchange["0"].Send`}},
		{"expect too long", steps(Step{Send: new("x"), Expect: new(strings.Repeat("x", MaxExpectBytes+1))}),
			[]string{`Exchange["0"].Expect`}},
		{"pattern", steps(Step{Send: new("x"), ExpectPattern: "("}), []string{`Exchange["0"].ExpectPattern`}},
		{"JSON", steps(Step{Send: new("x"), ExpectJSON: map[string]any{"a": []int{1}, "b": "c"}}),
			[]string{`Exchange["0"].ExpectJSON["a"]`}},
		{"hex", func(s *Spec) {
			s.MessageFormat, s.Exchange = FormatHex, []Step{{Send: new("zz"), Expect: new("0")}}
		}, []string{`Exchange["0"].Send`, `Exchange["0"].Expect`}},
		{"names known", steps(Step{ExpectPattern: `(?P<id>\d+) (?P<who>\w+)`},
			Step{Send: new("{{id}} {{ who }} {{nonce}}"), ExpectPattern: "{{id}}"}), nil},
		{"names unknown", steps(Step{Send: new("{{id}}"), ExpectPattern: `(?P<id>\d+)`}, Step{Expect: new("{{ID}}")},
			Step{ExpectPattern: "{{ids}}"}, Step{ExpectJSON: map[string]any{"a": "{{b}}"}}),
			[]string{`Exchange["0"].Send`, `Exchange["1"].Expect`,
				`Exchange["2"].ExpectPattern`, `Exchange["3"].ExpectJSON["a"]`}},
		{"a group called nonce", steps(Step{Send: new("a"), ExpectPattern: `(?P<nonce>x)`}),
			[]string{`Exchange["0"].ExpectPattern`}},
		{"beside one message", func(s *Spec) {
			s.Exchange, s.Send, s.Expect = []Step{ask}, "x", "y"
		}, []string{"Expect", "Send"}},
		{"with a ping", func(s *Spec) { s.Exchange, s.PingMode = []Step{ask}, PingBoth }, nil},
		{"in place of a message", func(s *Spec) {
			s.Exchange, s.PingMode = []Step{ask}, PingFrame
		}, []string{"Exchange"}},
		{"with every interpretation", func(s *Spec) {
			s.Exchange, s.Interpretation = []Step{ask}, HandshakeLatency
		}, nil},

		{"several connections", func(s *Spec) {
			s.Exchange = []Step{{On: "sub"}, {On: "main", Send: new("a")}, {On: "sub", Expect: new("a")}}
			s.Connections = map[string]Connection{"sub": {URL: "ws://other", Headers: map[string]string{"X": "y"}, Protocols: []string{"p"}}}
		}, nil},
		{"a connection opened twice", steps(Step{On: "sub"}, ask, Step{On: "sub"}), []string{`Exchange["2"]`}},
		{"the main connection is open", steps(Step{On: "main"}, ask), []string{`Exchange["0"]`}},
		{"names of connections", steps(Step{On: "a b", Send: new("x")}, Step{On: strings.Repeat("x", 33), Send: new("x")}, Step{On: "ä", Send: new("x")},
			Step{On: "A-b_c.9", Send: new("x"), Expect: new("")}), []string{`Exchange["0"].On`, `Exchange["1"].On`, `Exchange["2"].On`}},
		{"as many connections as there may be", steps(ask, Step{On: "1"}, Step{On: "2"}, Step{On: "3"}, Step{On: "4"}, Step{On: "5"}, Step{On: "6"}, Step{On: "7"}), nil},
		{"one connection too many", steps(ask, Step{On: "1"}, Step{On: "2"}, Step{On: "3"}, Step{On: "4"}, Step{On: "5"}, Step{On: "6"}, Step{On: "7"}, Step{On: "8"}),
			[]string{"Exchange"}},
		{"connections that no step uses", func(s *Spec) {
			s.Exchange, s.Connections = []Step{ask}, map[string]Connection{"main": {}, "sub": {}}
		}, []string{`Connections["main"]`, `Connections["sub"]`}},
		{"connections without an exchange", func(s *Spec) {
			s.Interpretation, s.Connections = HandshakeLatency, map[string]Connection{"sub": {}}
		}, []string{`Connections["sub"]`}},
		{"faults of a connection", func(s *Spec) {
			s.Exchange = []Step{ask, {On: "sub"}}
			s.Connections = map[string]Connection{"sub": {URL: "http://x", Headers: map[string]string{"Upgrade": "x", "Authorization": "y"},
				Protocols: []string{"a", "a b"}, Authorize: func(context.Context) (string, error) { return "", nil }}}
		}, []string{`Connections["sub"].URL`, `Connections["sub"].Headers["Upgrade"]`, `Connections["sub"].Headers["Authorization"]`,
			`Connections["sub"].Protocols["1"]`}},

		{"one reply by JSON", func(s *Spec) {
			s.Send, s.ExpectJSON = "x", map[string]any{"a": "b", "c": nil, "d": 1.5, "e": true}
		}, nil},
		{"no path", func(s *Spec) { s.Send, s.ExpectJSON = "x", map[string]any{} }, []string{"ExpectJSON"}},
		{"empty path", func(s *Spec) { s.Send, s.ExpectJSON = "x", map[string]any{"": 1} }, []string{"ExpectJSON"}},
		{"not a number", func(s *Spec) {
			s.Send, s.ExpectJSON = "x", map[string]any{"a": math.NaN()}
		}, []string{`ExpectJSON["a"]`}},
		{"three expectations", func(s *Spec) {
			s.Send, s.Expect, s.ExpectPattern, s.ExpectJSON = "x", "y", "z", map[string]any{"a": 1}
		}, []string{"ExpectPattern", "ExpectJSON"}},
		{"JSON where nothing is sent", func(s *Spec) {
			s.Interpretation, s.ExpectJSON = ConnectionSuccess, map[string]any{"a": 1}
		}, []string{"ExpectJSON"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Spec{Opening: Opening{URL: good.URL}, Interpretation: RoundTripLatency}
			test.change(&spec)
			var got []string
			for _, f := range spec.Validate() {
				place, problem, _ := strings.Cut(f.Error(), ": ")
				got = append(got, place)
				if problem == "" {
					t.Errorf("%+v", f)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q: %v", got, test.want, spec.Validate())
			}
			if _, err := New(spec); (err == nil) != (len(test.want) == 0) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// TestValidatePathLength: a path of ExpectJSON can have MaxJSONPathBytes bytes and no more.
func TestValidatePathLength(t *testing.T) {
	spec := func(length int) Spec {
		path := strings.Repeat("a", length)
		return Spec{Opening: Opening{URL: "ws://example.com/"}, Interpretation: RoundTripLatency, Send: "x",
			ExpectJSON: map[string]any{path: 1}}
	}
	if faults := spec(MaxJSONPathBytes).Validate(); len(faults) > 0 {
		t.Errorf("at the limit: %v", faults)
	}
	faults := spec(MaxJSONPathBytes + 1).Validate()
	if len(faults) != 1 || faults[0].Field != "ExpectJSON" ||
		faults[0].Problem != "must be at most 1024 bytes, got 1025" {
		t.Errorf("above the limit: %v", faults)
	}
}
