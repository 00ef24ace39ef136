package probe

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// textFaults checks the texts of messages and expectations, each by itself.
func (s Spec) textFaults() []Fault {
	if !slices.Contains(MessageFormats(), s.MessageFormat) {
		return []Fault{{Field: "MessageFormat",
			Problem: notAmong(MessageFormats(), s.MessageFormat)}}
	}
	faults := slices.Concat(
		s.sendFaults("Send", s.Send), s.expectFaults("Expect", s.Expect),
		patternFaults(s.ExpectPattern), jsonFaults(s.ExpectJSON))
	for i, step := range s.Exchange {
		faults = append(faults, step.textFaults(s, i)...)
	}
	return faults
}

// sendFaults checks a message, which becomes a text or binary message.
func (s Spec) sendFaults(field, text string) []Fault {
	var faults []Fault
	if n := len(text); n > MaxSendBytes {
		faults = append(faults, Fault{Field: field, Problem: fmt.Sprintf("must be at most %d bytes, got %d", MaxSendBytes, n)})
	}
	if s.MessageFormat == FormatText && !utf8.ValidString(text) {
		faults = append(faults, Fault{Field: field, Problem: "must be valid UTF-8: it is sent as a text message (RFC 6455 5.6)"})
	}
	return append(faults, s.formatFaults(field, text)...)
}

// expectFaults checks the text that a message must contain.
func (s Spec) expectFaults(field, text string) []Fault {
	var faults []Fault
	if n := len(text); n > MaxExpectBytes {
		faults = append(faults, Fault{Field: field, Problem: fmt.Sprintf("must be at most %d bytes, got %d", MaxExpectBytes, n)})
	}
	return append(faults, s.formatFaults(field, text)...)
}

// formatFaults checks that a text is written in the format of the messages.
func (s Spec) formatFaults(field, text string) []Fault {
	if _, err := s.MessageFormat.Decode(text); err != nil {
		return []Fault{{Field: field, Given: []string{"MessageFormat"}, Problem: err.Error()}}
	}
	return nil
}

// patternFaults checks a regular expression, in which a placeholder stands for a text without a meaning of its own.
func patternFaults(expr string) []Fault {
	if expr == "" {
		return nil // compiling nothing costs more than the rest of Validate
	}
	if n := len(expr); n > MaxExpectBytes {
		return []Fault{{Field: "ExpectPattern", Problem: fmt.Sprintf("must be at most %d bytes, got %d", MaxExpectBytes, n)}}
	}
	if problem := match.PatternProblem(expr); problem != "" {
		return []Fault{{Field: "ExpectPattern", Problem: problem}}
	}
	return nil
}

// jsonFaults checks the paths and values of an ExpectJSON.
func jsonFaults(expect map[string]any) []Fault {
	if expect == nil {
		return nil
	}
	if len(expect) == 0 {
		return []Fault{{Field: "ExpectJSON", Problem: "must name at least one path and its value"}}
	}
	var faults []Fault
	for _, path := range slices.Sorted(maps.Keys(expect)) {
		if path == "" {
			faults = append(faults, Fault{Field: "ExpectJSON", Problem: "must not have an empty path"})
		} else if problem := pathProblem(path); problem != "" {
			faults = append(faults, Fault{Field: "ExpectJSON", Key: path, Problem: problem})
		} else if !match.IsScalar(expect[path]) {
			faults = append(faults, Fault{Field: "ExpectJSON", Key: path, Problem: "must be text, a number, true, false or null"})
		}
	}
	return faults
}

// pathProblem says why a text is no path of ExpectJSON, or is empty.
func pathProblem(path string) string {
	if n := len(path); n > MaxJSONPathBytes {
		return fmt.Sprintf("must be at most %d bytes, got %d", MaxJSONPathBytes, n)
	}
	return match.PathProblem(path)
}

// messageFaults checks that there are messages if the ping mode sends any, and else none. The interpretation and the
// ping mode must fit each other.
func (s Spec) messageFaults() []Fault {
	given := []string{"Interpretation", "PingMode"}
	if !s.talks() {
		return s.silentFaults(given)
	}
	if s.Exchange != nil && s.ExpectStatus != 0 {
		return []Fault{{Field: "Exchange", Given: []string{"ExpectStatus"}, NotAllowed: true,
			Problem: "is not allowed: expect_status wants a socket that does not open"}}
	}
	if s.Exchange != nil {
		return append(s.besideFaults(), s.exchangeFaults()...)
	}
	if s.Send == "" {
		return []Fault{{Field: "Send", Given: append(given, "Exchange"),
			Problem: "is required: round_trip_latency sends it and waits for the reply; ping_mode frame needs none"}}
	}
	var faults []Fault
	if s.captures() {
		faults = s.steps()[0].nameFaults(append(s.CaptureNames(), match.Nonce))
	}
	first := ""
	for _, e := range s.expectations() {
		switch {
		case !e.given:
		case first == "":
			first = e.name
		default:
			faults = append(faults, Fault{Field: e.field, NotAllowed: true, Problem: "is not allowed beside " + first})
		}
	}
	return faults
}

// given is a field of a Spec or Step, its name in a file, and whether it is set.
type given struct {
	field, name string
	given       bool
}

// expectations are the fields for the expected message.
func (s Spec) expectations() []given {
	return []given{
		{"Expect", "expect_message", s.Expect != ""},
		{"ExpectPattern", "expect_pattern", s.ExpectPattern != ""},
		{"ExpectJSON", "expect_json", s.ExpectJSON != nil},
	}
}

// silentFaults finds fields about messages in a Spec that sends none.
func (s Spec) silentFaults(rest []string) []Fault {
	mode := string(s.Interpretation)
	if s.PingMode == PingFrame {
		mode = "ping_mode frame"
	}
	fields := slices.Concat(
		[]given{{"Send", "", s.Send != ""}, {"MessageFormat", "", s.MessageFormat != FormatText}, {"Exchange", "", s.Exchange != nil}},
		s.expectations())
	var faults []Fault
	for i, f := range fields {
		does := " waits for no message"
		if i < 3 {
			does = " sends no message"
		}
		if f.given {
			faults = append(faults, Fault{Field: f.field, Given: rest, NotAllowed: true, Problem: "is not allowed: " + mode + does})
		}
	}
	return faults
}

// besideFaults finds fields that belong into the steps of an exchange.
func (s Spec) besideFaults() []Fault {
	var faults []Fault
	for _, f := range append(s.expectations(), given{"Send", "", s.Send != ""}) {
		if f.given {
			faults = append(faults, Fault{Field: f.field, NotAllowed: true,
				Problem: "is not allowed beside exchange: it belongs in a step"})
		}
	}
	return faults
}
