package main

import (
	"math"
	"os"
	"runtime/debug"
)

const (
	// bytesPerProbe is about what the agent keeps of a probe that has run.
	bytesPerProbe = 3 << 10
	// bytesBesides is about what it keeps besides.
	bytesBesides = 4 << 20
	// leastGarbage is how much garbage may lie about before it is worth collecting, in bytes. With few probes Go would
	// collect several times a second to save a few megabytes.
	leastGarbage = 16 << 20
	// leastGCPercent is how much garbage may lie about in relation to what is kept. With many probes what is kept, with as
	// much garbage again, would be what the agent is judged by.
	leastGCPercent = 40

	// treeFactor is how much more than the file its tree takes while it is read, with a little garbage.
	treeFactor = 23
	// leastLoading is what reading a file may take in any case, in bytes.
	leastLoading = 256 << 20
)

// boundLoading bounds what garbage adds to the memory that reading a file takes, unless the user has bounded the memory.
func boundLoading(file string) {
	if info, err := os.Stat(file); err == nil && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(max(leastLoading, treeFactor*info.Size()))
	}
}

// spareMemory makes an agent of so many probes get by with little, once its file was read and all of it is there.
func spareMemory(probes int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(math.MaxInt64)
	}
	if os.Getenv("GOGC") == "" { // else the user has decided
		debug.SetGCPercent(gcPercent(probes))
	}
	debug.FreeOSMemory() // the tree of the file is never needed again
}

// gcPercent is how much garbage may lie about in the agent, as GOGC has it.
func gcPercent(probes int) int {
	kept := bytesBesides + probes*bytesPerProbe
	return max(leastGCPercent, 100*leastGarbage/kept)
}
