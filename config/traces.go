package config

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

const (
	// tracesPath is where requests with spans go (OTLP specification, OTLP/HTTP request).
	tracesPath = "/v1/traces"

	samplerVariable  = "OTEL_TRACES_SAMPLER"
	samplerParameter = "OTEL_TRACES_SAMPLER_ARG"
)

// ratio is a number in decimal digits.
var ratio = regexp.MustCompile(`^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// parseRatio reads a number from 0 to 1.
func parseRatio(text string) (float64, string) {
	const wants = "must be a number from 0 to 1, got "
	if !ratio.MatchString(text) {
		return 0, wants + excerpt.Quote(text)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n > 1 {
		return 0, wants + excerpt.Of(text)
	}
	return n, ""
}

// traces completes what is said about traces, which go the way of the metrics.
func (s *settingsReader) traces(o *OTLP) {
	origin, given := s.origins["otlp.trace_ratio"]
	if !o.Traces {
		// Who says that there are none, for now, may leave the ratio where it is; who says nothing has forgotten to.
		if _, off := s.origins["otlp.traces"]; given && !origin.standard && !off && !s.wrong["otlp.trace_ratio"] {
			s.fault(origin, "has no effect: otlp.traces is not true")
		}
		return
	}
	if given && origin.standard {
		s.sampler(o)
	}
	s.refuseTraces()
}

// sampler reads the ratio from the standard variables. Every run begins a trace of its own, so that a sampler that
// asks the parent first is the one that it asks without a parent.
func (s *settingsReader) sampler(o *OTLP) {
	switch name := strings.TrimSpace(os.Getenv(samplerVariable)); strings.TrimPrefix(name, "parentbased_") {
	case "always_on":
		o.TraceRatio = 1
	case "always_off":
		o.TraceRatio = 0
	case "traceidratio":
		text := strings.TrimSpace(os.Getenv(samplerParameter))
		if text == "" {
			return // 1, as the specification has it
		}
		var problem string
		if o.TraceRatio, problem = parseRatio(text); problem != "" {
			s.Variable(samplerParameter, "%s", problem)
		}
	default:
		s.Variable(samplerVariable, "must be always_on, always_off or traceidratio, or one of these after parentbased_, got %s", excerpt.Quote(name))
	}
}

// refuseTraces reports variables that would send traces elsewhere, or otherwise, than metrics, unless the file speaks
// about the same thing.
func (s *settingsReader) refuseTraces() {
	for _, f := range append(otlpSection.docs(), tlsSection.docs()...) {
		if len(f.OTel) < 2 {
			continue // not about the way to the receiver
		}
		name := strings.Replace(f.OTel[0], "_METRICS_", "_TRACES_", 1)
		o, ok := s.origins[f.Path]
		if !isSet(name) || ok && !o.standard {
			continue
		}
		if ok && sameForTraces(os.Getenv(name), os.Getenv(o.variable)) {
			continue
		}
		s.Variable(name, "must be the same as for metrics: traces go the same way; set %s for both, or %s", f.OTel[1], f.Path)
	}
}

// sameForTraces reports whether a variable about traces says what the one about metrics does.
func sameForTraces(traces, metrics string) bool {
	return strings.TrimSuffix(strings.TrimSpace(traces), tracesPath) == strings.TrimSuffix(strings.TrimSpace(metrics), metricsPath)
}

// tracesExporter says in the words of a file what OTEL_TRACES_EXPORTER does.
func tracesExporter(text string) (word, problem string) {
	switch text {
	case "otlp":
		return "true", ""
	case "none":
		return "false", ""
	default:
		return "", "must be otlp or none, got " + excerpt.Quote(text)
	}
}
