package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/probe/health"
)

// problemOf returns an error as the problem that it says, or nothing.
func problemOf(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// choiceProblem says that a text is none of the allowed words, and which was meant.
func choiceProblem(f *Field, text string) string {
	if slices.Contains(f.Allowed, text) {
		return ""
	}
	return fmt.Sprintf("must be one of %s, got %s%s", strings.Join(f.Allowed, ", "), excerpt.Quote(text), didYouMean(suggestChoice(text, f.Allowed)))
}

func parseCondition(_ *Field, text string) (health.Condition, string) {
	condition, err := health.ParseCondition(text)
	if err != nil {
		return condition, err.Error() + ", got " + excerpt.Quote(text)
	}
	return condition, ""
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

func parseBool(text string) (bool, string) {
	switch text {
	case "true", "True", "TRUE": // YAML 1.2, 10.3.2
		return true, ""
	case "false", "False", "FALSE":
		return false, ""
	default:
		return false, "must be true or false, got " + excerpt.Quote(text)
	}
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
