//go:build !unix

package probe_test

import "time"

// cpuTime is not known here: the benchmark then tells the time on the clock only.
func cpuTime() time.Duration { return 0 }
