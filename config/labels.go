package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of labels.
const (
	maxLabels     = 32
	maxLabelName  = 128
	maxLabelValue = 1024
)

// isLabelName reports whether a name is a letter, and then letters, digits, _ . and -. Every probe of many has labels,
// so no regular expression looks at them.
func isLabelName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'):
		default:
			return false
		}
	}
	return name != ""
}

// ownAttributes are the attributes of the metrics of a probe that no label may replace.
var ownAttributes = []string{"server.address", "server.port", "url.scheme", "url.path", "error.type"}

// resourceAttributes are what the agent says about itself. VictoriaMetrics and resource_to_telemetry_conversion of
// Collectors make labels of them, and of the scope: a label of the same name would be there twice.
var resourceAttributes = []string{
	"service.name", "service.version", "service.instance.id", "host.name",
	"telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version",
	"scope.name", "scope.version", "otel.scope.name", "otel.scope.version",
}

func labelProblem(name, value string) (nameProblem, valueProblem string) {
	switch {
	case !isLabelName(name):
		nameProblem = "must be named by letters, digits, _ . or -, beginning with a letter"
	case len(name) > maxLabelName:
		nameProblem = fmt.Sprintf("must have a name of at most %d characters, got %d", maxLabelName, len(name))
	case ownName(name), oneOf(name, resourceAttributes):
		nameProblem = "is not allowed: it is an attribute that wsprobe sets itself"
	}
	if n := utf8.RuneCountInString(value); n > maxLabelValue {
		valueProblem = fmt.Sprintf("must be at most %d characters, got %d", maxLabelValue, n)
	}
	return nameProblem, valueProblem
}

// ownPrefix begins the names of attributes that wsprobe has for itself.
const ownPrefix = "wsprobe_"

// ownName reports whether a name is, or looks like, that of an attribute that the metrics of a probe bear.
func ownName(name string) bool {
	return len(name) >= len(ownPrefix) && sameToPrometheus(name[:len(ownPrefix)], ownPrefix) || oneOf(name, ownAttributes)
}

// oneOf reports whether a name is one of others to Prometheus.
func oneOf(name string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool { return sameToPrometheus(name, other) })
}

// sameToPrometheus reports whether Prometheus spells the names of two attributes alike.
func sameToPrometheus(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if prometheusByte(a[i]) != prometheusByte(b[i]) {
			return false
		}
	}
	return true
}

func prometheusByte(c byte) byte {
	if c == '.' || c == '-' {
		return '_'
	}
	return c
}

// nameProblem checks the name of a probe. It becomes an attribute, a line of a log and a word on a command
// line, so what cannot be seen has no place in it.
func nameProblem(name string) string {
	if strings.TrimSpace(name) != name {
		return "must not begin or end with a blank"
	}
	return printableProblem(name)
}

func printableProblem(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return fmt.Sprintf("must consist of printable characters, got %U", r)
	}
	return ""
}
