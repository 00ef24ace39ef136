package config

import (
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// standard is a variable of the OpenTelemetry specification and its text. A type of its own distinguishes it from the
// values that other sources give to viper.
type standard struct{ name, text string }

// standardVariable returns the first of the variables that is set, or nil.
func standardVariable(names []string) any {
	for _, name := range names {
		if isSet(name) {
			return standard{name, strings.TrimSpace(os.Getenv(name))}
		}
	}
	return nil
}

// isSet reports whether a variable is set and not empty. The specification takes an empty variable for one that is not
// set.
func isSet(name string) bool { return os.Getenv(name) != "" }

// storeStandard stores the value of a standard variable, in the forms of
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
func storeStandard[T any](s *settingsReader, f *field[T], into *T, v standard) {
	switch f.Kind {
	case Duration:
		if !decimal.MatchString(v.text) {
			s.Variable(v.name, "must be a whole number of milliseconds, got %s", excerpt.Quote(v.text))
			s.wrong[f.Path] = true
			return
		}
		v.text += "ms"
	case Map:
		*f.value.at(into).(*map[string]string) = storeHeaders(s, f, v)
		return
	}
	switch f.Path {
	case "otlp.endpoint":
		v.text = s.withScheme(v.text)
	case "otlp.temporality":
		v.text = strings.ToLower(v.text) // the specification writes LowMemory, and does not mind
	case "otlp.trace_ratio":
		return // see sampler: it matters only if there are traces
	case "otlp.traces", "otlp.histograms":
		translate := tracesExporter
		if f.Path == "otlp.histograms" {
			translate = histogramAggregation
		}
		word, problem := translate(v.text)
		if problem != "" {
			s.Variable(v.name, "%s", problem)
			s.wrong[f.Path] = true
			return
		}
		v.text = word
	}
	if problem := f.value.store(into, &f.Field, v.text); problem != "" {
		s.Variable(v.name, "%s", problem)
		s.wrong[f.Path] = true
	} else if f.File {
		s.lookFor(v.text)
	}
}

var insecureVariables = []string{"OTEL_EXPORTER_OTLP_METRICS_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE"}

// withScheme completes an endpoint without a scheme, which only the variables may have. The specification lets
// another variable choose; a scheme wins over it.
func (s *settingsReader) withScheme(endpoint string) string {
	if strings.Contains(endpoint, "://") {
		return endpoint
	}
	insecure, ok := standardVariable(insecureVariables).(standard)
	switch {
	case ok && strings.EqualFold(insecure.text, "true"):
		return "http://" + endpoint
	case ok && !strings.EqualFold(insecure.text, "false"):
		s.Variable(insecure.name, "must be true or false, got %s", excerpt.Quote(insecure.text))
	}
	return "https://" + endpoint
}

// refused are standard variables with which somebody asks for a feature that wsprobe does not have.
var refused = []struct {
	names   []string
	allowed string
	problem string
}{
	{[]string{"OTEL_SDK_DISABLED"}, "false", "must not be true: wsprobe is of no use without telemetry"},
	{[]string{"OTEL_METRICS_EXPORTER"}, "otlp", "must be otlp, the only exporter of wsprobe (otlp.protocol none is for no export)"},
}

// refuse reports standard variables that cannot be obeyed. They are about the exporter as a whole. An endpoint in the
// file or in a variable of wsprobe overrides them, and so does a protocol of none.
func (s *settingsReader) refuse(otlp OTLP) {
	decided := func(path string) bool {
		o, ok := s.origins[path]
		return ok && !o.standard
	}
	if decided("otlp.endpoint") || !otlp.Exports() && decided("otlp.protocol") {
		return
	}
	for _, rule := range refused {
		if v, ok := standardVariable(rule.names).(standard); ok && !strings.EqualFold(v.text, rule.allowed) {
			s.Variable(v.name, "%s, got %s", rule.problem, excerpt.Quote(v.text))
		}
	}
}

// storeHeaders reads "name=value,name=value", percent-encoded, as the W3C baggage header has it but without
// properties. No value is repeated in a message.
func storeHeaders[T any](s *settingsReader, f *field[T], v standard) map[string]string {
	headers := make(map[string]string)
	seen := make(map[string]bool)
	for i, item := range listItems(v.text) {
		name, value, problem := keyValue(item)
		if problem != "" {
			s.Variable(v.name, "item %d %s", i+1, problem)
			continue
		}
		nameProblem, valueProblem := f.entry(name, value)
		switch {
		case nameProblem != "":
			s.Variable(v.name, "item %d %s", i+1, nameProblem)
		case valueProblem != "":
			s.Variable(v.name, "the value of %s %s", name, valueProblem)
		case seen[f.folded(name)]:
			s.Variable(v.name, "%s is there twice", name)
		}
		seen[f.folded(name)] = true
		headers[name] = value
	}
	if int64(len(headers)) > f.Max {
		s.Variable(v.name, "must be at most %d, got %d", f.Max, len(headers))
	}
	return headers
}

// resourceVariable holds attributes of the resource.
const resourceVariable = "OTEL_RESOURCE_ATTRIBUTES"

// locationAttribute is where an agent stands. It is an attribute of each metric, so it cannot be one of the resource,
// too.
const locationAttribute = "wsprobe.location"

// readResource reads what the environment says about the resource.
func readResource(r *yamltree.Report) Resource {
	const attributes, serviceName = resourceVariable, "OTEL_SERVICE_NAME"
	resource := Resource{ServiceName: "wsprobe", Attributes: make(map[string]string)}
	for i, item := range listItems(os.Getenv(attributes)) {
		name, value, problem := keyValue(item)
		switch {
		case problem != "":
			r.Variable(attributes, "item %d %s", i+1, problem)
		case name == "service.name":
			resource.ServiceName = value
		case name == locationAttribute:
			resource.Location = value
		case ownName(name):
			r.Variable(attributes, "item %d is not allowed: it is an attribute of the metrics of probes", i+1)
		default:
			resource.Attributes[name] = value
		}
	}
	if name := os.Getenv(serviceName); name != "" {
		resource.ServiceName = name
		if !utf8.ValidString(name) {
			r.Variable(serviceName, "must be UTF-8")
		}
	}
	return resource
}

// checkLabels looks for attributes of the resource that are labels of probes, too.
func (r Resource) checkLabels(report *yamltree.Report, probes []Probe) {
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		for _, p := range probes {
			if oneOf(name, slices.Collect(maps.Keys(p.Labels))) {
				report.Variable(resourceVariable, "%s is a label of probe %s, too: some back ends would have it twice", name, excerpt.Quote(p.Name))
				break
			}
		}
	}
}

// listItems splits a list at its commas. Empty items, as a comma at the end leaves them, do not count.
func listItems(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// keyValue takes an item of a list apart.
func keyValue(item string) (name, value, problem string) {
	name, value, found := strings.Cut(item, "=")
	name, errName := url.PathUnescape(strings.TrimSpace(name))
	value, errValue := url.PathUnescape(strings.TrimSpace(value))
	switch {
	case !found || name == "":
		return "", "", "must be name=value"
	case errName != nil || errValue != nil:
		return "", "", "must have two hexadecimal digits after each %"
	case printableProblem(name) != "":
		return "", "", "must have a printable name"
	case !utf8.ValidString(name), !utf8.ValidString(value):
		return "", "", "must be UTF-8"
	}
	return name, value, ""
}
