package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// Validate returns every fault of the Spec, or nil. It changes nothing, and an absent field counts as its default. Fields
// are named as in [probe.Fault]: the Key of Answers is an index, and Sub is a field of a Heartbeat, an Answer or the
// Reconnect. A Heartbeat with a Key is the step of that index, and Sub a field of the step.
func (s Spec) Validate() []probe.Fault {
	s = s.WithDefaults()
	return slices.Concat(s.openFaults(), s.headlineFaults(), s.formatFaults(), s.pingFaults(), s.heartbeatFaults(), s.answerFaults(), s.wantedFaults(),
		s.lifetimeFaults(), s.Reconnect.faults())
}

// headlineFaults checks that there is a value to show.
func (s Spec) headlineFaults() []probe.Fault {
	switch {
	case !slices.Contains(probe.Interpretations(), s.Interpretation):
		return []probe.Fault{{Field: "Interpretation", Problem: oneOf(probe.Interpretations(), s.Interpretation)}}
	case s.Interpretation == probe.RoundTripLatency && s.PingInterval == 0 && s.Heartbeat == nil:
		return []probe.Fault{{Field: "PingInterval", Given: []string{"Interpretation", "Heartbeat"},
			Problem: "is required for round_trip_latency, or heartbeat: without either there is no round trip"}}
	}
	return nil
}

// formatFaults checks the format of the messages where no Exchange has it checked.
func (s Spec) formatFaults() []probe.Fault {
	if s.Exchange != nil || slices.Contains(probe.MessageFormats(), s.MessageFormat) {
		return nil
	}
	return []probe.Fault{{Field: "MessageFormat", Problem: oneOf(probe.MessageFormats(), s.MessageFormat)}}
}

func oneOf[Word ~string](allowed []Word, got Word) string {
	words := make([]string, len(allowed))
	for i, w := range allowed {
		words[i] = string(w)
	}
	return fmt.Sprintf("must be one of %s, got %q", strings.Join(words, ", "), got)
}

// between returns a fault if a value is out of its range.
func between(f probe.Fault, least, most, got time.Duration) []probe.Fault {
	if got >= least && got <= most {
		return nil
	}
	f.Problem = fmt.Sprintf("must be between %v and %v, got %v", least, most, got)
	return []probe.Fault{f}
}

func (s Spec) pingFaults() []probe.Fault {
	if s.PingInterval == 0 && s.PingTimeout != 0 {
		return []probe.Fault{{Field: "PingTimeout", Given: []string{"PingInterval"}, NotAllowed: true,
			Problem: "is not allowed without ping_interval: no Ping is sent"}}
	}
	if s.PingInterval == 0 {
		return nil
	}
	return append(between(probe.Fault{Field: "PingInterval"}, MinInterval, MaxInterval, s.PingInterval),
		between(probe.Fault{Field: "PingTimeout"}, MinInterval, MaxInterval, s.PingTimeout)...)
}

func (s Spec) heartbeatFaults() []probe.Fault {
	if s.Heartbeat == nil {
		return nil
	}
	said := s.stepsFaults()
	if s.Heartbeat.Steps == nil {
		said = s.talkFaults(s.Heartbeat.Send, s.Heartbeat.Expectation, s.exchangeFaults)
	}
	faults := slices.Concat(said,
		between(probe.Fault{Sub: "Interval"}, MinInterval, MaxInterval, s.Heartbeat.Interval),
		between(probe.Fault{Sub: "Timeout"}, MinInterval, MaxInterval, s.Heartbeat.Timeout))
	for i := range faults {
		faults[i].Field = "Heartbeat"
	}
	return faults
}

func (s Spec) answerFaults() []probe.Fault {
	if n := len(s.Answers); n > MaxAnswers {
		return []probe.Fault{{Field: "Answers", Problem: fmt.Sprintf("must be at most %d, got %d", MaxAnswers, n)}}
	}
	var all []probe.Fault
	for i, a := range s.Answers {
		faults := s.talkFaults(a.Send, a.Expectation, s.stepFaults)
		if !a.given() {
			faults = append(faults, probe.Fault{Sub: "Expect", Problem: "is required, or expect_pattern or expect_json: nothing is an answer to every message"})
		}
		for _, f := range faults {
			f.Field, f.Key = "Answers", strconv.Itoa(i)
			all = append(all, f)
		}
	}
	return all
}

func (s Spec) wantedFaults() []probe.Fault {
	faults := s.expectFaults(s.Expectation)
	for i := range faults {
		f := &faults[i]
		f.Field, f.Key, f.Sub, f.SubKey = f.Sub, f.SubKey, "", ""
	}
	if s.MaxSilence != 0 {
		faults = append(faults, between(probe.Fault{Field: "MaxSilence"}, MinInterval, MaxInterval, s.MaxSilence)...)
	}
	return slices.Concat(faults, pathFaults("Sequence", s.Sequence), pathFaults("SentAt", s.SentAt))
}

// pathFaults checks a path that may be absent.
func pathFaults(field, path string) []probe.Fault {
	problem := ""
	if n := len(path); n > probe.MaxJSONPathBytes {
		problem = fmt.Sprintf("must be at most %d bytes, got %d", probe.MaxJSONPathBytes, n)
	} else if n > 0 {
		problem = match.PathProblem(path)
	}
	if problem == "" {
		return nil
	}
	return []probe.Fault{{Field: field, Problem: problem}}
}

func (s Spec) lifetimeFaults() []probe.Fault {
	switch {
	case s.MaxLifetime == 0 && s.Renew != "":
		return []probe.Fault{{Field: "Renew", Given: []string{"MaxLifetime"}, NotAllowed: true,
			Problem: "is not allowed without max_lifetime: nothing is renewed"}}
	case s.MaxLifetime == 0:
		return nil
	}
	faults := between(probe.Fault{Field: "MaxLifetime"}, MinLifetime, MaxLifetime, s.MaxLifetime)
	if !slices.Contains(Renews(), s.Renew) {
		faults = append(faults, probe.Fault{Field: "Renew", Problem: oneOf(Renews(), s.Renew)})
	}
	return faults
}

func (r Reconnect) faults() []probe.Fault {
	faults := between(probe.Fault{Field: "Reconnect", Sub: "Min"}, MinInterval, MaxReconnect, r.Min)
	if len(faults) > 0 {
		return faults
	}
	return between(probe.Fault{Field: "Reconnect", Sub: "Max"}, r.Min, MaxReconnect, r.Max)
}

// given reports whether the expectation says anything.
func (e Expectation) given() bool {
	return e.Expect != "" || e.ExpectPattern != "" || e.ExpectJSON != nil
}

// step is a step of an exchange that waits for the message.
func (e Expectation) step() probe.Step {
	step := probe.Step{ExpectPattern: e.ExpectPattern, ExpectJSON: e.ExpectJSON}
	if e.Expect != "" || !e.given() {
		step.Expect = &e.Expect
	}
	return step
}

// expectFaults checks an expectation as that of a step of an exchange. Its faults have the field in Sub.
func (s Spec) expectFaults(e Expectation) []probe.Fault { return s.stepFaults(e.step()) }

// talkFaults checks a message and an expectation as a step of an exchange.
func (s Spec) talkFaults(send string, e Expectation, check func(probe.Step) []probe.Fault) []probe.Fault {
	step := e.step()
	step.Send = &send
	faults := check(step)
	if send == "" {
		faults = append(faults, probe.Fault{Sub: "Send", Problem: "is required"})
	}
	return faults
}

// exchangeFaults returns the faults that a step has in an exchange behind that of the session.
func (s Spec) exchangeFaults(step probe.Step) []probe.Fault {
	if !slices.Contains(probe.MessageFormats(), s.MessageFormat) {
		return nil
	}
	faults := probe.Spec{MessageFormat: s.MessageFormat, Exchange: []probe.Step{step}}.ExchangeFaults(s.caught()...)
	for i := range faults {
		faults[i].Field, faults[i].Key = "", ""
	}
	return faults
}

// stepFaults returns the faults that a step without placeholders has in an exchange, and its placeholders.
func (s Spec) stepFaults(step probe.Step) []probe.Fault {
	faults := slices.DeleteFunc(s.exchangeFaults(step), func(f probe.Fault) bool { return strings.Contains(f.Problem, "{{") })
	return append(faults, placeholderFaults(step)...)
}

// placeholderFaults refuses placeholders outside heartbeats: a session has no values for them.
func placeholderFaults(step probe.Step) []probe.Fault {
	texts := []struct{ field, text string }{{"ExpectPattern", step.ExpectPattern}}
	if step.Send != nil {
		texts = append(texts, struct{ field, text string }{"Send", *step.Send})
	}
	if step.Expect != nil {
		texts = append(texts, struct{ field, text string }{"Expect", *step.Expect})
	}
	var faults []probe.Fault
	for _, t := range texts {
		if match.HasPlaceholder(t.text) {
			faults = append(faults, probe.Fault{Sub: t.field, Problem: "must not have placeholders: only heartbeats have values for them"})
		}
	}
	return faults
}
