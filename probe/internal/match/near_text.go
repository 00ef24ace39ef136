package match

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/wsprobe/wsprobe/reasons"
)

// variant is a small change of an expectation that would make a message match.
type variant struct {
	kind    reasons.Near
	differs string // the change, for people
	change  func(string) string
}

// textVariants are the changes of a text, the smallest first. The first two change the expectation alone, the others
// the message as well.
var textVariants = []variant{
	{reasons.NearBreak, "without the line break at the end of what is expected", withoutLineBreak},
	{reasons.NearBlanks, "without the blanks around what is expected", strings.TrimSpace},
	{reasons.NearCase, "in other letter case", strings.ToLower},
	{reasons.NearBreak, "without the line break at the end of what is expected, in other letter case",
		func(s string) string { return strings.ToLower(withoutLineBreak(s)) }},
	{reasons.NearBlanks, "but for blanks and line breaks", withoutSpace},
	{reasons.NearNot, "but for the escapes of JSON in it", unescaped},
}

// messageUnchanged is the number of textVariants that leave the message as it is.
const messageUnchanged = 2

func withoutLineBreak(s string) string { return strings.TrimRight(s, "\r\n") }

func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// unescaped replaces the escapes of quotes and slashes in JSON by these characters.
func unescaped(s string) string {
	return strings.NewReplacer(`\"`, `"`, `\/`, "/", `\\`, `\`).Replace(s)
}

// nearText returns the first variant of a text that a message contains.
func nearText(want string, message []byte) (variant, bool) {
	for i, v := range textVariants {
		changed := v.change(want)
		in := string(message)
		if i >= messageUnchanged {
			in = v.change(in)
		}
		if changed != "" && strings.Contains(in, changed) {
			return v, true
		}
	}
	return variant{}, false
}

// patternVariants are the changes of a regular expression.
var patternVariants = []variant{
	{reasons.NearBreak, "without the line break at the end of the expression", withoutLineBreak},
	{reasons.NearCase, "in other letter case, with (?i)", func(s string) string { return "(?i)" + s }},
	{reasons.NearNot, "if a dot matched line breaks, too, with (?s)", func(s string) string { return "(?s)" + s }},
	{reasons.NearNot, "if ^ and $ matched at every line, with (?m)", func(s string) string { return "(?m)" + s }},
	{reasons.NearNot, "as the text that the expression is: a backslash has to stand before its special characters",
		regexp.QuoteMeta},
}

// nearPattern returns the first variant of a regular expression that matches a short message.
func nearPattern(expr string, message []byte) (variant, bool) {
	for _, v := range patternVariants {
		changed := v.change(expr)
		if changed == expr || withoutLineBreak(expr) == "" {
			continue
		}
		if re, err := regexp.Compile(changed); err == nil && re.Match(message) {
			return v, true
		}
	}
	return variant{}, false
}
