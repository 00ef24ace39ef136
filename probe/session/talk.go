package session

import (
	"crypto/rand"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// turn is a step of a heartbeat, prepared. The send and expect of an open one are still to be filled in.
type turn struct {
	texts  match.Texts
	on     int // the connection
	send   []byte
	expect match.Expectation
	open   bool
}

// newTurn prepares a step on a connection.
func newTurn(step probe.Step, on int, format probe.MessageFormat) (t turn, err error) {
	t = turn{texts: match.Texts{Send: step.Send, Expect: step.Expect, Pattern: step.ExpectPattern, JSON: step.ExpectJSON}, on: on}
	if t.open = t.texts.Open(); !t.open {
		t.send, t.expect, err = t.texts.Prepare(format.Decode)
	}
	return t, err
}

// reads reports whether the content of messages matters.
func (t turn) reads() bool { return t.open || t.texts.Expects() && !t.expect.Any() }

// talk is a heartbeat under way. It is shared by the machines of all connections of a session, one at a time.
type talk struct {
	plan *plan
	turn turn // the one under way
	at   int  // its index; that of no turn after the last
	said bool // it has sent its message, or sends none

	fill     match.Filler
	begun    time.Time // when the turn sent its message, began to wait, or could have sent it
	sent     time.Time // when the last message was sent
	sentOn   int       // and on which connection
	rtt      time.Duration
	excused  time.Duration // for which it waited for this agent
	problem  error         // why the turn under way cannot be taken
	waiting  []waiting     // what came for later turns
	reserved int           // bytes of it
}

// waiting is a message that came before a turn expected it.
type waiting struct {
	on      int
	content []byte
	text    bool
	at      time.Time
}

// maxWaiting bounds the messages that wait for later turns, in bytes. More are passed over.
const maxWaiting = 256 << 10

// waitingSize is what a message that waits takes beside its content, in bytes.
const waitingSize = int(unsafe.Sizeof(waiting{}))

// newTalk begins a heartbeat, whose texts may have what was caught.
func newTalk(p *plan, caught map[string]string, at time.Time) *talk {
	t := &talk{plan: p, at: -1}
	if p.opens {
		t.fill.Values = make(map[string]string, len(caught)+1)
		maps.Copy(t.fill.Values, caught)
		t.fill.Values[match.Nonce] = rand.Text()
	}
	t.next(at, nil)
	return t
}

// over reports whether the last turn has ended.
func (t *talk) over() bool { return t.at >= len(t.plan.turns) }

// next begins the next turn. Late bounds the look at the messages that wait for it.
func (t *talk) next(at time.Time, late func() bool) {
	if t.at++; t.over() {
		t.forget()
		return
	}
	t.turn, t.begun = t.plan.turns[t.at], at
	if t.turn.open {
		if t.turn.texts, t.problem = t.turn.texts.Fill(&t.fill, probe.MaxExpectBytes); t.problem != nil {
			return
		}
		if t.turn.send, t.turn.expect, t.problem = t.turn.texts.Prepare(t.plan.spec.MessageFormat.Decode); t.problem != nil {
			return
		}
	}
	if t.said = t.turn.texts.Send == nil; !t.said {
		return
	}
	for _, m := range t.take(t.turn.on) {
		t.hear(m.on, m.content, m.text, m.at, late)
	}
}

// due reports whether a connection has something to send, or the heartbeat cannot go on.
func (t *talk) due(on int) bool {
	if t.problem != nil {
		return on == 0
	}
	return !t.over() && !t.said && t.turn.on == on
}

// speak returns the message that a connection is to send, if there is one, and takes it for sent.
func (t *talk) speak(on int, at time.Time, late func() bool) (message []byte, ok bool) {
	if t.over() || t.problem != nil || t.said || t.turn.on != on {
		return nil, false
	}
	message = t.turn.send
	t.said, t.begun, t.sent, t.sentOn = true, at, at, on
	if !t.turn.texts.Expects() {
		t.next(at, late)
	} else {
		t.take(on) // what came before is no answer
	}
	return message, true
}

// hear takes a message of a connection, and reports whether the heartbeat waited for it. The content is not kept.
func (t *talk) hear(on int, content []byte, text bool, at time.Time, late func() bool) bool {
	if t.over() || t.problem != nil {
		return false
	}
	if !t.said || t.turn.on != on {
		t.keep(on, content, text, at)
		return false
	}
	measured, begin := t.at == t.plan.measured, t.begun
	crosses := measured && t.turn.texts.Send == nil && t.sentOn != on && !t.sent.IsZero()
	if crosses {
		begin = t.sent
	}
	if crosses && at.Before(t.sent) || !t.turn.expect.Matches(content, text, t.fill.Values, late) {
		return false
	}
	if measured {
		t.rtt = max(0, at.Sub(begin))
	}
	t.next(at, late)
	return true
}

// keep keeps a message for a later turn, if one waits on the connection.
func (t *talk) keep(on int, content []byte, text bool, at time.Time) {
	later := slices.ContainsFunc(t.plan.turns[t.at:], func(t turn) bool { return t.on == on && t.texts.Expects() })
	size := len(content) + waitingSize
	if !later || t.reserved+size > maxWaiting || !t.plan.memory.take(size) {
		return
	}
	t.reserved += size
	t.waiting = append(t.waiting, waiting{on: on, content: slices.Clone(content), text: text, at: at})
}

// take returns the messages that waited on a connection, and keeps them no longer.
func (t *talk) take(on int) []waiting {
	var taken []waiting
	t.waiting = slices.DeleteFunc(t.waiting, func(m waiting) bool {
		if m.on == on {
			taken = append(taken, m)
			t.release(len(m.content) + waitingSize)
		}
		return m.on == on
	})
	return taken
}

// forget gives back what the talk took.
func (t *talk) forget() {
	t.release(t.reserved)
	t.waiting = nil
}

func (t *talk) release(n int) {
	t.plan.memory.give(n)
	t.reserved -= n
}
