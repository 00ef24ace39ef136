package telemetry

import (
	"os"
	"strconv"
	"strings"
)

// readUsage reads what the kernel tells.
func readUsage() usage {
	user, system := cpuTime()
	return usage{user: user, system: system, memory: residentMemory(), files: openFiles()}
}

// residentMemory is the second number of /proc/self/statm, in pages (proc_pid_statm(5)).
func residentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// openFiles counts what is open, but for the directory that tells.
func openFiles() int64 {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return int64(len(names) - 1)
}
