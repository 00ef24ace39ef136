package scheduler

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"
)

const (
	// firstWithin is the longest wait for the first run of a job, if few come at once.
	firstWithin = 5 * time.Second
	// firstsPerSecond is how many jobs begin in a second, if many come at once.
	firstsPerSecond = 2000
)

// never is an instant that does not come, 292 years after the anchor.
const never time.Duration = math.MaxInt64

// hash is the number from which the phase of a job is computed.
//
// Names of jobs differ in their last characters: chat-1, chat-2. A hash for tables such as FNV-1a multiplies only once
// after the last one, by a small number. So chat-0 to chat-9 would end up in the same seventh of a day. SHA-256 spreads
// them over all of it. maphash is no choice, because it changes with every process.
func hash(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])
}

// ticks are the instants at which one job is due, as times since the anchor: origin, origin + interval,
// origin + 2*interval and so on, and perhaps one extra instant before origin.
type ticks struct {
	origin   time.Duration // the first instant on the phase: at least 0, and less than an interval after the job came
	interval time.Duration
}

// ticksFrom returns the ticks of a job as seen from the anchor, whose wall time is read here and nowhere else.
func ticksFrom(anchor time.Time, hash uint64, interval time.Duration) ticks {
	phase := time.Duration(hash % uint64(interval))
	at := time.Duration(anchor.UnixNano()) % interval
	if at < 0 { // a clock that shows a time before 1970
		at += interval
	}
	origin := phase - at
	if origin < 0 {
		origin += interval
	}
	return ticks{origin: origin, interval: interval}
}

// from returns the ticks of a job that comes at now: those of its phase that are not over yet.
func (t ticks) from(now time.Duration) ticks {
	if behind := now - t.origin; behind > 0 {
		t.origin += (behind + t.interval - 1) / t.interval * t.interval
	}
	return t
}

// spreadOf returns the time over which the first runs of so many jobs that come at once are spread.
func spreadOf(jobs int) time.Duration {
	return max(firstWithin, time.Duration(jobs)*(time.Second/firstsPerSecond))
}

// first returns the instant of the first run of a job that comes at now: on the phase if that is within the spread,
// else an extra one before it. An interval that is no longer than the spread always is.
func (t ticks) first(now time.Duration, hash uint64, spread time.Duration) time.Duration {
	if t.origin-now <= spread {
		return t.origin
	}
	return now + time.Duration(hash%uint64(spread))
}

// after returns the tick that follows the one at due.
func (t ticks) after(due time.Duration) time.Duration {
	switch {
	case due < t.origin: // due is the extra first run
		return t.origin
	case due > never-t.interval:
		return never
	}
	return due + t.interval
}

// latest returns the last of the ticks from due up to now, the one that follows it, and how many came before
// it, in constant time however many these are.
func (t ticks) latest(due, now time.Duration) (latest, next time.Duration, missed int) {
	latest, next = due, t.after(due)
	if next > now {
		return latest, next, 0
	}
	more := (now - next) / t.interval
	latest = next + more*t.interval
	return latest, t.after(latest), 1 + int(more)
}
