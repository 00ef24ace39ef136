package health_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
)

func parse(t *testing.T, text string) health.Condition {
	t.Helper()
	c, err := health.ParseCondition(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return c
}

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]health.Condition{
		"< 200":     {Operator: health.Below, Bound: 200},
		"<200":      {Operator: health.Below, Bound: 200},
		" >  0.5 ":  {Operator: health.Above, Bound: 0.5},
		"==\t1":     {Operator: health.Equal, Bound: 1},
		"== 0":      {Operator: health.Equal},
		"> 0":       {Operator: health.Above},
		"> 0001.50": {Operator: health.Above, Bound: 1.5},
		"":          {},
		"  ":        {},
	} {
		if got := parse(t, text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
		if got := parse(t, parse(t, text).String()); got != want {
			t.Errorf("%q printed and read again: %+v", text, got)
		}
	}
}

func TestParseConditionRefuses(t *testing.T) {
	const form = `must be <, > or == and a number, such as "< 200"`
	for text, want := range map[string]string{
		"200":         form,
		"<":           form,
		"200 <":       form,
		"< -1":        form,
		"< 1e3":       form,
		"> 1,000":     form,
		"> 1_000":     form,
		"> 0x10":      form,
		"> .5":        form,
		"> NaN":       form,
		"> Inf":       form,
		"< 200 < 3":   form,
		"!= 1":        form,
		"=> 1":        form + " (equal is ==)",
		"= 1":         form + " (equal is ==)",
		"<= 200":      form + " (comparison is strict)",
		">=200":       form + " (comparison is strict)",
		"< 200ms":     form + " (without a unit: latencies are in ms)",
		"< 200 ms":    form + " (without a unit: latencies are in ms)",
		"> 1s":        form + " (without a unit: latencies are in ms)",
		"< 0":         "must have a number above 0: no value is below it",
		"< 0.0":       "must have a number above 0: no value is below it",
		"> 1" + zeros: "must have a smaller number",
	} {
		if c, err := health.ParseCondition(text); err == nil || err.Error() != want {
			t.Errorf("%.20q: %+v, %v, want %q", text, c, err, want)
		}
	}
}

// zeros make a number that is too large for a float64.
var zeros = fmt.Sprintf("%0400d", 0)

// TestComparisonIsStrict: a value on a bound is on neither side of it.
func TestComparisonIsStrict(t *testing.T) {
	for _, c := range []struct {
		condition        string
		below, on, above bool
	}{
		{"< 200", true, false, false},
		{"> 200", false, false, true},
		{"== 200", false, true, false},
		{"", false, false, false},
	} {
		condition := parse(t, c.condition)
		for value, want := range map[float64]bool{199.999: c.below, 200: c.on, 200.001: c.above} {
			if got := condition.Holds(value); got != want {
				t.Errorf("%v holds of %v: %v", condition, value, got)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	const none = -1 // no value
	for _, c := range []struct {
		name, healthy, unhealthy string
		want                     map[float64]health.Status
	}{
		{"both", "< 200", "> 1000", map[float64]health.Status{
			0: health.Healthy, 199.9: health.Healthy, 200: health.Degraded, 1000: health.Degraded,
			1000.1: health.Unhealthy, none: health.NoData}},
		{"healthy_alone_knows_no_unhealthy", "< 200", "", map[float64]health.Status{
			199: health.Healthy, 200: health.Degraded, 30000: health.Degraded, none: health.NoData}},
		{"unhealthy_alone_knows_no_degraded", "", "> 1000", map[float64]health.Status{
			0: health.Healthy, 1000: health.Healthy, 1001: health.Unhealthy, none: health.NoData}},
		{"success", "== 1", "== 0", map[float64]health.Status{1: health.Healthy, 0: health.Unhealthy}},
		{"success_turned_round", "== 0", "== 1", map[float64]health.Status{0: health.Healthy, 1: health.Unhealthy}},
		{"unhealthy_wins", "< 1000", "> 200", map[float64]health.Status{100: health.Healthy, 500: health.Unhealthy}},
		{"nothing_to_judge_by", "", "", map[float64]health.Status{0: health.Unknown, 500: health.Unknown,
			none: health.Unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			thresholds := health.Thresholds{Healthy: parse(t, c.healthy), Unhealthy: parse(t, c.unhealthy)}
			for value, want := range c.want {
				if got := thresholds.Judge(value, value != none); got != want {
					t.Errorf("%v is %v, want %v", value, got, want)
				}
			}
		})
	}
}

func TestContradiction(t *testing.T) {
	success := []float64{0, 1}
	for _, c := range []struct {
		healthy, unhealthy string
		among              []float64
		want               bool
	}{
		{"< 200", "> 1000", nil, false},
		{"< 200", "> 200", nil, false}, // 200 is neither
		{"< 200", "== 200", nil, false},
		{"> 200", "< 200", nil, false},
		{"== 1", "== 0", nil, false},
		{"< 200", "", nil, false},
		{"", "> 1000", nil, false},
		{"< 1000", "> 200", nil, true},
		{"> 200", "< 1000", nil, true},
		{"< 200", "< 100", nil, true},
		{"> 200", "> 100", nil, true},
		{"== 100", "< 200", nil, true},
		{"> 50", "== 100", nil, true},
		{"== 100", "== 100", nil, true},
		{"> 0", "< 1", nil, true},
		{"> 0", "< 1", success, false}, // there is nothing between them
		{"== 1", "> 0", success, true},
	} {
		thresholds := health.Thresholds{Healthy: parse(t, c.healthy), Unhealthy: parse(t, c.unhealthy)}
		value, got := thresholds.Contradiction(c.among...)
		if got != c.want {
			t.Errorf("healthy %q, unhealthy %q: contradiction %v, want %v", c.healthy, c.unhealthy, got, c.want)
		}
		if got && !(thresholds.Healthy.Holds(value) && thresholds.Unhealthy.Holds(value)) {
			t.Errorf("healthy %q, unhealthy %q: %v is not both", c.healthy, c.unhealthy, value)
		}
	}
}

// TestNumbers holds the numbers of wsprobe.status, on which alerts are built.
func TestNumbers(t *testing.T) {
	var names []string
	for i, s := range health.Statuses() {
		if s.Number() != i {
			t.Errorf("%v is %d, want %d", s, s.Number(), i)
		}
		names = append(names, s.String())
	}
	if want := []string{"healthy", "degraded", "unhealthy", "no_data"}; !slices.Equal(names, want) {
		t.Errorf("statuses %v, want %v", names, want)
	}
}

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
