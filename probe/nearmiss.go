package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

const (
	// nearBytes is how much of a message is kept to find out how near it was to a match.
	nearBytes = 4 << 10
	// pastBytes and maxPast bound what is kept of the messages that earlier steps took.
	pastBytes = 1 << 10
	maxPast   = 16
	// shownValue is how much of a value is shown that is not the one expected.
	shownValue = 64
)

// nearMiss is what a run remembers in order to tell how near it was to a match.
type nearMiss struct {
	expect *expectation // of the step under way; nil if it expects nothing
	last   heard        // the last message that it passed over
	miss   jsonMiss     // why that is not the JSON that is expected
	early  bool         // one matched that was there before the step sent
	past   []heard      // messages that earlier steps took
}

// heard is the beginning of a message.
type heard struct {
	head    []byte
	text    bool
	cut     bool // the message is longer
	step    int  // which read it
	matched bool // and took it for the one that it waited for
}

// begin is called when a step begins to wait.
func (n *nearMiss) begin(e *expectation) {
	n.expect, n.last, n.miss, n.early = e, heard{head: n.last.head[:0]}, jsonMiss{}, false
}

// passed takes note of a message that is not the one that the step waits for, although it may match.
func (n *nearMiss) passed(m *message) {
	n.last = heard{head: append(n.last.head[:0], m.head[:min(len(m.head), nearBytes)]...), text: m.text, cut: len(m.head) >= min(m.keep, nearBytes)}
	n.miss = m.miss
	n.early = n.early || m.matched
}

// took remembers a message for the steps to come.
func (n *nearMiss) took(m *message, step int, matched bool) {
	if len(n.past) < maxPast {
		n.past = append(n.past, heard{slices.Clone(m.head[:min(len(m.head), pastBytes)]), m.text, len(m.head) > pastBytes || len(m.head) >= m.keep, step, matched})
	}
}

// remember keeps a message for a step to come that waits for it in vain.
func (d *dialogue) remember(m *message, matched bool) {
	if d.turn < len(d.probe.turns)-1 {
		d.near.took(m, d.turn, matched)
	}
}

// nearness says how near a run that failed was to a match, in a sentence that begins with a colon, or nothing. A server
// that broke the protocol has done worse.
func (r *run) nearness(err error) string {
	n := &r.near
	if _, broke := errors.AsType[*frame.Breach](err); broke || r.stage != reasons.StageReply || n.expect == nil {
		return say.Own("")
	}
	if n.early {
		return say.Own(": a message that matches was there before the message was sent, so that it is no reply")
	}
	if what := n.ofPast(r.turn); what != "" {
		return what
	}
	if r.unmatched == 0 {
		return say.Own("")
	}
	what := n.ofLast(func(value string) string {
		shown := r.redact().text(value, shownValue)
		if len(value) > shownValue {
			shown += "..."
		}
		return say.Own(shown)
	})
	if what == "" {
		return say.Own("")
	}
	return say.Sentence(": %s", what)
}

// ofPast says that an earlier step took a message that this one would have.
func (n *nearMiss) ofPast(step int) string {
	for _, h := range slices.Backward(n.past) {
		if h.step >= step || !n.expect.accepts(h) {
			continue
		}
		did := "passed over"
		if h.matched {
			did = "took"
		}
		return say.Sentence(": step %d %s a message that this one waits for", h.step+1, say.Own(did))
	}
	return ""
}

// accepts reports whether a message that is short, or its beginning, is as expected. A message of any kind says nothing.
func (e *expectation) accepts(h heard) bool {
	switch {
	case e.whole() && h.cut:
		return false
	case e.whole():
		matched, _ := e.judge(h.head, h.text, nil, never)
		return matched
	default:
		return e.pattern.text != "" && bytes.Contains(h.head, []byte(e.pattern.text))
	}
}

func never() bool { return false }

// ofLast says what keeps the last message from being the one that is expected, or nothing if that is not known.
// Values are shown by a function that hides secrets.
func (n *nearMiss) ofLast(show func(string) string) string {
	if n.expect.json != nil {
		return n.miss.say(n.last, show)
	}
	if v, ok := n.variant(); ok {
		return say.Own("the last one would match " + v.differs)
	}
	return ""
}

// variant is how the last message would match a text or a regular expression.
func (n *nearMiss) variant() (variant, bool) {
	switch e := n.expect; {
	case e.re != nil && len(n.last.head) <= shortText && !n.last.cut:
		return nearPattern(e.re.String(), n.last.head)
	case e.re != nil:
		return variant{}, false
	default:
		return nearText(e.pattern.text, n.last.head)
	}
}

// variant is what an expectation would be if it were a little different, and how.
type variant struct {
	near    reasons.Near
	differs string
	of      func(string) string
}

var textVariants = []variant{
	{reasons.NearBreak, "without the line break at the end of what is expected", withoutLineBreak},
	{reasons.NearBlanks, "without the blanks around what is expected", strings.TrimSpace},
	{reasons.NearCase, "in other letter case", strings.ToLower},
	{reasons.NearBreak, "without the line break at the end of what is expected, in other letter case", func(s string) string { return strings.ToLower(withoutLineBreak(s)) }},
	{reasons.NearBlanks, "but for blanks and line breaks", withoutSpace},
	{reasons.NearNot, "but for the escapes of JSON in it", unescaped},
}

func withoutLineBreak(s string) string { return strings.TrimRight(s, "\r\n") }

func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// unescaped takes the quotes and slashes of JSON in a text of JSON for what they stand for.
func unescaped(s string) string {
	return strings.NewReplacer(`\"`, `"`, `\/`, "/", `\\`, `\`).Replace(s)
}

// nearText says how a text would be found in a message.
func nearText(want string, message []byte) (variant, bool) {
	for i, v := range textVariants {
		changed := v.of(want)
		in := string(message)
		if i > 1 {
			in = v.of(in)
		}
		if changed != "" && strings.Contains(in, changed) {
			return v, true
		}
	}
	return variant{}, false
}

var patternVariants = []variant{
	{reasons.NearBreak, "without the line break at the end of the expression", withoutLineBreak},
	{reasons.NearCase, "in other letter case, with (?i)", func(s string) string { return "(?i)" + s }},
	{reasons.NearNot, "if a dot matched line breaks, too, with (?s)", func(s string) string { return "(?s)" + s }},
	{reasons.NearNot, "if ^ and $ matched at every line, with (?m)", func(s string) string { return "(?m)" + s }},
	{reasons.NearNot, "as the text that the expression is: a backslash has to stand before its special characters", regexp.QuoteMeta},
}

// nearPattern says how a regular expression would match a short message.
func nearPattern(expr string, message []byte) (variant, bool) {
	for _, v := range patternVariants {
		changed := v.of(expr)
		if changed == expr || withoutLineBreak(expr) == "" {
			continue
		}
		if re, err := regexp.Compile(changed); err == nil && re.Match(message) {
			return v, true
		}
	}
	return variant{}, false
}

// jsonMiss says which expectation of a JSON message failed, and what stood there.
type jsonMiss struct {
	fact  *jsonFact // nil if the message was no JSON, or matched, or time was up
	found bool
	got   string // the beginning of what stood there, as it was written
	root  byte   // with what the document begins
	text  bool   // a text before @fromstr is no JSON
}

// say says why the message is not as expected.
func (m jsonMiss) say(last heard, show func(string) string) string {
	switch {
	case m.fact == nil && m.root == 0:
		return noJSON(last)
	case m.fact == nil:
		return ""
	case m.text:
		return say.Sentence("a text on the way to %s is no JSON", m.fact.path)
	case m.found:
		return say.Sentence("%s is %s, not %s", m.fact.path, show(m.got), show(m.fact.wanted()))
	case m.root != '{':
		return say.Sentence("there is nothing at %s: the last one is %s", m.fact.path, say.Own(kinds[m.root]))
	default:
		return say.Sentence("there is nothing at %s", m.fact.path)
	}
}

// kinds names what a document is by how it begins; what is not here is a number.
var kinds = func() (names [256]string) {
	for i := range names {
		names[i] = "a number"
	}
	names['{'], names['['], names['"'], names['t'], names['f'], names['n'] = "an object", "a list", "a text", "true", "false", "null"
	return names
}()

// wanted is the value that is expected, as JSON writes it.
func (f *jsonFact) wanted() string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f.want); err != nil {
		return "another value"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// beginning is as much of a value as is needed to show its beginning.
func beginning(value string) string {
	return strings.Clone(value[:min(len(value), shownValue+redact.Slack)])
}
