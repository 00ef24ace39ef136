package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
)

func (a *agent) recordsSent(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recordsOut += int64(n)
}

func (a *agent) dropRecords(cause DropCause, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recordsLost[cause] += int64(n)
}

// countRecords makes the counts of log records begin at 0. Without it there are none.
func (a *agent) countRecords() {
	for _, cause := range recordDropCauses() {
		a.recordsLost[cause] = 0
	}
}

// recordDropCauses are the causes that log records can be dropped for.
func recordDropCauses() []DropCause { return []DropCause{DropRejected, DropQueueFull} }

// addRecords adds the points about log records. The caller holds the lock.
func (a *agent) addRecords(b *batcher, start, now time.Time) {
	if len(a.recordsLost) == 0 {
		return
	}
	b.sum(idAgentRecordsSent, b.attributes(), start, now, a.recordsOut)
	for _, cause := range recordDropCauses() {
		b.sum(idAgentRecordsDropped, b.attributes(attribute.String(keyDropCause, string(cause))), start, now, a.recordsLost[cause])
	}
}
