//go:build unix

package probe_test

import (
	"syscall"
	"time"
)

// cpuTime is the user and system time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of itself, which is always allowed
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
