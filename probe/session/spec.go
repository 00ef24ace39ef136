package session

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// Limits and defaults of a [Spec].
const (
	MinInterval              = 100 * time.Millisecond
	MaxInterval              = 24 * time.Hour
	DefaultPingTimeout       = 10 * time.Second
	DefaultHeartbeatInterval = 30 * time.Second
	DefaultHeartbeatTimeout  = 10 * time.Second
	MinLifetime              = time.Second
	MaxLifetime              = 30 * 24 * time.Hour
	DefaultReconnectMin      = 500 * time.Millisecond
	DefaultReconnectMax      = time.Minute
	MaxReconnect             = time.Hour
	MaxAnswers               = 8
)

// Spec says which endpoint to hold open and how. Only the URL of its Opening is required; the zero value of every other
// field is its default.
type Spec struct {
	// Opening is the way to the open socket. Its fields are fields of the Spec, too.
	probe.Opening
	// Timeout bounds an open from its start to the end of the Exchange, as in [probe.Spec].
	Timeout time.Duration
	// Interpretation picks the headline value: the handshake of the last open, the round trip of the last heartbeat or
	// else Pong, or whether the session is open. Default: probe.HandshakeLatency.
	Interpretation probe.Interpretation
	// MessageFormat is how the messages and expectations of the Spec are written. Default: probe.FormatText.
	MessageFormat probe.MessageFormat
	// MaxReply is the longest message to accept, in bytes after inflating, at most probe.MaxMaxReply. A longer one ends
	// the session. Default: probe.DefaultMaxReply.
	MaxReply int64
	// Exchange is a conversation after each open, a login for instance. Nil has none. Its failure is that of the open.
	Exchange []probe.Step
	// Connections say how connections that steps of Exchange and Heartbeat name differ from that of the Spec, as in
	// [probe.Spec]. They open with the session, and the session ends with the first of them that does. Pings and Answers
	// are for all of them; wanted messages, and the sums of an End, are those of the main one.
	Connections map[string]probe.Connection

	// PingInterval is the time between two Ping frames, from MinInterval to MaxInterval. Default: 0, which sends none.
	PingInterval time.Duration
	// PingTimeout bounds the wait for a Pong. It counts from each Ping and may be longer than PingInterval: a Ping that
	// is due meanwhile waits, because some servers answer only the first of two. A Pong with another payload is a sign
	// of life, too. From MinInterval to MaxInterval. Default: DefaultPingTimeout.
	PingTimeout time.Duration
	// IgnorePings leaves the server's Pings without an answer, against RFC 6455 5.5.2, to learn what the server does
	// about it.
	IgnorePings bool
	// Heartbeat is a round trip of messages of the application, or nil.
	Heartbeat *Heartbeat
	// Answers are messages to send whenever the server asks for them, at most MaxAnswers. The first one that matches is
	// sent.
	Answers []Answer
	// Expectation says which messages are the wanted ones. Without one, these are all data messages but the answers to
	// heartbeats and the messages that Answers are for.
	Expectation
	// MaxSilence is the time without a wanted message after which the session counts as deaf. It ends then, with
	// reasons.Stale. From MinInterval to MaxInterval. Default: 0, which has no such bound.
	MaxSilence time.Duration
	// Sequence is the path of a number in each wanted message, as in ExpectJSON. The number rises by one from message
	// to message of a connection. The value may be a text of digits. Empty counts nothing.
	Sequence string
	// SentAt is the path of the time at which the server sent a wanted message: a text of RFC 3339, or the time since
	// 1970 in s, ms, µs or ns, which its size tells. Empty tells no age.
	SentAt string
	// MaxLifetime is the age at which a session is renewed on purpose, from MinLifetime to the constant MaxLifetime.
	// Default: 0, which renews none.
	MaxLifetime time.Duration
	// Renew is the order of a renewal. Default: RenewAfter.
	Renew Renew
	// Reconnect bounds the wait before a session that ended is opened anew.
	Reconnect Reconnect
}

// Expectation says which message is meant. At most one of its fields is set; without any, every data message is.
type Expectation struct {
	// Expect is a text that the message must contain, at most probe.MaxExpectBytes.
	Expect string
	// ExpectPattern is a regular expression (RE2) that must match somewhere in the message, see [probe.Step].
	ExpectPattern string
	// ExpectJSON has the values of a JSON message by their paths, see [probe.Step].
	ExpectJSON map[string]any
}

// Heartbeat is a message that is sent at intervals, with its answer, or a conversation of several steps. Only one is
// under way at a time. {{nonce}} in its texts stands for 26 letters and digits that are fresh in every heartbeat. {{name}}
// stands for the text that the Exchange caught after the open, and {{"{{"}} for two braces.
type Heartbeat struct {
	// Send is the message, at most probe.MaxSendBytes, and required without Steps.
	Send string
	// Expectation is the answer. Without one, the next data message is.
	Expectation
	// Steps are in place of Send and its answer: at most probe.MaxSteps, as in an exchange. One of them is the round
	// trip, and each sends or expects. They have no Timeout of their own, because that of the Heartbeat bounds all.
	Steps []probe.Step
	// Interval is the time between two messages, from MinInterval to MaxInterval. Default: DefaultHeartbeatInterval.
	Interval time.Duration
	// Timeout bounds the wait for the answer. The session ends when it passes. Default: DefaultHeartbeatTimeout.
	Timeout time.Duration
}

// Answer is a message to send when the server asks for it, as with the heartbeats of Socket.IO and Centrifugo. No text
// of it has placeholders.
type Answer struct {
	// Expectation is the message of the server. It must say something: an answer to every message would be a flood.
	Expectation
	// Send is the answer, at most probe.MaxSendBytes, and required.
	Send string
}

// Renew is the order in which a session is renewed.
type Renew string

// The orders.
const (
	// RenewAfter closes a session and then opens the next.
	RenewAfter Renew = "after"
	// RenewBefore opens the next session and then closes the old one, for endpoints that allow two.
	RenewBefore Renew = "before"
)

// Renews returns every order.
func Renews() []Renew { return []Renew{RenewAfter, RenewBefore} }

// Reconnect bounds the waits before reopening. Each wait is a random part of a bound, which begins at Min, doubles with
// each end and stays at Max. It begins anew after a session that lasted as long as Max. A server that names a time, by
// close code 1012 or 1013 or by Retry-After, is heeded.
type Reconnect struct {
	// Min is the first bound, from MinInterval. Default: DefaultReconnectMin.
	Min time.Duration
	// Max is the last bound, from Min to MaxReconnect. Default: DefaultReconnectMax.
	Max time.Duration
}

// WithDefaults returns the Spec with its defaults filled in. Slices and maps are shared with s.
func (s Spec) WithDefaults() Spec {
	open := s.Run().WithDefaults()
	s.Opening, s.Timeout, s.MaxReply = open.Opening, open.Timeout, open.MaxReply
	fill(&s.Interpretation, probe.HandshakeLatency)
	fill(&s.MessageFormat, probe.FormatText)
	if s.PingInterval > 0 {
		fill(&s.PingTimeout, DefaultPingTimeout)
	}
	if s.Heartbeat != nil {
		beat := *s.Heartbeat
		fill(&beat.Interval, DefaultHeartbeatInterval)
		fill(&beat.Timeout, DefaultHeartbeatTimeout)
		s.Heartbeat = &beat
	}
	if s.MaxLifetime > 0 {
		fill(&s.Renew, RenewAfter)
	}
	fill(&s.Reconnect.Min, DefaultReconnectMin)
	fill(&s.Reconnect.Max, max(DefaultReconnectMax, s.Reconnect.Min))
	return s
}

// fill sets a value that is not set.
func fill[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Run returns the Spec of a run that opens the endpoint as the session does, has its Exchange, and leaves.
func (s Spec) Run() probe.Spec {
	open := probe.Spec{Opening: s.Opening, Timeout: s.Timeout, MaxReply: s.MaxReply, Interpretation: probe.HandshakeLatency,
		Exchange: s.allOpens(), Connections: s.Connections}
	if open.Exchange != nil {
		open.MessageFormat = s.MessageFormat
	}
	return open
}

// allOpens is the Exchange with a step more for each connection that only the Heartbeat uses.
func (s Spec) allOpens() []probe.Step {
	if s.Heartbeat == nil || s.Heartbeat.Steps == nil {
		return s.Exchange
	}
	steps := slices.Clone(s.Exchange)
	for _, name := range namesOf(s.Heartbeat.Steps) {
		if !slices.Contains(namesOf(steps), name) {
			steps = append(steps, probe.Step{On: name})
		}
	}
	return steps
}

// steps are those of a heartbeat, or its message as one step.
func (h *Heartbeat) steps() []probe.Step {
	if h.Steps != nil {
		return h.Steps
	}
	step := h.step()
	step.Send = &h.Send
	return []probe.Step{step}
}
