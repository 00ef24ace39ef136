package config

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
)

// conditionPattern is what a condition looks like. There may be blanks around it.
const conditionPattern = `^\s*((<|>|==)\s*[0-9]+(\.[0-9]+)?\s*)?$`

// thresholdsSection is the mapping thresholds of a probe.
var thresholdsSection = newSection("thresholds", "probes[].thresholds.", false, []field[health.Thresholds]{
	{Field: Field{Path: "healthy", Kind: Condition, Pattern: conditionPattern,
		Doc: `condition for healthy headline values: <, > or == and a number, "< 200" for instance; "" for no such condition`},
		value: conditionAt(func(t *health.Thresholds) *health.Condition { return &t.Healthy })},
	{Field: Field{Path: "unhealthy", Kind: Condition, Pattern: conditionPattern,
		Doc: "the same for unhealthy values; any other value is degraded, or healthy if there is no condition for " +
			"healthy"},
		value: conditionAt(func(t *health.Thresholds) *health.Condition { return &t.Unhealthy })},
})

// dwellSection is the mapping dwell of a probe.
var dwellSection = newSection("dwell", "probes[].dwell.", false, []field[health.Dwell]{
	{Field: Field{Path: "breach", Kind: Duration, Default: "0s", Max: int64(24 * time.Hour),
		Doc: "time that the values must have been worse before the status gets worse"},
		value: durationAt(func(d *health.Dwell) *time.Duration { return &d.Breach })},
	{Field: Field{Path: "recover", Kind: Duration, Default: "0s", Max: int64(24 * time.Hour),
		Doc: "time that the values must have been better before the status gets better"},
		value: durationAt(func(d *health.Dwell) *time.Duration { return &d.Recover })},
})
