package tcp

import "time"

// TimestampSource says which clock read the end of a latency.
type TimestampSource string

const (
	// KernelTime is the time at which the kernel received the bytes.
	KernelTime TimestampSource = "kernel"
	// UserTime is the time at which this process had read them, its own delay included.
	UserTime TimestampSource = "user"
)

// maxDrift is how far the wall clock and the monotonic clock may have come apart since the connection was made, beside
// the 500 parts in a million by which the kernel may slew: more is a step of the wall clock.
const maxDrift = 50 * time.Microsecond

// clockGap is how much time has gone by on each of two clocks.
type clockGap struct{ monotonic, wall time.Duration }

func clocksSince(then, now time.Time) clockGap {
	return clockGap{monotonic: now.Sub(then), wall: now.Round(0).Sub(then.Round(0))}
}

// received tells when bytes came that have just been read. The kernel's stamp is a time of the wall clock, which
// can be set while the run is under way; it is brought to the monotonic clock by how long ago it is, and only if
// the two clocks have gone alike since the connection was made and the answer is one that can be.
func arrivalTime(stamp, now time.Time, open clockGap) (time.Time, TimestampSource) {
	drift := open.wall - open.monotonic
	ago := now.Round(0).Sub(stamp)
	if stamp.IsZero() || drift.Abs() > maxDrift+open.monotonic/2000 || ago < 0 || ago > open.monotonic {
		return now, UserTime
	}
	return now.Add(-ago), KernelTime
}
