package probe

import "github.com/wsprobe/wsprobe/probe/internal/tcp"

// TimestampSource says which clock read the end of a latency.
type TimestampSource = tcp.TimestampSource

const (
	// KernelTime is the time at which the kernel received the bytes.
	KernelTime = tcp.KernelTime
	// UserTime is the time at which this process had read them, its own delay included.
	UserTime = tcp.UserTime
)

// KeepKernelClock makes the kernel timestamp all that it receives, until release is called. Call it once in a process
// that probes often. Without it, each run switches the timestamps on and off for the whole machine, which costs more
// than the run. An error means that runs cost more; their results are the same. Only Linux has these timestamps; other
// systems return no error.
func KeepKernelClock() (release func(), err error) { return tcp.KeepKernelClock() }
