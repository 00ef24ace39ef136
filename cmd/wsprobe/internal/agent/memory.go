package agent

import (
	"os"
	"runtime/debug"
	"sync"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
)

const (
	// bytesPerProbe is about what the agent keeps of a probe that has run.
	bytesPerProbe = 3 << 9
	// bytesBesides is about what the agent keeps beside its probes.
	bytesBesides = 4 << 20
	// leastGarbage is how much garbage may lie about before it is worth collecting, in bytes. With few probes Go would
	// collect several times a second to save a few megabytes.
	leastGarbage = 16 << 20
	// leastGCPercent is how much garbage may lie about in relation to the live memory. With many probes, a collector
	// that allows 100% would double the memory of the agent. At 25%, 100,000 probes of a minute pay 3% of two cores for
	// it.
	leastGCPercent = 25

	// treeFactor is the ratio of the memory that reading a file takes which is parsed whole, some garbage included, to
	// the size of the file. Files that are parsed in parts stay far below.
	treeFactor = 23
	// leastLoading is what reading a file may take in any case, in bytes.
	leastLoading = 64 << 20

	// limitBesides is how much memory Go may take for few probes before it collects garbage whatever gcPercent says.
	// The batches that wait for the back end fit in twice, and with the program itself it stays below 100 MiB.
	limitBesides = 72 << 20
	// limitPerProbe is what each of many probes adds: generous on purpose, because agents with many probes must not run
	// into the limit.
	limitPerProbe = 16 << 10
	// limitPerSignal is what may wait of traces, and of log records.
	limitPerSignal = 16 << 20
	// limitPerStream is what a stream takes beside its buffer, most of it events whose delivery is not proven yet.
	limitPerStream = 4 << 20
	// limitOnDisk is what a stream keeps in memory whose buffer is on a disk that fails.
	limitOnDisk = 16 << 20
)

// BoundLoading bounds what garbage adds to the memory that reading a configuration takes, unless GOMEMLIMIT does. Call
// it before the files or directories of these names are read; [Agent.Run] then sets the bound of the agent.
func BoundLoading(names ...string) {
	boundMemory(max(leastLoading, treeFactor*config.SizeOf(names...)))
}

// BoundMemory keeps a process small that runs these probes and exports nothing, whatever endpoints send.
func BoundMemory(probes []config.Probe) {
	boundMemory(memoryLimit(config.DemandOf(probes...), &config.Config{}))
}

// bounds are those of the memory of the process, which follow the probes of the agent while it runs.
type bounds struct {
	mu     sync.Mutex
	probes int
	limit  int64 // of the memory of Go, in bytes
	extra  int64 // for a configuration that is being read
	held   bool
}

// hold sets the bounds, once the agent is complete, until restore is called.
func (b *bounds) hold() (restore func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = true
	unbound := boundMemory(b.limit)
	untuned := tuneGC(b.probes)
	debug.FreeOSMemory() // the tree of the file is never needed again
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.held = false
		unbound()
		untuned()
	}
}

// follow makes the bounds those of other probes, while they are held or for when they are.
func (b *bounds) follow(probes config.Demand, cfg *config.Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probes, b.limit = probes.Probes, memoryLimit(probes, cfg)
	if b.held {
		boundMemory(b.limit + b.extra)
		tuneGC(b.probes)
	}
}

// load allows for a configuration of so many bytes that is being read, until done is called.
func (b *bounds) load(size int64) (done func()) {
	b.allow(treeFactor * size)
	return func() { b.allow(0) }
}

// allow changes what is allowed beside the memory of the agent.
func (b *bounds) allow(extra int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.extra = extra; b.held {
		boundMemory(b.limit + b.extra)
	}
}

// boundMemory keeps the process small whatever endpoints send, until restore is called. By percentage alone, long
// messages that are held for a moment would be allowed several times as much garbage. The limit is soft: it makes Go
// collect more often, and refuses nothing. GOMEMLIMIT has precedence.
func boundMemory(limit int64) (restore func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(limit)
	return func() { debug.SetMemoryLimit(before) }
}

// tuneGC sets the collector's target for so many probes, until restore is called. GOGC has precedence.
func tuneGC(probes int) (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(gcPercent(probes))
	return func() { debug.SetGCPercent(before) }
}

// memoryLimit is Go's soft memory limit for these probes, and for the exports and streams of a configuration, in bytes.
func memoryLimit(probes config.Demand, cfg *config.Config) int64 {
	limit := int64(limitBesides) + int64(probes.Probes)*limitPerProbe + probes.Replies
	for _, s := range cfg.Streams {
		limit += limitPerStream + s.Buffer.InMemory(limitOnDisk)
	}
	otlp := cfg.OTLP
	if !otlp.Exports() {
		return limit
	}
	if otlp.Spool.Dir == "" {
		limit += max(otlp.Spool.MaxBytes-telemetry.DefaultQueueBytes, 0)
	}
	for _, waits := range []bool{otlp.Traces, otlp.Logs} {
		if waits {
			limit += limitPerSignal
		}
	}
	return limit
}

// gcPercent is how much garbage may lie about in the agent, as GOGC has it.
func gcPercent(probes int) int {
	kept := bytesBesides + probes*bytesPerProbe
	return max(leastGCPercent, 100*leastGarbage/kept)
}
