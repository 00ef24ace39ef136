package health

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Operator is how a value is compared with a bound.
type Operator string

// The operators. A value on the bound is neither below nor above it.
const (
	Below Operator = "<"
	Above Operator = ">"
	Equal Operator = "=="
)

// Condition is a comparison of a value with a bound. The zero Condition is none at all, and never holds.
type Condition struct {
	Operator Operator
	Bound    float64 // not negative
}

var (
	condition = regexp.MustCompile(`^(<|>|==)[ \t]*([0-9]+(?:\.[0-9]+)?)$`)
	// unit finds the bounds of people who say what they mean.
	unit = regexp.MustCompile(`[0-9][ \t]*(ms|s|%)$`)
)

// ParseCondition reads a condition such as "< 200": an operator and a decimal number. An empty text is the zero
// Condition. The error is a phrase that follows the name of what is wrong, "must be ...".
func ParseCondition(text string) (Condition, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Condition{}, nil
	}
	parts := condition.FindStringSubmatch(text)
	if parts == nil {
		return Condition{}, errors.New(`must be <, > or == and a number, such as "< 200"` + advice(text))
	}
	bound, err := strconv.ParseFloat(parts[2], 64)
	if err != nil {
		return Condition{}, errors.New("must have a smaller number")
	}
	c := Condition{Operator(parts[1]), bound}
	if c == (Condition{Operator: Below}) {
		return Condition{}, errors.New("must have a number above 0: no value is below it")
	}
	return c, nil
}

// advice says what usually leads to a condition that is none.
func advice(text string) string {
	switch {
	case strings.HasPrefix(text, "<=") || strings.HasPrefix(text, ">="):
		return " (comparison is strict)"
	case strings.HasPrefix(text, "=") && !strings.HasPrefix(text, "=="):
		return " (equal is ==)"
	case unit.MatchString(text):
		return " (without a unit: latencies are in ms)"
	default:
		return ""
	}
}

// Given reports whether there is a condition.
func (c Condition) Given() bool { return c.Operator != "" }

// Holds reports whether a value meets the condition.
func (c Condition) Holds(value float64) bool {
	switch c.Operator {
	case Below:
		return value < c.Bound
	case Above:
		return value > c.Bound
	case Equal:
		return value == c.Bound
	default:
		return false
	}
}

// String writes the condition as [ParseCondition] reads it.
func (c Condition) String() string {
	if !c.Given() {
		return ""
	}
	return fmt.Sprintf("%s %s", c.Operator, strconv.FormatFloat(c.Bound, 'f', -1, 64))
}
