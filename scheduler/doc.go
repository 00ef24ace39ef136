// Package scheduler runs jobs on their intervals, each on a phase of its own.
//
// # Phase
//
// Jobs that start together stay together. A thousand probes of one minute would hit the network in one instant and be
// idle for the rest of the minute. So each job gets a phase, an offset into its interval that is computed from its
// name. The job is due whenever the time since the Unix epoch, modulo the interval, equals the phase. Nothing is
// random, so each job has the same phase after a restart, and a curve on a dashboard keeps its rhythm.
//
// The phase is the first eight bytes of the SHA-256 of the name, read as a big-endian number, modulo the interval in
// nanoseconds. This rule is part of the contract and does not change between versions.
//
// Nobody wants to wait a day for the first result of a daily job. So the first runs of jobs that come at once are
// spread over five seconds, or over more if they are many: 2,000 begin in a second. If the first tick of a job's phase
// comes after the spread, an extra run comes within it, at an offset that is computed from the same hash. As long as
// there are places, the first run of each of n jobs starts within min(interval, max(5 s, n / 2,000 per second)).
//
// Two thousand a second leave two cores time for the endpoint and the export. Without the bound, 100,000 jobs of a
// minute would be due at 20,000 a second, of which two cores begin 8,000: the others would wait, and some ticks be
// skipped.
//
// # First runs
//
// The start needs more places than any minute after it, because the spread holds a run of every job. So a first run
// that finds no place waits for one, in the order in which the runs were due. It waits until the next tick of its job
// at the longest, which is then kept or skipped like any other. This tick replaces an extra run that has waited in
// vain, which is not counted. A first run that was itself a tick is then skipped.
//
// Extra runs, and all that have waited, leave a quarter of the places, and at least one of two, to jobs that have
// begun. If a tick finds no place all the same, the next free place is kept for the tick that follows, for up to five
// seconds. So no backlog of first runs starves a job, however short its interval.
//
// An extra run that still goes on at its job's first tick stands for it: this tick is neither kept nor skipped.
//
// # Clock
//
// The wall clock is read once, at the start, to find the phases. This reading is the anchor: every due instant is a
// fixed time after it on the monotonic clock. A due instant does not depend on earlier runs, so nothing drifts. A step
// of the wall clock moves nothing. While a machine sleeps and its monotonic clock stands still (as on Linux), the
// schedule stands still, too.
//
// # Skipped ticks
//
// A job never overlaps itself. Apart from first runs nothing is queued for later: a result that is reported for an
// instant belongs to this instant. A tick that cannot be kept is skipped and counted by its cause (see [Skip]). The
// next tick is again on the phase. Ticks that are kept carry their lateness (see [Tick]), so that a slow agent does not
// look like a slow endpoint.
//
// # Change
//
// [Scheduler.Replace] changes the jobs while they run. A job that stays is not touched: it keeps its phase, its next
// tick and its run in flight. The context of a job that goes is cancelled, which ends its run. A job that comes gets
// its phase from the same anchor, and its first run as at a start: n is how many come, and how many of those before
// have their first run still ahead.
//
// # Cost
//
// One goroutine, the caller of [Scheduler.Run], sleeps until the earliest due instant in a heap. A job that waits costs
// 32 bytes and no timer, and 8 more while its first run waits for a place. Each run in flight has a goroutine. Up to
// 256 idle goroutines stay for the next runs. A start costs O(log n) of n jobs, so that 100,000 of them can share one
// heap. A run that hangs holds up nothing but its own job.
package scheduler
