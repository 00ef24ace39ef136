//go:build unix

package telemetry

import (
	"syscall"
	"time"
)

// cpuTime is what the threads of this process have used, 0 if it is not known.
func cpuTime() (user, system time.Duration) {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0, 0
	}
	return time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano())
}
