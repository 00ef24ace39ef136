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

// maxDrift is how far the wall clock and the monotonic clock may have come apart since the connection was made. The
// kernel may slew by 500 parts in a million besides. A larger distance is a step of the wall clock.
const maxDrift = 50 * time.Microsecond

// clockGap is the time that has passed on each of two clocks.
type clockGap struct{ monotonic, wall time.Duration }

// stepped reports whether the wall clock was set.
func (g clockGap) stepped() bool { return (g.wall - g.monotonic).Abs() > maxDrift+g.monotonic/2000 }

func clocksSince(then, now time.Time) clockGap {
	return clockGap{monotonic: now.Sub(then), wall: now.Round(0).Sub(then.Round(0))}
}

// arrivalTime returns when bytes came that have just been read, and by which clock. The kernel's stamp is a time of the
// wall clock, which can be set during a run. So it counts only if both clocks have run alike since the connection was
// made, and if it lies between then and now. How long ago it is then gives the time on the monotonic clock.
func arrivalTime(stamp, now time.Time, open clockGap) (time.Time, TimestampSource) {
	ago := now.Round(0).Sub(stamp)
	if stamp.IsZero() || open.stepped() || ago < 0 || ago > open.monotonic {
		return now, UserTime
	}
	return now.Add(-ago), KernelTime
}
