package match

import (
	"bytes"
	"slices"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

const (
	// NearBytes is the number of bytes of a message that a [NearMiss] looks at.
	NearBytes = 4 << 10
	// pastBytes and maxPast bound the memory for messages of earlier steps.
	pastBytes = 1 << 10
	maxPast   = 16
	// shownValue is the number of bytes to show of a value that is not the expected one.
	shownValue = 64
)

// NearMiss remembers the messages that were not the reply, to tell how near a run was to a match.
type NearMiss struct {
	expect *Expectation // of the step under way, nil if it expects nothing
	last   excerpt      // of the last message that the step passed over
	passed bool         // whether there is one
	miss   jsonMiss     // why that message is not the expected JSON
	early  bool         // a message matched that had arrived before the step sent
	past   []excerpt    // of messages that earlier steps read
}

// excerpt is the beginning of a message.
type excerpt struct {
	head    []byte
	text    bool
	cut     bool // the message may be longer
	step    int  // that read it
	matched bool // it was the message for which that step waited
}

// Begin is called when a step begins: with the expectation of the step, or nil as long as it waits for nothing.
func (n *NearMiss) Begin(e *Expectation) {
	n.expect, n.last, n.passed, n.miss, n.early = e, excerpt{head: n.last.head[:0]}, false, jsonMiss{}, false
}

// PassOver notes a message that is not the reply. It can match nevertheless, if it arrived before the step sent.
func (n *NearMiss) PassOver(m *Message) {
	head := m.head[:min(len(m.head), NearBytes)]
	n.last = excerpt{
		head: append(n.last.head[:0], head...),
		text: m.text,
		cut:  len(m.head) >= min(m.options.Keep, NearBytes),
	}
	n.passed, n.miss = true, m.miss
	n.early = n.early || m.matched
}

// Remember keeps the beginning of a message that a step read, for later steps that wait for it in vain. Matched says
// whether it was the message for which the step waited.
func (n *NearMiss) Remember(m *Message, step int, matched bool) {
	if len(n.past) == maxPast {
		return
	}
	n.past = append(n.past, excerpt{
		head:    slices.Clone(m.head[:min(len(m.head), pastBytes)]),
		text:    m.text,
		cut:     len(m.head) > pastBytes || len(m.head) >= m.options.Keep,
		step:    step,
		matched: matched,
	})
}

// Kind is the kind of the miss of a step.
func (n *NearMiss) Kind(step int) reasons.Near {
	switch {
	case n.expect == nil:
		return reasons.NearNot
	case n.early:
		return reasons.NearEarly
	case n.earlierStep(step) != "":
		return reasons.NearTaken
	case !n.passed:
		return reasons.NearNot
	case n.expect.json != nil:
		return n.miss.kind()
	}
	v, _ := n.variant()
	return v.kind
}

// Explain says how near a step was to a match: a sentence of package say that begins with a colon, or an empty one. The
// sentence repeats values of the endpoint and of the expectation as show presents them, up to a limit in bytes.
func (n *NearMiss) Explain(step int, show func(text string, limit int) string) string {
	if n.expect == nil {
		return say.Own("")
	}
	if n.early {
		return say.Own(": a message that matches was there before the message was sent, so that it is no reply")
	}
	if sentence := n.earlierStep(step); sentence != "" {
		return sentence
	}
	if !n.passed {
		return say.Own("")
	}
	sentence := n.lastMessage(func(value string) string {
		shown := show(value, shownValue)
		if len(value) > shownValue {
			shown += "..."
		}
		return say.Own(shown)
	})
	if sentence == "" {
		return say.Own("")
	}
	return say.Sentence(": %s", sentence)
}

// earlierStep says which earlier step read a message for which this step waits. It is empty if none did.
func (n *NearMiss) earlierStep(step int) string {
	for _, x := range slices.Backward(n.past) {
		if x.step >= step || !n.expect.accepts(x) {
			continue
		}
		did := "passed over"
		if x.matched {
			did = "took"
		}
		return say.Sentence(": step %d %s a message that this one waits for", x.step+1, say.Own(did))
	}
	return ""
}

// accepts reports whether an excerpt matches. If any message does, none of them is worth a remark.
func (e *Expectation) accepts(x excerpt) bool {
	switch {
	case e.whole() && x.cut:
		return false
	case e.whole():
		matched, _ := e.judge(x.head, x.text, nil, never)
		return matched
	default:
		return e.needle.text != "" && bytes.Contains(x.head, []byte(e.needle.text))
	}
}

// never is the clock of a comparison that is short: time is not up.
func never() bool { return false }

// lastMessage says why the last message is not the expected one, or is empty if that is not known.
func (n *NearMiss) lastMessage(show func(string) string) string {
	if n.expect.json != nil {
		return n.miss.sentence(n.last, show)
	}
	if v, ok := n.variant(); ok {
		return say.Own("the last one would match " + v.differs)
	}
	return ""
}

// variant returns the change of a text or regular expression with which the last message would match.
func (n *NearMiss) variant() (variant, bool) {
	switch e := n.expect; {
	case e.re != nil && len(n.last.head) <= shortText && !n.last.cut:
		return nearPattern(e.re.String(), n.last.head)
	case e.re != nil:
		return variant{}, false
	default:
		return nearText(e.needle.text, n.last.head)
	}
}
