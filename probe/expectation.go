package probe

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"sync"
)

// expectation says which message is the reply. It is prepared once and never changes. Without a regular
// expression and JSON, a message is compared as it comes and need not be kept.
type expectation struct {
	pattern pattern
	re      *regexp.Regexp // in place of the pattern, or nil
	// reBytes returns the form of re for binary messages, or nil if it is about characters. Few probes ever need it.
	reBytes func() *regexp.Regexp
	json    []jsonFact // in place of both, or nil
}

// newExpectation prepares what a valid Step expects. Its texts are as they shall be compared: placeholders have
// been filled in.
func newExpectation(s Step, format MessageFormat) (expectation, error) {
	switch {
	case s.ExpectPattern != "":
		expr := s.ExpectPattern // the step is not to be kept
		re, err := regexp.Compile(expr)
		return expectation{re: re, reBytes: sync.OnceValue(func() *regexp.Regexp { return bytePattern(expr) })}, err
	case s.ExpectJSON != nil:
		return expectation{json: jsonFacts(s.ExpectJSON)}, nil
	case s.Expect != nil:
		needle, err := format.decode(*s.Expect)
		return expectation{pattern: newPattern(string(needle))}, err
	default:
		return expectation{}, nil
	}
}

// whole reports whether a message can be judged only as a whole.
func (e *expectation) whole() bool { return e.re != nil || e.json != nil }

// judge says whether a whole message is as expected, or what of its JSON is not, and adds what the groups of the regular
// expression caught to the values. It ends, with nothing found, soon after time is up.
func (e *expectation) judge(body []byte, text bool, caught map[string]string, late func() bool) (bool, jsonMiss) {
	if e.json != nil {
		return jsonHolds(body, e.json, late)
	}
	match := e.find(body, text, late)
	if match == nil {
		return false, jsonMiss{}
	}
	for i, name := range e.re.SubexpNames() {
		if name != "" && caught != nil {
			caught[name] = groupText(body, match[2*i], match[2*i+1])
		}
	}
	return true, jsonMiss{}
}

// find finds the regular expression in a text or binary message.
func (e *expectation) find(body []byte, text bool, late func() bool) []int {
	if !text {
		if re := e.reBytes(); re != nil {
			return findBytes(re, body, late)
		}
	}
	return findSubmatch(e.re, body, late)
}

// patternProblem says what is wrong with a regular expression, or nothing. It does not repeat it.
func patternProblem(expr string) string {
	_, err := regexp.Compile(expr)
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return "must be a regular expression (RE2): " + wrong.Code.String()
	}
	return ""
}
