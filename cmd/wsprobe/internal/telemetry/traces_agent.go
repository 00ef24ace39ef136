package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
)

func (a *agent) tracesSent(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tracesOut += int64(n)
}

func (a *agent) dropTraces(cause DropCause, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tracesLost[cause] += int64(n)
}

// countTraces makes the counts of traces begin at 0. Without it there are none.
func (a *agent) countTraces() {
	for _, cause := range traceDropCauses() {
		a.tracesLost[cause] = 0
	}
}

// traceDropCauses are the causes that traces can be dropped for.
func traceDropCauses() []DropCause { return []DropCause{DropRejected, DropQueueFull} }

// addTraces adds the points about traces. The caller holds the lock.
func (a *agent) addTraces(b *batcher, start, now time.Time) {
	if len(a.tracesLost) == 0 {
		return
	}
	b.sum(idAgentTracesSent, b.attributes(), start, now, a.tracesOut)
	for _, cause := range traceDropCauses() {
		b.sum(idAgentTracesDropped, b.attributes(attribute.String(keyDropCause, string(cause))), start, now, a.tracesLost[cause])
	}
}
