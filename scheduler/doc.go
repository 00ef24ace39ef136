// Package scheduler runs jobs on their intervals, each on a phase of its own.
//
// # Phase
//
// Jobs that start together stay together: a thousand probes of one minute would hit the network in one
// instant of every minute and be idle for the rest of it. So each job gets a phase, an offset into its
// interval that is computed from its name. The job is due whenever the time since the Unix epoch, modulo the
// interval, equals the phase. No dice are thrown, so a restart finds every job on the phase it had before,
// and a curve on a dashboard keeps its rhythm through an upgrade.
//
// The phase is the first eight bytes of the SHA-256 of the name, read as a big-endian number, modulo the
// interval in nanoseconds. This rule is part of the contract and does not change between versions.
//
// Nobody wants to wait a day for the first word of a daily job. If the first tick of the phase is more than
// five seconds away, one extra run comes before it, spread over these five seconds by the same hash. As long as
// there are places, the first run of every job is thus within min(interval, 5 s) of the start.
//
// # First runs
//
// The start needs more places than any minute after it: five seconds hold a run of every job. So a first run that
// finds no place waits for one, in the order in which the runs were due. It waits until the next tick of its job at
// the longest, which is then kept or skipped like any other. An extra run that has waited in vain is replaced by
// this tick, and so is not counted. A first run on the phase was a tick, which is skipped then.
//
// Extra runs, and all that have waited, leave a quarter of the places to jobs that have begun, and at least one of
// two. A tick that finds no place all the same has the next free place kept for the tick that follows, for up to five
// seconds. So no backlog of first runs starves a job, however short its interval.
//
// An extra run that is still going at its job's first tick on the phase stands for it: this tick is neither kept nor
// skipped.
//
// # Clock
//
// The wall clock is read once, at the start, to find the phases. This reading is the anchor: every due instant
// is a fixed time after it on the monotonic clock. It does not depend on when the run before began or ended, so
// nothing drifts, and a step of the wall clock moves nothing. It also means that while a machine sleeps and its
// monotonic clock stands still (as on Linux), the schedule stands still with it.
//
// # Skipped ticks
//
// A job never overlaps itself, and apart from first runs nothing is queued for later: a result that is reported for
// an instant belongs to this instant. A tick that cannot be kept is skipped, counted by its cause (see [Skip]), and the
// next one is again on the phase. Ticks that are kept carry their lateness (see [Tick]), so that a slow agent
// is not mistaken for a slow endpoint.
//
// # Change
//
// [Scheduler.Replace] changes the jobs while they run. A job that stays is not touched: it keeps its phase, its next tick
// and its run in flight. A job that goes is told to end its run by the context of it. A job that comes gets its phase
// from the same anchor, and its first run within five seconds.
//
// # Cost
//
// One goroutine, the caller of [Scheduler.Run], sleeps until the earliest due instant in a heap. A job that waits costs
// 32 bytes and no timer, and 8 more while its first run waits for a place. Goroutines exist for the runs in flight, and
// up to 256 that have ended one stay for the next. A start costs O(log n) of n jobs, so that 100,000 of them can share
// one heap. A run that hangs holds up nothing but its own job.
package scheduler
