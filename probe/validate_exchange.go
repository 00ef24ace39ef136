package probe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// textFaults checks the texts and the bound of a step by themselves.
func (step Step) textFaults(s Spec, index int) []Fault {
	var faults []Fault
	if step.Send != nil {
		faults = append(faults, s.sendFaults("Send", *step.Send)...)
	}
	if step.Expect != nil {
		faults = append(faults, s.expectFaults("Expect", *step.Expect)...)
	}
	faults = slices.Concat(faults, patternFaults(step.ExpectPattern), jsonFaults(step.ExpectJSON))
	if step.Timeout < 0 || step.Timeout > s.Timeout {
		faults = append(faults, Fault{Field: "Timeout", Given: []string{"Timeout"},
			Problem: fmt.Sprintf("must be at most the %v of the whole run, got %v", s.Timeout, step.Timeout)})
	}
	return ofStep(index, faults)
}

// ofStep makes faults of a step's fields faults of the exchange.
func ofStep(index int, faults []Fault) []Fault {
	for i := range faults {
		f := &faults[i]
		f.Field, f.Key, f.Sub, f.SubKey = "Exchange", strconv.Itoa(index), f.Field, f.Key
	}
	return faults
}

// ExchangeFaults returns the faults of Exchange alone, as Validate does. Its placeholders may name more than the groups
// of earlier steps.
func (s Spec) ExchangeFaults(more ...string) []Fault {
	s = s.WithDefaults()
	var faults []Fault
	for i, step := range s.Exchange {
		faults = append(faults, step.textFaults(s, i)...)
	}
	return append(faults, s.exchangeFaults(more...)...)
}

// exchangeFaults checks the steps as a whole: each does something, one is the round trip, and placeholders name groups
// of earlier steps, or more.
func (s Spec) exchangeFaults(more ...string) []Fault {
	if n := len(s.Exchange); n < 1 || n > MaxSteps {
		return []Fault{{Field: "Exchange", Problem: fmt.Sprintf("must have 1 to %d steps, got %d", MaxSteps, n)}}
	}
	var faults []Fault
	marked, known, names := -1, slices.Concat([]string{match.Nonce}, more, s.CaptureNames()), []string{MainConnection}
	for i, step := range s.Exchange {
		faults = append(faults, ofStep(i, step.shapeFaults(!slices.Contains(names, step.on())))...)
		names = append(names, step.on())
		if step.Measure && marked >= 0 {
			faults = append(faults, ofStep(i, []Fault{{Field: "Measure", NotAllowed: true,
				Problem: fmt.Sprintf("is not allowed twice: step %d is measured already", marked+1)}})...)
		} else if step.Measure {
			marked = i
		}
		faults = append(faults, ofStep(i, step.nameFaults(known))...)
		known = append(known, match.Groups(step.ExpectPattern)...)
	}
	if len(faults) == 0 && s.Interpretation == RoundTripLatency && measured(s.Exchange) < 0 {
		faults = append(faults, Fault{Field: "Exchange", Given: []string{"Exchange", "Interpretation"},
			Problem: "has no round trip: let a step send and expect, or mark one that expects with measure"})
	}
	return faults
}

// shapeFaults checks that the step sends or waits, and waits for one thing. A step that opens a connection may do
// nothing else.
func (step Step) shapeFaults(opens bool) []Fault {
	faults := nameOfConnectionFaults("On", step.on())
	if step.Send == nil && !step.expects() && !opens {
		return []Fault{{Field: "", Problem: "must send or expect something"}}
	}
	if step.Measure && !step.expects() {
		faults = append(faults, Fault{Field: "Measure", NotAllowed: true, Problem: "is not allowed on a step that expects nothing"})
	}
	first := ""
	for _, e := range []given{
		{"Expect", "expect", step.Expect != nil},
		{"ExpectPattern", "expect_pattern", step.ExpectPattern != ""},
		{"ExpectJSON", "expect_json", step.ExpectJSON != nil},
	} {
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

// nameFaults checks the placeholders of the step against the names that are known by then, and its groups.
func (step Step) nameFaults(known []string) []Fault {
	var faults []Fault
	check := func(field, key, text string) {
		for _, name := range match.Placeholders(text) {
			if !slices.Contains(known, name) {
				faults = append(faults, Fault{Field: field, Key: key, Given: []string{"Exchange"},
					Problem: fmt.Sprintf("has {{%s}}, which no pattern of an earlier step catches (known: %s)", name, strings.Join(known, ", "))})
			}
		}
	}
	if step.Send != nil {
		check("Send", "", *step.Send)
	}
	if step.Expect != nil {
		check("Expect", "", *step.Expect)
	}
	check("ExpectPattern", "", step.ExpectPattern)
	for _, path := range slices.Sorted(maps.Keys(step.ExpectJSON)) {
		if text, ok := step.ExpectJSON[path].(string); ok {
			check("ExpectJSON", path, text)
		}
	}
	if slices.Contains(match.Groups(step.ExpectPattern), match.Nonce) {
		faults = append(faults, Fault{Field: "ExpectPattern", Problem: "must not name a group nonce: {{nonce}} is the text that is fresh in every run"})
	}
	return faults
}
