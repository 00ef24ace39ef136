package match

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"sync"
)

// Expectation says which message is the reply. It is prepared once and never changes, so that runs can share it. The
// zero value expects any message.
type Expectation struct {
	needle needle
	re     *regexp.Regexp // in place of the needle, or nil
	// reBytes returns the form of re for binary messages, or nil if re is about characters. It compiles at the first
	// call, because few probes need it.
	reBytes func() *regexp.Regexp
	json    []fact // in place of both, or nil
}

// Text expects a message that contains the bytes of a text. Any message contains an empty one.
func Text(text string) Expectation { return Expectation{needle: newNeedle(text)} }

// Pattern expects a message in which a regular expression (RE2) matches somewhere. It looks at a binary message byte by
// byte: \xff is the byte 0xff. The error is that of package regexp.
func Pattern(expr string) (Expectation, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return Expectation{}, err
	}
	return Expectation{re: re, reBytes: sync.OnceValue(func() *regexp.Regexp { return bytePattern(expr) })}, nil
}

// JSON expects a message that is a JSON document (RFC 8259) with values at paths. Each path and value must be good, as
// [PathProblem] and [IsScalar] say.
func JSON(values map[string]any) Expectation { return Expectation{json: facts(values)} }

// whole reports whether only a whole message can be compared. Other messages are compared as they arrive.
func (e *Expectation) whole() bool { return e.re != nil || e.json != nil }

// judge reports whether a whole message matches, and otherwise why its JSON does not. It adds the texts that named
// groups of the regular expression matched to captures, unless that is nil. It ends without a match soon after time is
// up.
func (e *Expectation) judge(body []byte, text bool, captures map[string]string, late func() bool) (bool, jsonMiss) {
	if e.json != nil {
		return jsonHolds(body, e.json, late)
	}
	match := e.find(body, text, late)
	if match == nil {
		return false, jsonMiss{}
	}
	for i, name := range e.re.SubexpNames() {
		if name != "" && captures != nil {
			captures[name] = groupText(body, match[2*i], match[2*i+1])
		}
	}
	return true, jsonMiss{}
}

// find finds the regular expression in a text or binary message.
func (e *Expectation) find(body []byte, text bool, late func() bool) []int {
	if !text {
		if re := e.reBytes(); re != nil {
			return findBytes(re, body, late)
		}
	}
	return findSubmatch(e.re, body, late)
}

// groupText is the text that a group matched, or empty if the group took no part in the match. In a binary message it
// can be other than UTF-8.
func groupText(body []byte, from, to int) string {
	if from < 0 {
		return ""
	}
	return string(body[from:to])
}

// PatternProblem says why a text is no regular expression, or is empty. It does not repeat the text.
func PatternProblem(expr string) string {
	_, err := regexp.Compile(expr)
	if wrong, ok := errors.AsType[*syntax.Error](err); ok {
		return "must be a regular expression (RE2): " + wrong.Code.String()
	}
	return ""
}

// Groups returns the names of the groups of a regular expression, or none if it is not one.
func Groups(expr string) []string {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range re.SubexpNames() {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
