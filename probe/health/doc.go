// Package health judges the headline values of a probe: healthy, degraded, unhealthy, or no data.
//
// [Thresholds] judge one value. A [Tracker] judges a series of runs. It holds a change of status back for the time of
// its [Dwell], so that one slow run wakes nobody up.
//
// Values have no unit here. Latencies are in milliseconds, as they are wherever they leave wsprobe. The package reads
// no clock: its caller says when a run ended.
package health
