package config

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// sessionSection is the mapping session of a probe. Its defaults are those of package session, which fills them in.
var sessionSection = newSection("session", "probes[].session.", false, []field[session.Spec]{
	{Field: Field{Path: "ping_interval", Kind: Duration, Default: "0s", Max: int64(session.MaxInterval),
		Doc: "time between two Ping frames, at least 100ms, or 0s for none"},
		value: durationAt(func(s *session.Spec) *time.Duration { return &s.PingInterval }), spec: "PingInterval"},
	{Field: Field{Path: "ping_timeout", Kind: Duration, Default: "10s", Min: int64(session.MinInterval), Max: int64(session.MaxInterval),
		Doc: "time for a Pong, from each Ping; it may be longer than ping_interval, and no two Pings are under way"},
		value: durationAt(func(s *session.Spec) *time.Duration { return &s.PingTimeout }), spec: "PingTimeout"},
	{Field: Field{Path: "heartbeat", Kind: Section,
		Doc: "a message that is sent at intervals, and its answer: the application's own sign of life, and a round trip each"},
		value: heartbeatAt(func(s *session.Spec) **session.Heartbeat { return &s.Heartbeat }), spec: "Heartbeat"},
	{Field: Field{Path: "answers", Kind: Sections, Max: session.MaxAnswers,
		Doc: "messages of the server that want an answer each, such as the heartbeats of Socket.IO; the first that matches is answered"},
		value: answersAt(func(s *session.Spec) *[]session.Answer { return &s.Answers }), spec: "Answers"},
	{Field: Field{Path: "expect", Kind: Text,
		Doc: "text that the wanted messages contain, at most 64 KiB; without an expectation every message is wanted that is " +
			"no answer to a heartbeat and wants none"},
		value: textAt(func(s *session.Spec) *string { return &s.Expect }, nil), secret: sent, spec: "Expect"},
	{Field: Field{Path: "expect_pattern", Kind: Text,
		Doc: "in place of expect: a regular expression (RE2) that the wanted messages match somewhere"},
		value: textAt(func(s *session.Spec) *string { return &s.ExpectPattern }, nil), secret: sent, spec: "ExpectPattern"},
	{Field: Field{Path: "expect_json", Kind: Values,
		Doc: "in place of expect: the values that the wanted JSON messages have, by their paths"},
		value: valuesAt(func(s *session.Spec) *map[string]any { return &s.ExpectJSON }), secret: sent, spec: "ExpectJSON"},
	{Field: Field{Path: "max_silence", Kind: Duration, Default: "0s", Max: int64(session.MaxInterval),
		Doc: "time without a wanted message, at least 100ms, after which the session is deaf: it ends as ws_reply_timeout with the error " +
			"type stale; 0s for no such bound"},
		value: durationAt(func(s *session.Spec) *time.Duration { return &s.MaxSilence }), spec: "MaxSilence"},
	{Field: Field{Path: "sequence", Kind: Text,
		Doc: "path in JSON of a number that rises by one from wanted message to wanted message of a connection; gaps, repeats and " +
			"disorder are counted"},
		value: textAt(func(s *session.Spec) *string { return &s.Sequence }, nil), secret: public, spec: "Sequence"},
	{Field: Field{Path: "sent_at", Kind: Text,
		Doc: "path in JSON of the time at which the server sent a wanted message (RFC 3339, or Unix time in s, ms, µs or ns), for " +
			"its age at the arrival"},
		value: textAt(func(s *session.Spec) *string { return &s.SentAt }, nil), secret: public, spec: "SentAt"},
	{Field: Field{Path: "max_lifetime", Kind: Duration, Default: "0s", Max: int64(session.MaxLifetime),
		Doc: "age of at least 1s at which the session is renewed on purpose, closing with 1000; or 0s for none"},
		value: durationAt(func(s *session.Spec) *time.Duration { return &s.MaxLifetime }), spec: "MaxLifetime"},
	{Field: Field{Path: "renew", Kind: Choice, Default: string(session.RenewAfter), Allowed: words(session.Renews()),
		Doc: "when the next session opens: after the old one has closed, or before, for endpoints that allow two"},
		value: wordAt(func(s *session.Spec) *session.Renew { return &s.Renew }), spec: "Renew"},
	{Field: Field{Path: "reconnect", Kind: Section,
		Doc: "bounds of the random waits before a session that ended is opened anew"},
		value: reconnectAt(func(s *session.Spec) *session.Reconnect { return &s.Reconnect }), spec: "Reconnect"},
})

// heartbeatSection is the mapping heartbeat of a session.
var heartbeatSection = newSection("session.heartbeat", "probes[].session.heartbeat.", false, []field[session.Heartbeat]{
	{Field: Field{Path: "send", Kind: Text, Doc: "message to send, at most 64 KiB; required without steps; {{nonce}} is fresh in every heartbeat"},
		value: textAt(func(h *session.Heartbeat) *string { return &h.Send }, nil), secret: sent, spec: "Send"},
	{Field: Field{Path: "expect", Kind: Text,
		Doc: "text that the answer contains, at most 64 KiB; without an expectation the next message is the answer"},
		value: textAt(func(h *session.Heartbeat) *string { return &h.Expect }, nil), secret: sent, spec: "Expect"},
	{Field: Field{Path: "expect_pattern", Kind: Text,
		Doc: "in place of expect: a regular expression (RE2) that the answer matches somewhere"},
		value: textAt(func(h *session.Heartbeat) *string { return &h.ExpectPattern }, nil), secret: sent, spec: "ExpectPattern"},
	{Field: Field{Path: "expect_json", Kind: Values,
		Doc: "in place of expect: the values that a JSON answer has, by their paths"},
		value: valuesAt(func(h *session.Heartbeat) *map[string]any { return &h.ExpectJSON }), secret: sent, spec: "ExpectJSON"},
	{Field: Field{Path: "steps", Kind: Sections, Min: 1, Max: probe.MaxSteps,
		Doc: "in place of send and one answer: steps as in an exchange, also on other connections, which then last as long as the session"},
		value: stepsAt(func(h *session.Heartbeat) *[]probe.Step { return &h.Steps }), spec: "Steps"},
	{Field: Field{Path: "interval", Kind: Duration, Default: "30s", Min: int64(session.MinInterval), Max: int64(session.MaxInterval),
		Doc: "time between two heartbeats, of which one is under way at a time"},
		value: durationAt(func(h *session.Heartbeat) *time.Duration { return &h.Interval }), spec: "Interval"},
	{Field: Field{Path: "timeout_ms", Kind: Milliseconds, Default: "10000",
		Min: session.MinInterval.Milliseconds(), Max: session.MaxInterval.Milliseconds(),
		Doc: "time for the answer; the session ends when it passes"},
		value: durationAt(func(h *session.Heartbeat) *time.Duration { return &h.Timeout }), spec: "Timeout"},
})

// answerSection is one of the answers of a session.
var answerSection = newSection("session.answers", "probes[].session.answers[].", false, []field[session.Answer]{
	{Field: Field{Path: "expect", Kind: Text,
		Doc: "text that the message of the server contains, at most 64 KiB; one of the three expectations is required"},
		value: textAt(func(a *session.Answer) *string { return &a.Expect }, nil), secret: sent, spec: "Expect"},
	{Field: Field{Path: "expect_pattern", Kind: Text,
		Doc: "in place of expect: a regular expression (RE2) that the message matches somewhere"},
		value: textAt(func(a *session.Answer) *string { return &a.ExpectPattern }, nil), secret: sent, spec: "ExpectPattern"},
	{Field: Field{Path: "expect_json", Kind: Values,
		Doc: "in place of expect: the values that a JSON message has, by their paths"},
		value: valuesAt(func(a *session.Answer) *map[string]any { return &a.ExpectJSON }), secret: sent, spec: "ExpectJSON"},
	{Field: Field{Path: "send", Kind: Text, Required: true, Doc: "answer to send, at most 64 KiB"},
		value: textAt(func(a *session.Answer) *string { return &a.Send }, nil), secret: sent, spec: "Send"},
})

// reconnectSection is the mapping reconnect of a session.
var reconnectSection = newSection("session.reconnect", "probes[].session.reconnect.", false, reconnectFields("session"))

// reconnectFields are the fields of a mapping reconnect for what is opened anew.
func reconnectFields(what string) []field[session.Reconnect] {
	return []field[session.Reconnect]{
		{Field: Field{Path: "min", Kind: Duration, Default: "500ms", Min: int64(session.MinInterval), Max: int64(session.MaxReconnect),
			Doc: "first bound of a wait; it doubles with each end, and begins anew after a " + what + " that lasted as long as max"},
			value: durationAt(func(r *session.Reconnect) *time.Duration { return &r.Min }), spec: "Min"},
		{Field: Field{Path: "max", Kind: Duration, Default: "1m", Min: int64(session.MinInterval), Max: int64(session.MaxReconnect),
			Doc: "last bound of a wait, at least min"},
			value: durationAt(func(r *session.Reconnect) *time.Duration { return &r.Max }), spec: "Max"},
	}
}
