package session

import (
	"slices"
	"strconv"

	"github.com/wsprobe/wsprobe/probe"
)

// openFaults checks the run that opens the session. Its steps include some of the heartbeat, which are checked there.
func (s Spec) openFaults() []probe.Fault {
	faults := slices.DeleteFunc(s.Run().Validate(), func(f probe.Fault) bool {
		index, err := strconv.Atoi(f.Key)
		return f.Field == "Exchange" && err == nil && index >= len(s.Exchange)
	})
	if n := len(namesOf(s.Exchange)); n <= probe.MaxConnections {
		for i := range faults {
			if f := &faults[i]; f.Field == "Exchange" && f.Key == "" && len(namesOf(s.allOpens())) > probe.MaxConnections {
				f.Field = "Heartbeat" // one too many is there
			}
		}
	}
	return faults
}

// stepsFaults checks the steps of the heartbeat as an exchange that has a round trip.
func (s Spec) stepsFaults() []probe.Fault {
	beat := s.Heartbeat
	var faults []probe.Fault
	for _, e := range []struct {
		field string
		given bool
	}{{"Send", beat.Send != ""}, {"Expect", beat.Expect != ""}, {"ExpectPattern", beat.ExpectPattern != ""}, {"ExpectJSON", beat.ExpectJSON != nil}} {
		if e.given {
			faults = append(faults, probe.Fault{Sub: e.field, NotAllowed: true, Problem: "is not allowed beside steps: it belongs in a step"})
		}
	}
	steps := slices.Clone(beat.Steps)
	for i := range steps {
		step := &steps[i]
		if step.Timeout != 0 {
			faults = append(faults, probe.Fault{Key: strconv.Itoa(i), Sub: "Timeout", NotAllowed: true,
				Problem: "is not allowed: timeout_ms of the heartbeat bounds all its steps"})
		}
		if step.Timeout = 0; step.Send == nil && step.Expect == nil && step.ExpectPattern == "" && step.ExpectJSON == nil {
			faults = append(faults, probe.Fault{Key: strconv.Itoa(i), Problem: "must send or expect something"})
			step.Send = new("")
		}
	}
	if !slices.Contains(probe.MessageFormats(), s.MessageFormat) {
		return faults
	}
	exchange := probe.Spec{Interpretation: probe.RoundTripLatency, MessageFormat: s.MessageFormat, Exchange: steps}
	for _, f := range exchange.ExchangeFaults(s.caught()...) {
		f.Field = ""
		faults = append(faults, f)
	}
	return faults
}
