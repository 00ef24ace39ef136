// Package telemetry exports results as OpenTelemetry metrics that lose nothing, repeat nothing, invent nothing.
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
//	Series.Observe → pending runs → collection → outbox → receiver
//
// [Series.Observe] keeps the numbers of a run in some hundred nanoseconds and never waits for an export. Every Interval
// a collection takes the pending runs and the totals and cuts them into batches. Each batch is one export request well
// below the 4 MiB that a gRPC server accepts. It makes the next one when the last but one is gone, so that the memory
// of a collection does not grow with the number of probes. A collection starts ahead of the Interval when as many runs
// are pending as a request holds. Collections go on whatever the receiver does.
//
// The totals of a probe that changed are in the next collection after its change. Those that did not are there about a
// minute after they were exported last, at most 80 s, because that is most of an export of many probes that wait. All
// are in the first collection, and in the first after a move to another receiver or after an outage. A probe that goes
// tells its totals a last time. A batch that is dropped takes its totals along: they come again within
// the minute, or with the next change. The agent tells its own metrics at each collection.
//
// The package outbox delivers the batches, and keeps them in memory or in the SpoolDir meanwhile. QueueBytes and
// QueueAge bound what waits. The form is that of OTLP, with the resource as it was: any process can send it, over any
// protocol.
//
// # The order of requests
//
// Requests of one agent never overlap in time and never go back: none begins before the newest millisecond of the one
// before. That holds within a collection, from one collection to the next, after an outage, and after a restart with a
// spool. Prometheus 3 insists on it: its OTLP receiver writes target_info at the earliest and the latest time of each
// request, and refuses the whole request if either is out of order. A back end that takes any order loses nothing by
// it.
//
//   - A collection takes runs in the order of their ends, up to a horizon. The horizon is now, or the end of the first run whose
//     close handshake still goes on (see [Series.Fix]): that run travels in a later request, so nothing may overtake it.
//   - Totals are stamped at the horizon, behind all runs of their collection. All requests of a collection share that time.
//   - Points of one series are at least 1 ms apart: Prometheus keeps one sample of a series in each millisecond. A run that
//     ends within a millisecond of the one before is moved by as much.
//   - The delivery sends in the order of the collections. What the receiver refuses for now (it is away, overloaded, silent) is
//     tried again, with its own timestamps, after a pause that grows; everything else waits behind it. What it refuses for good
//     is counted, logged and dropped, so that it is not in the way for ever. What it refuses 20 times for a reason that can
//     be its own, such as its size, is split in two, whose halves have 20 tries again before they are given up.
//   - Options.Interleave gives the order up, for back ends that take any order and operators who want the present first.
//
// There are two exceptions. A request whose answer was lost is repeated; a receiver that has it already may refuse it,
// which is counted as [outbox.DropRepeated], and is no failure. And a backlog of over an hour needs an
// out_of_order_time_window in Prometheus, which takes nothing older than that. A batch of the spool that cannot be read
// for now is passed over, so that a broken disk does not hold up the present.
//
// A clock that is set back by more than a second breaks the order, because times stay true. It is logged, and
// [Telemetry.Notes] tells it, until the clock has caught up with the last time that was exported.
//
// Every bound drops the oldest first and counts what it drops under its cause.
//
// # The end of a series
//
// With Options.EndMarkers a run that measured no latency ends the series of it by a point with the flag for "no
// recorded value", and so does the stop for all. Prometheus and VictoriaMetrics make a staleness marker of it: nobody
// looks at a latency of five minutes ago. [Telemetry.End] ends all series of a probe that is gone, its totals included,
// so that nothing shows its last values. A marker stands behind all values of its metric, because the Prometheus
// exporter of Collectors before 0.165 drops what stands behind a marker, and only if the request has no later value of
// its series.
//
// # Beside the export
//
// [Telemetry.MetricsHandler] shows the last run of each probe and the totals to Prometheus. It reads the series, not
// what waits to be exported: whoever asks takes nothing away. With Options.Logs a failed run, and a change of state, is
// also a log record, see [Events], and with Options.Traces a run is also a trace, see the package tracing. Both are
// gathered for a second, and have an outbox each. Their batches wait in folders of the SpoolDir. A trace is encoded
// from its result only when it is sent or persisted.
//
// # The stop
//
// [Telemetry.Run] blocks. When its context ends it collects a last time and delivers what it can within
// StopBudget. An export that is in flight at that moment goes on: cancelling it would lose points that the
// receiver may have half read. What is left goes to the spool, if there is one.
package telemetry
