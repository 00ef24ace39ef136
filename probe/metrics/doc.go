// Package metrics turns the results of probes into points, whoever exports or shows them.
//
// An [Observation] is the result of one run, with the identity and the health of its probe. Every sink of results is
// told the same one.
//
// # Numbers
//
// [Table] describes every metric of a probe. A [Series] counts the runs of one probe: [Series.Record] returns the
// [Run], whose points are of that run alone, and [Series.Totals] returns the totals, whose points count from the start
// of the series. Both emit a [Point] for each value that was measured, and none for a value that was not. A reader
// decides about the rest: when it reads, which attributes every point has in common, over which time a total counts,
// when the series of a point ends. It marks such an end by [Point].NoValue. A [Sets] makes the attributes. Histograms
// have explicit buckets, exponential ones or both, as [Keep].Forms says.
//
// # Facts
//
// [Fields] describes every fact of an Observation: a row has the key of JSON and log lines, the attribute key of log
// records and spans, and the function that reads the value. Lines of the log, log records, spans, the status API and
// `wsprobe once --json` take their facts from there, so that a new fact is one row. An unknown fact has no value, and
// never a zero in its place.
package metrics
