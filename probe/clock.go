package probe

import "time"

// Clock is whose time the end of a latency is.
type Clock string

const (
	// ClockKernel is the time at which the kernel received the bytes.
	ClockKernel Clock = "kernel"
	// ClockUser is the time at which this process had read them, its own delay included.
	ClockUser Clock = "user"
)

// maxDrift is how far the wall clock and the monotonic clock may have come apart since the connection was made, beside
// the 500 parts in a million by which the kernel may slew: more is a step of the wall clock.
const maxDrift = 50 * time.Microsecond

// since is how much time two clocks say has gone by.
type since struct{ monotonic, wall time.Duration }

func sinceThen(then, now time.Time) since {
	return since{monotonic: now.Sub(then), wall: now.Round(0).Sub(then.Round(0))}
}

// received tells when bytes came that have just been read. The kernel's stamp is a time of the wall clock, which
// can be set while the run is under way; it is brought to the monotonic clock by how long ago it is, and only if
// the two clocks have gone alike since the connection was made and the answer is one that can be.
func received(stamp, now time.Time, open since) (time.Time, Clock) {
	drift := open.wall - open.monotonic
	ago := now.Round(0).Sub(stamp)
	if stamp.IsZero() || drift.Abs() > maxDrift+open.monotonic/2000 || ago < 0 || ago > open.monotonic {
		return now, ClockUser
	}
	return now.Add(-ago), ClockKernel
}

// startOf returns the start of a run on the wall clock of its end, so that their difference is the length of the run even
// if the wall clock was stepped meanwhile. Else a run could seem to end before it starts, or to take a day.
func startOf(started, ended time.Time) time.Time {
	return ended.Add(-ended.Sub(started)) // by the monotonic clock, whose reading stays
}
