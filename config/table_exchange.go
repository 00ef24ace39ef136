package config

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// stepSection are the fields of one step of an exchange.
var stepSection = newSection("exchange", "probes[].exchange[].", false, []field[probe.Step]{
	{Field: Field{Path: "on", Kind: Text, Default: probe.MainConnection, Max: probe.MaxConnectionName,
		Doc: "connection of the step; one that is new opens here, with the endpoint, headers and credentials of the probe " +
			"unless connections says otherwise, and the step may then do nothing else"},
		value: textAt(func(s *probe.Step) *string { return &s.On }, nil), secret: public, spec: "On"},
	{Field: Field{Path: "send", Kind: Text,
		Doc: "message to send, at most 64 KiB; without it the step only waits for the server; {{name}} is filled " +
			"in, and {{\"{{\"}} stands for {{"},
		value: optionalTextAt(func(s *probe.Step) **string { return &s.Send }), secret: sent, spec: "Send"},
	{Field: Field{Path: "expect", Kind: Text,
		Doc: "text that the message must contain, at most 64 KiB; empty accepts any message; without an " +
			"expectation the step only sends"},
		value: optionalTextAt(func(s *probe.Step) **string { return &s.Expect }), secret: sent, spec: "Expect"},
	{Field: Field{Path: "expect_pattern", Kind: Text,
		Doc: "in place of expect: a regular expression (RE2); the text that a group (?P<name>...) catches is " +
			"{{name}} in later steps"},
		value: textAt(func(s *probe.Step) *string { return &s.ExpectPattern }, patternProblem), secret: sent, spec: "ExpectPattern"},
	{Field: Field{Path: "expect_json", Kind: Values,
		Doc: "in place of expect: the values that a JSON message must have, by their paths"},
		value: valuesAt(func(s *probe.Step) *map[string]any { return &s.ExpectJSON }), secret: sent, spec: "ExpectJSON"},
	{Field: Field{Path: "timeout_ms", Kind: Milliseconds, Min: 1, Max: probe.MaxTimeout.Milliseconds(),
		Doc: "deadline of the step, within that of the run"},
		value: durationAt(func(s *probe.Step) *time.Duration { return &s.Timeout }), spec: "Timeout"},
	{Field: Field{Path: "measure", Kind: Bool,
		Doc: "makes this step the round trip; else it is the last one that sends and expects, or else the only one " +
			"that expects"},
		value: boolAt(func(s *probe.Step) *bool { return &s.Measure }), spec: "Measure"},
})

// patternProblem refuses an empty pattern: the step would not wait at all.
func patternProblem(expr string) string {
	if expr == "" {
		return `must not be empty: expect: "" takes any message`
	}
	return ""
}
