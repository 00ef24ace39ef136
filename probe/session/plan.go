package session

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// plan is everything that is the same for all sessions of a Spec, prepared once. It does not change.
type plan struct {
	spec     Spec
	opcode   byte     // of the messages to send
	names    []string // of the connections, the main one first
	side     *plan    // of the other connections, nil if there is none
	turns    []turn   // of the heartbeat
	opens    bool     // one of them has placeholders
	recalls  bool     // also for what the exchange catches
	measured int      // the index of the one that is the round trip
	answers  []answer
	wanted   match.Expectation
	sequence match.Value
	sentAt   match.Value
	reads    bool // the content of messages matters
	joins    bool // the messages are packets of MQTT
	memory   *memory
	preview  int // bytes of the beginning of a message to show
}

// answer is an Answer, prepared.
type answer struct {
	to   match.Expectation
	send []byte
}

// newPlan prepares a valid Spec with its defaults.
func newPlan(s Spec, memory *memory) (*plan, error) {
	p := &plan{spec: s, opcode: frame.Text, sequence: match.NewValue(s.Sequence), sentAt: match.NewValue(s.SentAt), memory: memory}
	if s.MessageFormat != probe.FormatText {
		p.opcode = frame.Binary
	}
	var err error
	if p.wanted, err = s.expectation(s.Expectation); err != nil {
		return nil, err
	}
	p.names = namesOf(s.Run().Exchange)
	if err := p.prepareHeartbeat(); err != nil {
		return nil, err
	}
	for _, a := range s.Answers {
		prepared := answer{}
		if prepared.to, err = s.expectation(a.Expectation); err != nil {
			return nil, err
		}
		if prepared.send, err = s.MessageFormat.Decode(a.Send); err != nil {
			return nil, err
		}
		p.answers = append(p.answers, prepared)
	}
	heartbeatReads := slices.ContainsFunc(p.turns, turn.reads)
	p.joins = slices.ContainsFunc(s.Protocols, func(name string) bool { return strings.HasPrefix(name, "mqtt") })
	p.reads = p.joins || !p.wanted.Any() || heartbeatReads || len(p.answers) > 0 || p.sequence.Given() || p.sentAt.Given()
	if len(p.names) > 1 {
		spec := Spec{MaxReply: s.MaxReply, MessageFormat: s.MessageFormat, PingInterval: s.PingInterval, PingTimeout: s.PingTimeout}
		p.side = &plan{spec: spec, opcode: p.opcode, answers: p.answers, joins: p.joins,
			reads: p.joins || heartbeatReads || len(p.answers) > 0, memory: memory}
	}
	return p, nil
}

// prepareHeartbeat prepares the steps of the heartbeat.
func (p *plan) prepareHeartbeat() error {
	if p.spec.Heartbeat == nil {
		return nil
	}
	steps := p.spec.Heartbeat.steps()
	for _, step := range steps {
		t, err := newTurn(step, slices.Index(p.names, nameOf(step)), p.spec.MessageFormat)
		if err != nil {
			return err
		}
		p.turns, p.opens = append(p.turns, t), p.opens || t.open
	}
	p.measured = probe.Spec{Exchange: steps}.MeasuredStep()
	p.recalls = p.opens && len(p.spec.caught()) > 0
	return nil
}

// caught returns the names that the Prepare and the Exchange catch.
func (s Spec) caught() []string {
	names := s.CaptureNames()
	for _, step := range s.Exchange {
		names = append(names, match.Groups(step.ExpectPattern)...)
	}
	return names
}

// namesOf returns the connections that steps use, the main one first.
func namesOf(steps []probe.Step) []string { return probe.Spec{Exchange: steps}.ConnectionNames() }

// nameOf is the connection of a step.
func nameOf(s probe.Step) string { return cmp.Or(s.On, probe.MainConnection) }

// expectation prepares an Expectation.
func (s Spec) expectation(e Expectation) (match.Expectation, error) {
	switch {
	case e.ExpectJSON != nil:
		return match.JSON(e.ExpectJSON), nil
	case e.ExpectPattern != "":
		return match.Pattern(e.ExpectPattern)
	}
	text, err := s.MessageFormat.Decode(e.Expect)
	return match.Text(string(text)), err
}

// memory bounds what the messages under way of all sessions take together, in bytes.
type memory struct{ left atomic.Int64 }

func newMemory(bytes int64) *memory {
	m := new(memory)
	m.left.Store(bytes)
	return m
}

// take sets memory aside, and reports whether there was enough.
func (m *memory) take(n int) bool {
	if m.left.Add(int64(-n)) >= 0 {
		return true
	}
	m.left.Add(int64(n))
	return false
}

// give gives memory back.
func (m *memory) give(n int) { m.left.Add(int64(n)) }
