package config

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// serviceLink matches the variables by which Kubernetes and Docker tell of a service or container that happens to
// be called wsprobe-agent or wsprobe-otlp. They are nobody's configuration.
var serviceLink = regexp.MustCompile(`^WSPROBE_(AGENT|OTLP)(_[A-Z0-9_]+)?_` +
	`(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// serviceAddress matches the value of the one variable of a service link that could be mistaken: ..._PORT.
var serviceAddress = regexp.MustCompile(`^(tcp|udp|sctp)://`)

// checkVariables reports variables that look like an override and are none. A misspelled one
// would otherwise be ignored, and its author none the wiser.
func checkVariables(r *yamltree.Report) {
	known := make(map[string]bool)
	var names []string
	for _, f := range Fields() {
		if f.Env != "" {
			known[f.Env] = true
			names = append(names, f.Env)
		}
	}
	variables := os.Environ()
	slices.Sort(variables)
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		override := strings.HasPrefix(name, "WSPROBE_AGENT_") || strings.HasPrefix(name, "WSPROBE_OTLP_")
		link := serviceLink.MatchString(name) || strings.HasSuffix(name, "_PORT") && serviceAddress.MatchString(value)
		switch {
		case !override || known[name] || link:
		case name == "WSPROBE_OTLP_HEADERS":
			r.Variable(name, "is no variable of wsprobe: set otlp.headers in the file, or OTEL_EXPORTER_OTLP_HEADERS")
		default:
			r.Variable(name, "is no variable of wsprobe%s", didYouMean(suggestVariable(name, names)))
		}
	}
}

// suggestVariable guesses which variable was meant. Only the word behind the section counts: with the rest, which all
// have in common, every word would be near.
func suggestVariable(name string, names []string) string {
	at := len("WSPROBE_") + strings.IndexByte(name[len("WSPROBE_"):], '_') + 1
	section := name[:at]
	var words []string
	for _, candidate := range names {
		if word, ok := strings.CutPrefix(candidate, section); ok {
			words = append(words, word)
		}
	}
	if guess := suggest(name[at:], words); guess != "" {
		return section + guess
	}
	return ""
}
