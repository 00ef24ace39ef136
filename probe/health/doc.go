// Package health judges the headline values of a probe: healthy, degraded, unhealthy, or no data.
//
// [Thresholds] judge one value. A [Tracker] judges a series of runs: it holds a change of status back until it has
// lasted as long as its [Dwell] says, so that one slow run wakes nobody up.
//
// Values come without a unit: latencies are in milliseconds, as they are wherever they leave wsprobe. The package
// knows no clock: whoever judges a run says when it ended.
package health
