// Package telemetry turns results into OpenTelemetry metrics that lose nothing, repeat nothing and invent
// nothing.
//
// # A run is a point
//
// A synchronous gauge of the OpenTelemetry SDK keeps one value and exports it on every interval with a fresh
// timestamp: it hides what happened between two exports and repeats what has long ceased to be true. Here
// each run is a data point of its own. Its start time is the run's start, its time is the run's end, and it
// is handed over exactly once. A latency that was not measured has no point. Beside the points stand
// cumulative sums and histograms, for whoever wants rates and percentiles without reading every point.
// [Metrics] is the table of all of them.
//
// # The way of a point
//
//	Series.Record → pending runs → collection → queue → delivery → receiver
//
// [Series.Record] notes a run in about a hundred nanoseconds and never waits for an export. Every Interval a
// collection takes the pending runs and the totals and cuts them into batches, each of which is one export request
// well below the 4 MiB that a gRPC server accepts. It makes the next one when the last but one is gone, so that what
// is in memory at once does not grow with the number of probes. Runs that are as many as a request holds are collected
// ahead of the Interval. Collections go on whatever the receiver does.
//
// In the ordinary course a batch is gone in a moment. One that is refused, or is not answered within a second, or
// comes while exports fail, is settled: encoded, compressed, and put into the SpoolDir, where it outlives the
// process, or, without one, or while its disk does not work, kept in memory. QueueBytes and QueueAge bound what
// waits. The form is that of OTLP, with the resource as it was: it does not matter which process sends it, or over which
// protocol.
//
// The delivery sends oldest first. What the receiver refuses for now (it is away, overloaded, silent) is
// tried again, with its own timestamps, after a pause that grows; what it refuses for good is counted, logged
// and dropped, so that it is not in the way for ever. Every bound drops the oldest first and counts what it
// drops under its cause.
//
// # Beside the export
//
// [Telemetry.Scrapes] shows the last run of each probe and the totals to Prometheus. It reads the series, not what
// waits to be exported: whoever asks takes nothing away. With Options.Logs a failed run, and a change of state, is
// also a log record, see [Events], and with Options.Traces a run is also a trace, see the package tracing. These wait in
// memory, see relay, a trace as the result that it is made of.
//
// # The stop
//
// [Telemetry.Run] blocks. When its context ends it collects a last time and delivers what it can within
// StopBudget. An export that is in flight at that moment goes on: cancelling it would lose points that the
// receiver may have half read. What is left goes to the spool, if there is one.
package telemetry
