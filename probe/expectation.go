package probe

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// MessageFormat is how the messages of a Spec are written.
type MessageFormat string

// The message formats. The last two stand for bytes, which are sent as a binary message; blanks and line ends in
// them mean nothing.
const (
	FormatText   MessageFormat = "text"
	FormatBase64 MessageFormat = "base64" // RFC 4648 4, with padding
	FormatHex    MessageFormat = "hex"
)

// MessageFormats returns every message format.
func MessageFormats() []MessageFormat {
	return []MessageFormat{FormatText, FormatBase64, FormatHex}
}

// decode returns the bytes that a text of the format stands for.
func (f MessageFormat) decode(text string) ([]byte, error) {
	if f == FormatText {
		return []byte(text), nil
	}
	text = strings.Join(strings.Fields(text), "")
	if f == FormatHex {
		out, err := hex.DecodeString(text)
		if err != nil {
			return nil, errors.New("must be hexadecimal digits, two for each byte")
		}
		return out, nil
	}
	out, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("must be base64 with padding (RFC 4648 4)")
	}
	return out, nil
}

// expectation says which message is the reply. It is prepared once and never changes.
type expectation struct {
	pattern pattern
	re      *regexp.Regexp // in place of the pattern, or nil
}

// newExpectation prepares what a valid Spec expects.
func newExpectation(s Spec) (expectation, error) {
	if s.ExpectPattern != "" {
		re, err := regexp.Compile(s.ExpectPattern)
		return expectation{re: re}, err
	}
	needle, err := s.MessageFormat.decode(s.Expect)
	return expectation{pattern: newPattern(string(needle))}, err
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
