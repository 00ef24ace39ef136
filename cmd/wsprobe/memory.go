package main

import (
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
	leastGCPercent = 50
)

// spareMemory makes an agent of so many probes get by with little, once all of it is there.
func spareMemory(probes int) {
	if os.Getenv("GOGC") == "" { // else the user has decided
		debug.SetGCPercent(gcPercent(probes))
	}
	// The file as a tree is several times what is kept of it, and is never needed again.
	debug.FreeOSMemory()
}

// gcPercent is how much garbage may lie about in the agent, as GOGC has it.
func gcPercent(probes int) int {
	kept := bytesBesides + probes*bytesPerProbe
	return max(leastGCPercent, 100*leastGarbage/kept)
}
