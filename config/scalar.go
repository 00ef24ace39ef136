package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// store understands a text as the field wants it and puts the value into the place that the pointer
// leads to. It returns what is wrong with the text, or nothing; the place is then untouched. The text may
// come from a file, a variable or the table of fields.
func store(f *Field, check func(string) string, into any, text string) (problem string) {
	if f.Kind == Choice && !slices.Contains(f.Allowed, text) {
		return fmt.Sprintf("must be one of %s, got %s%s", strings.Join(f.Allowed, ", "), excerpt.Quote(text), didYouMean(suggestChoice(text, f.Allowed)))
	}
	switch into := into.(type) {
	case *string:
		return put(into, text, textProblem(f, check, text))
	case **string:
		return put(into, &text, textProblem(f, check, text))
	case *probe.Interpretation:
		*into = probe.Interpretation(text)
	case *probe.PingMode:
		*into = probe.PingMode(text)
	case *probe.MessageFormat:
		*into = probe.MessageFormat(text)
	case *probe.IPVersion:
		*into = probe.IPVersion(text)
	case *probe.Compression:
		*into = probe.Compression(text)
	case *slog.Level:
		return unless(into.UnmarshalText([]byte(text)))
	case *bool:
		return storeBool(into, text)
	case *float64:
		n, problem := parseRatio(text)
		if problem != "" {
			return problem
		}
		*into = n
	case *int:
		n, problem := parseInteger(f, text)
		return put(into, int(n), problem)
	case *int64:
		parse := parseInteger
		if f.Kind == Size {
			parse = parseSize
		}
		n, problem := parse(f, text)
		return put(into, n, problem)
	case *time.Duration:
		d, problem := parseTime(f, text)
		return put(into, d, problem)
	case **url.URL:
		proxy, problem := parseProxy(text)
		return put(into, proxy, problem)
	case *health.Condition:
		return storeCondition(into, text)
	case *Endpoint:
		endpoint, problem := parseEndpoint(text)
		return put(into, endpoint, problem)
	default:
		panic(fmt.Sprintf("%s: no way to store a %T", f.Path, into))
	}
	return ""
}

// put stores a value that has no problem.
func put[T any](into *T, value T, problem string) string {
	if problem == "" {
		*into = value
	}
	return problem
}

func unless(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

func storeCondition(into *health.Condition, text string) string {
	condition, err := health.ParseCondition(text)
	if err != nil {
		return err.Error() + ", got " + excerpt.Quote(text)
	}
	*into = condition
	return ""
}

func textProblem(f *Field, check func(string) string, text string) string {
	n := int64(utf8.RuneCountInString(text))
	switch {
	case !utf8.ValidString(text):
		return "must be UTF-8" // only a variable can be anything else
	case n < f.Min && n == 0:
		return "must not be empty"
	case f.Max > 0 && n > f.Max:
		return fmt.Sprintf("must be at most %d characters, got %d", f.Max, n)
	case check != nil:
		return check(text)
	}
	return ""
}

func storeBool(into *bool, text string) string {
	switch text {
	case "true", "True", "TRUE": // YAML 1.2, 10.3.2
		*into = true
	case "false", "False", "FALSE":
		*into = false
	default:
		return "must be true or false, got " + excerpt.Quote(text)
	}
	return ""
}

// decimal is the only form of an integer. YAML also knows 0x1F, 0o17, 017 and 1_000, of which some mean
// different numbers to different readers.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func parseInteger(f *Field, text string) (int64, string) {
	if !decimal.MatchString(text) {
		return 0, "must be a whole number in decimal digits, got " + excerpt.Quote(text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < f.Min || n > f.Max {
		return 0, fmt.Sprintf("must be between %d and %d, got %s", f.Min, f.Max, excerpt.Of(text))
	}
	return n, ""
}

// duration is what Go takes for one, were it not too long.
var duration = regexp.MustCompile(`^[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`)

func parseTime(f *Field, text string) (time.Duration, string) {
	if f.Kind == Milliseconds {
		n, problem := parseInteger(f, text)
		return time.Duration(n) * time.Millisecond, problem
	}
	d, err := time.ParseDuration(text)
	huge := err != nil && duration.MatchString(text) // beyond what Go can count
	if err != nil && !huge || text == "0" {
		return 0, "must be a duration with a unit, such as 30s or 1m30s, got " + excerpt.Quote(text)
	}
	if huge || d < time.Duration(f.Min) || d > time.Duration(f.Max) {
		return 0, fmt.Sprintf("must be between %s and %s, got %s",
			shortDuration(time.Duration(f.Min)), shortDuration(time.Duration(f.Max)), excerpt.Of(text))
	}
	return d, ""
}
