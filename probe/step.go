package probe

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// MaxSteps is how many steps an exchange may have.
const MaxSteps = 32

// Step is one part of an exchange: it sends a message, waits for one, or does one after the other, on one of several
// connections.
//
// Steps read each message once, in the order of arrival. A step passes over a message that does not match, and counts
// it; later steps do not see the messages of an earlier one. A message that arrived before the step sent is not its
// reply, but a step that only waits takes it.
//
// This holds for each connection by itself: a message waits for the next step there that expects one. Names and values
// are the same for all connections.
//
// In the texts of a step, {{nonce}} stands for 26 letters and digits that are fresh in every run. {{name}} stands for
// the text that the group (?P<name>...) matched in the ExpectPattern of an earlier step. {{"{{"}} or {{'{{'}} stands
// for two braces.
type Step struct {
	// On is the connection of the step, a name of at most MaxConnectionName letters, digits, and any of _ - and dot. A
	// connection opens at the first step that names it, as a part of that step, which may then do nothing else. It is
	// like the main one but for what Spec.Connections says. Default: MainConnection.
	On string
	// Send is the message to send, at most MaxSendBytes, in the format of the Spec; nil sends nothing.
	Send *string
	// Expect, ExpectPattern and ExpectJSON say which message the step waits for. At most one of them is set; without
	// any, the step only sends. Expect is a text that the message must contain; an empty one takes any message. At most
	// MaxExpectBytes.
	Expect *string
	// ExpectPattern is a regular expression (RE2) that must match somewhere in the message. At most MaxExpectBytes,
	// also with its placeholders filled in. It matches a binary message byte by byte, see Spec.ExpectPattern.
	ExpectPattern string
	// ExpectJSON has the values of a JSON message by their paths: strings, numbers, bools or nil. A path is one of
	// github.com/tidwall/gjson, "data.items.0.id", of at most MaxJSONPathBytes. It can have the modifiers @this, @keys,
	// @values, @reverse and @fromstr, and it cannot be several paths at once. Numbers are compared exactly.
	ExpectJSON map[string]any
	// Timeout bounds the step from its start to the matching message, within the deadline of the run; 0 is no bound of
	// its own.
	Timeout time.Duration
	// Measure makes the step the round trip of the exchange. Default: the last step that sends and expects, or else the
	// only one that expects. The round trip of a step that only waits begins with the wait, or with the last message
	// before it, if that was sent on another connection; it does not take what came before that message.
	Measure bool
}

// on is the name of the connection.
func (s Step) on() string {
	if s.On == "" {
		return MainConnection
	}
	return s.On
}

// expects reports whether the step waits for a message.
func (s Step) expects() bool { return s.texts().Expects() }

// steps returns the exchange of a Spec that sends messages: its own, or one step with Send and the expectation.
func (s Spec) steps() []Step {
	if len(s.Exchange) > 0 {
		return s.Exchange
	}
	send, expect := s.Send, s.Expect // a pointer into the Spec would keep the whole of it
	step := Step{Send: &send, ExpectPattern: s.ExpectPattern, ExpectJSON: s.ExpectJSON}
	if step.ExpectPattern == "" && step.ExpectJSON == nil {
		step.Expect = &expect
	}
	return []Step{step}
}

// MeasuredStep returns the index of the step of Exchange whose time is the round trip, or -1.
func (s Spec) MeasuredStep() int { return measured(s.Exchange) }

func measured(steps []Step) int {
	last, waiting, waits := -1, -1, 0
	for i, s := range steps {
		if s.Measure && s.expects() {
			return i
		}
		if s.Send != nil && s.expects() {
			last = i
		}
		if s.expects() {
			waiting = i
			waits++
		}
	}
	if last < 0 && waits == 1 {
		return waiting
	}
	return last
}

// turn is a step made ready to run.
type turn struct {
	texts   match.Texts
	on      int // the connection: 0 for the main one, else one of the lines of the Probe
	timeout time.Duration
	send    []byte
	expect  match.Expectation
	open    bool // placeholders are still to be filled in
}

// newTurns prepares the steps of a valid Spec. There are none if it sends no messages.
func newTurns(s Spec) ([]turn, error) {
	if !s.talks() {
		return nil, nil
	}
	var turns []turn
	names := s.ConnectionNames()
	for _, step := range s.steps() {
		t := turn{texts: step.texts(), on: slices.Index(names, step.on()), timeout: step.Timeout}
		if t.open = (len(s.Exchange) > 0 || s.captures()) && t.texts.Open(); !t.open {
			if err := t.prepare(s.MessageFormat); err != nil {
				return nil, err
			}
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// prepare brings the texts of the step, whose placeholders are filled in, into the form to send and to compare.
func (t *turn) prepare(format MessageFormat) (err error) {
	t.send, t.expect, err = t.texts.Prepare(format.Decode)
	return err
}

// texts are the texts of a step.
func (s Step) texts() match.Texts {
	return match.Texts{Send: s.Send, Expect: s.Expect, Pattern: s.ExpectPattern, JSON: s.ExpectJSON}
}

// crossing returns the index of the turn whose message the measured one answers on another connection, or -1.
func crossing(turns []turn, measured int) int {
	if measured < 0 || len(turns) == 0 || turns[measured].texts.Send != nil {
		return -1
	}
	for i := measured - 1; i >= 0; i-- {
		if turns[i].texts.Send != nil && turns[i].on != turns[measured].on {
			return i
		} else if turns[i].texts.Send != nil {
			return -1
		}
	}
	return -1
}
