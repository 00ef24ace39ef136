// Package journal tells people what is new about probes: that one fails, that it fails in another way, that it still
// fails, that it works again, that its status is another.
//
// A probe that has failed for a day is not a line for each run. A [Watch] follows the runs of one probe; what it has
// told once it counts, and sums up every [SumUpEvery] for as long as it lasts. The first run of each new kind of failure
// is told at once: kinds differ in reason, error type, close code or HTTP status, not in wording.
package journal
