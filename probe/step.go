package probe

import "time"

// MaxSteps is how many steps an exchange may have.
const MaxSteps = 32

// Step is one part of an exchange: it sends a message, waits for one, or does one after the other. Messages are
// looked at once and in the order in which they come: one that does not match is passed over and counted, and what a
// step has passed over or matched is not there for the next. A message that was there before the step sent is not
// its reply; a step that only waits takes it.
//
// In the texts of a step, {{nonce}} stands for a text of 26 letters and digits that is fresh in every run, and
// {{name}} for what the group (?P<name>...) of an earlier step's ExpectPattern caught. {{"{{"}} or {{'{{'}} stands for two
// braces as they are.
type Step struct {
	// Send is the message to send, at most MaxSendBytes, in the format of the Spec; nil sends nothing.
	Send *string
	// Expect, ExpectPattern and ExpectJSON say which message is waited for; at most one of them is set, and without any
	// the step only sends. Expect is what the message must contain; empty takes any. At most MaxExpectBytes.
	Expect *string
	// ExpectPattern is a regular expression (RE2) that the message must match somewhere. At most MaxExpectBytes, also with
	// its placeholders filled in. A binary message is looked at byte by byte, see Spec.ExpectPattern.
	ExpectPattern string
	// ExpectJSON says what must stand where in a JSON message: a string, a number, a bool or nil by a path as
	// github.com/tidwall/gjson has it, "data.items.0.id", at most MaxJSONPathBytes. Numbers are compared exactly. Of the
	// modifiers a path can have @this, @keys, @values, @reverse and @fromstr, and it cannot be several paths at once.
	ExpectJSON map[string]any
	// Timeout bounds the step from its start to the matching message, within the deadline of the run; 0 is no bound of
	// its own.
	Timeout time.Duration
	// Measure makes the step the round trip of the exchange. Default: the last step that sends and expects, or else the
	// only one that expects.
	Measure bool
}

// expects reports whether the step waits for a message.
func (s Step) expects() bool { return s.Expect != nil || s.ExpectPattern != "" || s.ExpectJSON != nil }

// steps returns the exchange of a Spec in which messages are sent: its own, or the one step that Send and the
// expectation make.
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
	step   Step
	send   []byte
	expect expectation
	open   bool // placeholders are still to be filled in
}

// newTurns prepares the steps of a valid Spec. There are none if it sends no messages.
func newTurns(s Spec) ([]turn, error) {
	if !s.talks() {
		return nil, nil
	}
	var turns []turn
	for _, step := range s.steps() {
		t := turn{step: step, open: len(s.Exchange) > 0 && step.filled()}
		if !t.open {
			if err := t.prepare(s.MessageFormat); err != nil {
				return nil, err
			}
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// prepare brings the texts of the step into the form in which they are sent and compared.
func (t *turn) prepare(format MessageFormat) (err error) {
	if t.step.Send != nil {
		if t.send, err = format.decode(*t.step.Send); err != nil {
			return err
		}
	}
	t.expect, err = newExpectation(t.step, format)
	return err
}
