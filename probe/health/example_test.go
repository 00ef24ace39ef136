package health_test

import (
	"fmt"
	"log"
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
)

// rules are those of a probe whose latency in milliseconds should stay below 200 and must not exceed 500. A change for
// the worse counts once it has lasted two minutes, one for the better at once.
func rules() health.Rules {
	healthy, err := health.ParseCondition("< 200")
	if err != nil {
		log.Fatal(err)
	}
	unhealthy, err := health.ParseCondition("> 500")
	if err != nil {
		log.Fatal(err)
	}
	return health.Rules{
		Thresholds: health.Thresholds{Healthy: healthy, Unhealthy: unhealthy},
		Dwell:      health.Dwell{Breach: 2 * time.Minute},
	}
}

// A probe runs every minute. One slow run changes nothing, and neither does a failure right after it. Two slow minutes
// do.
func Example() {
	rules := rules()
	tracker := health.NewTracker(rules.Dwell)

	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, run := range []struct {
		milliseconds float64
		measured     bool
	}{
		{120, true}, {900, true}, {150, true}, // one slow run
		{0, false}, {110, true}, // one that failed
		{700, true}, {650, true}, {800, true}, // a slow endpoint
		{130, true},
	} {
		status := rules.Thresholds.Judge(run.milliseconds, run.measured)
		if change, changed := tracker.Observe(at, status); changed {
			since := change.Since.Format("15:04")
			fmt.Printf("%s %s, was %s: since %s\n", at.Format("15:04"), change.To, change.From, since)
		}
		at = at.Add(time.Minute)
	}
	// Output:
	// 12:00 healthy, was unknown: since 12:00
	// 12:07 unhealthy, was healthy: since 12:05
	// 12:08 healthy, was unhealthy: since 12:08
}

// A value that is neither healthy nor unhealthy is degraded. A run without a value has no data, whatever the
// thresholds.
func ExampleThresholds_Judge() {
	thresholds := rules().Thresholds
	for _, milliseconds := range []float64{120, 200, 500, 501} {
		status := thresholds.Judge(milliseconds, true)
		fmt.Printf("%g ms is %s (%s)\n", milliseconds, status, thresholds.Decisive(status))
	}
	fmt.Println("a failed run is", thresholds.Judge(0, false))
	// Output:
	// 120 ms is healthy (< 200)
	// 200 ms is degraded ()
	// 500 ms is degraded ()
	// 501 ms is unhealthy (> 500)
	// a failed run is no_data
}

// The error of a condition follows the name of the field that has it.
func ExampleParseCondition() {
	condition, err := health.ParseCondition("<200")
	fmt.Println(condition, err, condition.Holds(199), condition.Holds(200))

	_, err = health.ParseCondition("around 200")
	fmt.Println("healthy", err)
	// Output:
	// < 200 <nil> true false
	// healthy must be <, > or == and a number, such as "< 200"
}
