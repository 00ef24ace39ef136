package probe

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// PrepareMethods returns the methods that a Prepare can have.
func PrepareMethods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// prepareFaults checks the request of prepare, and that the names of its captures are free.
func (s Spec) prepareFaults() []Fault {
	p := s.Prepare.withDefaults()
	if p == nil {
		return nil
	}
	var faults []Fault
	add := func(sub, key, problem string) {
		if problem != "" {
			faults = append(faults, Fault{Field: "Prepare", Sub: sub, SubKey: key, Problem: problem})
		}
	}
	for _, problem := range prepareURLProblems(p.URL) {
		add("URL", "", problem)
	}
	if !slices.Contains(PrepareMethods(), p.Method) {
		add("Method", "", notAmong(PrepareMethods(), p.Method))
	}
	if n := len(p.Body); n > MaxSendBytes {
		add("Body", "", fmt.Sprintf("must be at most %d bytes, got %d", MaxSendBytes, n))
	} else if n > 0 && (p.Method == http.MethodGet || p.Method == http.MethodHead) {
		faults = append(faults, Fault{Field: "Prepare", Sub: "Body", NotAllowed: true, Problem: "is not allowed with method " + p.Method})
	}
	if p.ExpectStatus < 200 || p.ExpectStatus > 599 {
		add("ExpectStatus", "", fmt.Sprintf("must be between 200 and 599, got %d", p.ExpectStatus))
	}
	for _, f := range headerFaults(p.Headers) {
		faults = append(faults, Fault{Field: "Prepare", Sub: "Headers", SubKey: f.Key, Problem: f.Problem, NotAllowed: f.NotAllowed})
	}
	if n := len(p.Captures); n > MaxCaptures {
		add("Captures", "", fmt.Sprintf("must be at most %d, got %d", MaxCaptures, n))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Captures)) {
		add("Captures", name, s.captureProblem(name, p.Captures[name]))
	}
	return faults
}

// prepareURLProblems names every fault of the URL of the request, which can be a path.
func prepareURLProblems(raw string) []string {
	if !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") {
		return problemsOfURL(raw, "http")
	}
	switch {
	case len(raw) > MaxURLBytes:
		return []string{fmt.Sprintf("must be at most %d bytes, got %d", MaxURLBytes, len(raw))}
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return []string{"must not contain blanks or control characters"}
	case strings.Contains(raw, "#"):
		return []string{"must not have a fragment; write %23 for a # in the path or query"}
	}
	return tailProblems(raw)
}

// captureName is the name of a placeholder.
var captureName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// captureProblem says what is wrong with a capture, or is empty.
func (s Spec) captureProblem(name string, c Capture) string {
	switch {
	case !captureName.MatchString(name):
		return "must be named by letters, digits and underscores, no digit first"
	case name == match.Nonce:
		return "must not be named nonce: {{nonce}} is the text that is fresh in every run"
	case slices.ContainsFunc(s.Exchange, func(step Step) bool { return slices.Contains(match.Groups(step.ExpectPattern), name) }):
		return "must have another name than a group of a pattern in exchange"
	}
	if c.given() != 1 {
		return "must have exactly one of json, pattern, header and cookie"
	}
	switch {
	case c.JSON != "":
		return prefixed("json", pathProblem(c.JSON))
	case c.Pattern != "":
		return prefixed("pattern", groupProblem(c.Pattern))
	case c.Header != "" && !httpguts.ValidHeaderFieldName(c.Header):
		return "header must be a token (RFC 7230 3.2.6)"
	case c.Cookie != "" && !httpguts.ValidHeaderFieldName(c.Cookie):
		return "cookie must be a token (RFC 6265 4.1.1)"
	}
	return ""
}

// given is how many places the capture names.
func (c Capture) given() (n int) {
	for _, text := range []string{c.JSON, c.Pattern, c.Header, c.Cookie} {
		if text != "" {
			n++
		}
	}
	return n
}

// prefixed is a problem of a field, if there is one.
func prefixed(field, problem string) string {
	if problem == "" {
		return ""
	}
	return field + " " + problem
}

// groupProblem says why a regular expression captures nothing, or is empty.
func groupProblem(expr string) string {
	if n := len(expr); n > MaxExpectBytes {
		return fmt.Sprintf("must be at most %d bytes, got %d", MaxExpectBytes, n)
	}
	re, err := regexp.Compile(expr)
	switch {
	case err != nil:
		return match.PatternProblem(expr)
	case re.NumSubexp() == 0:
		return "must have a group in parentheses around the text to capture"
	}
	return ""
}

// openingNameFaults checks the placeholders of an Opening against the captures.
func (o Opening) openingNameFaults() []Fault {
	if !o.captures() {
		return nil
	}
	known := slices.Sorted(maps.Keys(o.Prepare.Captures))
	var faults []Fault
	check := func(field, key, text string) {
		for _, name := range match.Placeholders(text) {
			if !slices.Contains(known, name) {
				faults = append(faults, Fault{Field: field, Key: key, Given: []string{"Prepare"},
					Problem: fmt.Sprintf("has {{%s}}, which prepare does not capture (known: %s)", name, strings.Join(known, ", "))})
			}
		}
	}
	tail := tailOf(o.URL)
	if match.HasPlaceholder(strings.TrimSuffix(o.URL, tail)) {
		faults = append(faults, Fault{Field: "URL", Problem: "must not have a placeholder in its host or port"})
	}
	check("URL", "", tail)
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		check("Headers", name, o.Headers[name])
	}
	for i, protocol := range o.Protocols {
		check("Protocols", fmt.Sprint(i), protocol)
	}
	return faults
}

// standIn returns the Opening with a letter in the place of each placeholder, to be checked.
func (o Opening) standIn() Opening {
	if !o.captures() {
		return o
	}
	o.URL = placeholdersAs(o.URL)
	o.Headers, o.Protocols = maps.Clone(o.Headers), slices.Clone(o.Protocols)
	for name, value := range o.Headers {
		o.Headers[name] = placeholdersAs(value)
	}
	for i, protocol := range o.Protocols {
		if stands := placeholdersAs(protocol); stands != protocol {
			o.Protocols[i] = fmt.Sprintf("%s%d", stands, i) // two of them can be different texts
		}
		if o.ExpectProtocol == protocol {
			o.ExpectProtocol = o.Protocols[i]
		}
	}
	return o
}

func placeholdersAs(text string) string {
	values := make(map[string]string)
	for _, name := range match.Placeholders(text) {
		values[name] = "x"
	}
	return (&match.Filler{Values: values}).Verbatim(text)
}
