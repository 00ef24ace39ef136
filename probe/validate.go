package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Fault is one thing that is wrong with a [Spec].
type Fault struct {
	// Field is the name of the field of the Spec.
	Field string
	// Key is the element of the field that is wrong: the name of a header in its own spelling or of a connection, the
	// path of an expectation, or the index of a protocol or step. It is empty if the field as a whole is wrong.
	Key string
	// Sub is the name of the field of the Step or Connection that is wrong, and SubKey the element of that. Both are
	// empty if it is wrong as a whole.
	Sub, SubKey string
	// Problem is a phrase that follows the field's name, "must be between 100ms and 30s, got 50ms". It never repeats a
	// header's value, a message, or any part of a URL, because those may hold secrets.
	Problem string
	// NotAllowed: the field, or the header, may not be set at all, whatever its value.
	NotAllowed bool
	// Given names the other fields on which the fault depends. If one of them has a fault of its own, this one is a
	// consequence, and a caller can drop it.
	Given []string
}

// Error says which field is wrong and how.
func (f Fault) Error() string {
	where := f.Field
	if f.Key != "" {
		where += fmt.Sprintf("[%q]", f.Key)
	}
	if f.Sub != "" {
		where += "." + f.Sub
	}
	if f.SubKey != "" {
		where += fmt.Sprintf("[%q]", f.SubKey)
	}
	return where + ": " + f.Problem
}

// Validate returns every fault of the Spec, or nil. It changes nothing, and an absent field counts as its default.
// [New] accepts every Spec without faults.
//
// No field is accepted and then ignored: a message that would never be sent is a fault, and so is a header that the
// handshake would overwrite.
func (s Spec) Validate() []Fault {
	s = s.WithDefaults()
	faults := append(s.prepareFaults(), s.openingNameFaults()...)
	s.Opening = s.standIn()
	for _, problem := range urlProblems(s.URL) {
		faults = append(faults, Fault{Field: "URL", Problem: problem})
	}
	faults = append(faults, s.limitFaults()...)
	faults = append(faults, s.textFaults()...)
	faults = append(faults, s.modeFaults()...)
	faults = append(faults, s.connectionFaults()...)
	faults = append(faults, protocolFaults(s.Protocols)...)
	faults = append(faults, s.routeFaults()...)
	if !s.securesOther() {
		faults = append(faults, s.tlsFaults()...)
	}
	faults = append(faults, headerFaults(s.Headers)...)
	faults = append(faults, s.authorizationFault()...)
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
	if s.MaxReply < 1 || s.MaxReply > MaxMaxReply {
		add("MaxReply", "must be between 1 and %d, got %d", MaxMaxReply, s.MaxReply)
	}
	if !slices.Contains(Compressions(), s.Compression) {
		add("Compression", "must be one of %v, got %q", Compressions(), s.Compression)
	}
	if s.ExpectStatus != 0 && (s.ExpectStatus < 200 || s.ExpectStatus > 599) {
		add("ExpectStatus", "must be between 200 and 599, got %d", s.ExpectStatus)
	} else if s.ExpectStatus != 0 && s.Interpretation == RoundTripLatency {
		faults = append(faults, Fault{Field: "ExpectStatus", Given: []string{"Interpretation"}, NotAllowed: true,
			Problem: "is not allowed: round_trip_latency needs a socket that opens"})
	}
	faults = append(faults, s.stayFaults()...)
	if s.ExpectProtocol != "" && !slices.Contains(s.Protocols, s.ExpectProtocol) {
		faults = append(faults, Fault{Field: "ExpectProtocol", Given: []string{"Protocols"},
			Problem: "must be one of the protocols offered: a server may not pick another (RFC 6455 4.1)"})
	}
	return faults
}

// stayFaults checks how long the socket must stay open.
func (s Spec) stayFaults() []Fault {
	switch {
	case s.StayOpen < 0 || s.StayOpen > MaxStayOpen:
		return []Fault{{Field: "StayOpen", Problem: fmt.Sprintf("must be between 0s and %v, got %v", MaxStayOpen, s.StayOpen)}}
	case s.StayOpen > 0 && s.ExpectStatus != 0:
		return []Fault{{Field: "StayOpen", Given: []string{"ExpectStatus"}, NotAllowed: true,
			Problem: "is not allowed: expect_status wants a socket that does not open"}}
	case s.StayOpen >= s.Timeout && s.StayOpen > 0:
		return []Fault{{Field: "StayOpen", Given: []string{"Timeout"},
			Problem: fmt.Sprintf("must be less than the %v of the whole run, got %v", s.Timeout, s.StayOpen)}}
	}
	return nil
}

// modeFaults checks the fields that make sense only together: the interpretation, the ping mode, message and reply.
func (s Spec) modeFaults() []Fault {
	var faults []Fault
	if !slices.Contains(Interpretations(), s.Interpretation) {
		faults = append(faults, Fault{Field: "Interpretation",
			Problem: notAmong(Interpretations(), s.Interpretation)})
	}
	if !slices.Contains(PingModes(), s.PingMode) {
		faults = append(faults, Fault{Field: "PingMode",
			Problem: notAmong(PingModes(), s.PingMode)})
	}
	if len(faults) > 0 {
		return faults // the rest depends on these two
	}
	given := []string{"Interpretation"}
	switch roundTrip := s.Interpretation == RoundTripLatency; {
	case roundTrip && s.PingMode == PingNone:
		return []Fault{{Field: "PingMode", Given: given,
			Problem: "must be message, frame or both for round_trip_latency: without an answer there is no round trip"}}
	case !roundTrip && s.PingMode != PingNone:
		return []Fault{{Field: "PingMode", Given: given,
			Problem: fmt.Sprintf("must be none for %s: only round_trip_latency waits for an answer", s.Interpretation)}}
	}
	return s.messageFaults()
}

// notAmong says that a word is not one of those allowed.
func notAmong[Word ~string](allowed []Word, got Word) string {
	words := make([]string, len(allowed))
	for i, w := range allowed {
		words[i] = string(w)
	}
	return fmt.Sprintf("must be one of %s, got %q", strings.Join(words, ", "), got)
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
	if n := len(strings.Join(protocols, "")); n > MaxProtocolBytes {
		faults = append(faults, Fault{Field: "Protocols",
			Problem: fmt.Sprintf("must be at most %d bytes together, got %d", MaxProtocolBytes, n)})
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
		case !httpguts.ValidHeaderFieldName(protocol):
			add("must be a token: letters, digits and !#$%%&'*+-.^_`|~ (RFC 7230 3.2.6)")
		case twice:
			add("must not be there twice, it is at index %d already", earlier)
		default:
			first[protocol] = i
		}
	}
	return faults
}
