// Package journal tells people news of probes: a failure, another kind of failure, a failure that goes on, a recovery,
// a change of status.
//
// A probe that fails for a day does not write a line for each run. A [Watch] follows the runs of one probe. It tells
// the first run of each kind of failure at once, counts the runs that follow, and sums them up every [SumUpEvery].
// Kinds differ in reason, error type, close code or HTTP status, not in wording.
//
// A held session that nobody ended on purpose is told at once, with who ended it, after which idle time and lifetime.
// The explanation follows as a line of its own, after the next open. Ends and opens that fail are setbacks: the first of
// each kind is told, and later ones are summed up, until a session has been open for [SumUpEvery].
package journal
