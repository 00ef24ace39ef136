package probe

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Fault is one thing that is wrong with a [Spec].
type Fault struct {
	// Field is the name of the field of the Spec.
	Field string
	// Key is the element of the field that is wrong: the name of a header as it is spelled, or the
	// index of a protocol. It is empty if the field as a whole is wrong.
	Key string
	// Problem is a phrase that follows the field's name, "must be between 100ms and 30s, got 50ms".
	// It never repeats a header's value, a message, or any part of a URL: those may hold secrets.
	Problem string
	// NotAllowed says that the field, or the header, may not be there at all, whatever its value.
	NotAllowed bool
	// Given names the other fields that this judgement rests upon. Whoever knows that one of them is
	// wrong for a reason of its own can drop the fault: it is a consequence, and may vanish.
	Given []string
}

// Error says which field is wrong and how.
func (f Fault) Error() string {
	if f.Key != "" {
		return fmt.Sprintf("%s[%q]: %s", f.Field, f.Key, f.Problem)
	}
	return f.Field + ": " + f.Problem
}

// Validate returns everything that is wrong with the Spec, or nil. It changes nothing, and an absent
// field counts as its default. What it accepts, [New] accepts.
//
// Nothing is accepted and then ignored: a message that would never be sent is a fault, and so is a
// header that the handshake would overwrite.
func (s Spec) Validate() []Fault {
	s = s.WithDefaults()
	var faults []Fault
	for _, problem := range urlProblems(s.URL) {
		faults = append(faults, Fault{Field: "URL", Problem: problem})
	}
	faults = append(faults, s.limitFaults()...)
	faults = append(faults, s.modeFaults()...)
	faults = append(faults, protocolFaults(s.Protocols)...)
	faults = append(faults, s.routeFaults()...)
	faults = append(faults, headerFaults(s.Headers)...)
	if problem := headerValueProblem(s.UserAgent); problem != "" {
		faults = append(faults, Fault{Field: "UserAgent", Problem: problem})
	}
	faults = append(faults, s.proxyFaults()...)
	return faults
}

// limitFaults checks the fields that have a range, each by itself.
func (s Spec) limitFaults() []Fault {
	var faults []Fault
	add := func(field, format string, args ...any) {
		faults = append(faults, Fault{Field: field, Problem: fmt.Sprintf(format, args...)})
	}
	if s.Timeout < MinTimeout || s.Timeout > MaxTimeout {
		add("Timeout", "must be between %v and %v, got %v", MinTimeout, MaxTimeout, s.Timeout)
	}
	if n := len(s.Send); n > MaxSendBytes {
		add("Send", "must be at most %d bytes, got %d", MaxSendBytes, n)
	}
	if n := len(s.ExpectPattern); n > MaxExpectBytes {
		add("ExpectPattern", "must be at most %d bytes, got %d", MaxExpectBytes, n)
	} else if problem := patternProblem(s.ExpectPattern); problem != "" {
		add("ExpectPattern", "%s", problem)
	}
	faults = append(faults, s.formatFaults()...)
	if s.MessageFormat == FormatText && !utf8.ValidString(s.Send) {
		add("Send", "must be valid UTF-8: it is sent as a text message (RFC 6455 5.6)")
	}
	if n := len(s.Expect); n > MaxExpectBytes {
		add("Expect", "must be at most %d bytes, got %d", MaxExpectBytes, n)
	}
	if s.MaxReply < 1 || s.MaxReply > MaxMaxReply {
		add("MaxReply", "must be between 1 and %d, got %d", MaxMaxReply, s.MaxReply)
	}
	if s.ExpectStatus != 0 && (s.ExpectStatus < 200 || s.ExpectStatus > 599) {
		add("ExpectStatus", "must be between 200 and 599, got %d", s.ExpectStatus)
	} else if s.ExpectStatus != 0 && s.Interpretation == RoundTripLatency {
		faults = append(faults, Fault{Field: "ExpectStatus", Given: []string{"Interpretation"}, NotAllowed: true,
			Problem: "is not allowed: round_trip_latency needs a socket that opens"})
	}
	if s.ExpectProtocol != "" && !slices.Contains(s.Protocols, s.ExpectProtocol) {
		faults = append(faults, Fault{Field: "ExpectProtocol", Given: []string{"Protocols"},
			Problem: "must be one of the protocols offered: a server may not pick another (RFC 6455 4.1)"})
	}
	return faults
}

// modeFaults checks the fields that only make sense together: what is measured, how an answer is
// provoked, and the message and reply of that.
func (s Spec) modeFaults() []Fault {
	var faults []Fault
	if !slices.Contains(Interpretations(), s.Interpretation) {
		faults = append(faults, Fault{Field: "Interpretation",
			Problem: fmt.Sprintf("must be one of %v, got %q", Interpretations(), s.Interpretation)})
	}
	if !slices.Contains(PingModes(), s.PingMode) {
		faults = append(faults, Fault{Field: "PingMode",
			Problem: fmt.Sprintf("must be one of %v, got %q", PingModes(), s.PingMode)})
	}
	if len(faults) > 0 {
		return faults // whether the rest fits depends on what was meant
	}
	given := []string{"Interpretation"}
	switch roundTrip := s.Interpretation == RoundTripLatency; {
	case roundTrip && s.PingMode == PingNone:
		return []Fault{{Field: "PingMode", Given: given,
			Problem: "must be message or frame for round_trip_latency: without an answer there is no round trip"}}
	case !roundTrip && s.PingMode != PingNone:
		return []Fault{{Field: "PingMode", Given: given,
			Problem: fmt.Sprintf("must be none for %s: only round_trip_latency waits for an answer", s.Interpretation)}}
	}
	return s.messageFaults()
}

// messageFaults checks that there is a message to send if and only if one will be sent. The
// interpretation and the ping mode fit each other.
func (s Spec) messageFaults() []Fault {
	given := []string{"Interpretation", "PingMode"}
	if s.PingMode == PingMessage {
		if s.Send == "" {
			return []Fault{{Field: "Send", Given: given,
				Problem: "is required: round_trip_latency sends it and waits for the reply; ping_mode frame needs none"}}
		}
		if s.Expect != "" && s.ExpectPattern != "" {
			return []Fault{{Field: "ExpectPattern", NotAllowed: true, Problem: "is not allowed beside expect_message"}}
		}
		return nil
	}
	mode := string(s.Interpretation)
	if s.PingMode == PingFrame {
		mode = "ping_mode frame"
	}
	var faults []Fault
	if s.Send != "" {
		faults = append(faults, Fault{Field: "Send", Given: given, NotAllowed: true,
			Problem: "is not allowed: " + mode + " sends no message"})
	}
	if s.Expect != "" {
		faults = append(faults, Fault{Field: "Expect", Given: given, NotAllowed: true,
			Problem: "is not allowed: " + mode + " waits for no message"})
	}
	if s.ExpectPattern != "" {
		faults = append(faults, Fault{Field: "ExpectPattern", Given: given, NotAllowed: true,
			Problem: "is not allowed: " + mode + " waits for no message"})
	}
	if s.MessageFormat != FormatText {
		faults = append(faults, Fault{Field: "MessageFormat", Given: given, NotAllowed: true,
			Problem: "is not allowed: " + mode + " sends no message"})
	}
	return faults
}

// formatFaults checks that the messages are written in their format.
func (s Spec) formatFaults() []Fault {
	if !slices.Contains(MessageFormats(), s.MessageFormat) {
		return []Fault{{Field: "MessageFormat",
			Problem: fmt.Sprintf("must be one of %v, got %q", MessageFormats(), s.MessageFormat)}}
	}
	var faults []Fault
	check := func(field, text string) {
		if _, err := s.MessageFormat.decode(text); err != nil {
			faults = append(faults, Fault{Field: field, Given: []string{"MessageFormat"}, Problem: err.Error()})
		}
	}
	check("Send", s.Send)
	check("Expect", s.Expect)
	return faults
}

// protocolFaults checks the subprotocols: a list of distinct tokens (RFC 6455 4.1, item 10).
func protocolFaults(protocols []string) []Fault {
	if len(protocols) == 0 {
		return nil
	}
	var faults []Fault
	if n := len(protocols); n > MaxProtocols {
		faults = append(faults, Fault{Field: "Protocols",
			Problem: fmt.Sprintf("must be at most %d, got %d", MaxProtocols, n)})
	}
	first := make(map[string]int, len(protocols))
	for i, protocol := range protocols {
		add := func(format string, args ...any) {
			faults = append(faults, Fault{Field: "Protocols", Key: strconv.Itoa(i), Problem: fmt.Sprintf(format, args...)})
		}
		switch earlier, twice := first[protocol]; {
		case protocol == "":
			add("must not be empty")
		case len(protocol) > MaxProtocolLen:
			add("must be at most %d characters, got %d", MaxProtocolLen, len(protocol))
		case !isToken(protocol):
			add("must be a token: letters, digits and !#$%%&'*+-.^_`|~ (RFC 7230 3.2.6)")
		case twice:
			add("must not be there twice, it is at index %d already", earlier)
		default:
			first[protocol] = i
		}
	}
	return faults
}
