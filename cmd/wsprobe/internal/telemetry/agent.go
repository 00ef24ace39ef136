package telemetry

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// agent counts what the agent does itself.
type agent struct {
	inFlight func() int // or nil
	build    []attribute.KeyValue
	loads    loads
	backlog  func() outbox.Backlog

	metrics *signalCounts
	records *signalCounts // nil without log records
	traces  *signalCounts // nil without traces

	mu           sync.Mutex
	delay        histogram[uint64]
	overload     int64
	skipped      map[string]int64
	failures     map[string]int64 // of the spool, by kind
	unrecognized int64            // files in the spool
}

func newAgent(inFlight func() int, backlog func() outbox.Backlog) *agent {
	return &agent{
		inFlight: inFlight,
		backlog:  backlog,
		metrics:  newSignalCounts(DropCauses()),
		skipped:  make(map[string]int64),
		failures: make(map[string]int64),
	}
}

func (a *agent) started(late time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delay.observe(delayBounds, late)
}

func (a *agent) overloaded() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.overload++
}

func (a *agent) skip(cause string, runs int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.skipped[cause] += int64(runs)
}

func (a *agent) spoolFailed(kind string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures[kind]++
}

func (a *agent) unrecognizedFile() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unrecognized++
}

// addTo adds the agent's points.
func (a *agent) addTo(b *batcher, probes int, start, now time.Time) {
	with := b.attributes
	none := with()
	b.sum(idAgentProbes, none, start, now, int64(probes))
	if a.inFlight != nil {
		b.sum(idAgentInFlight, none, start, now, int64(a.inFlight()))
	}
	b.gauge(idAgentBuild, with(a.build...), start, now, 1)
	a.loads.addTo(b, start, now)
	waiting := a.backlog()
	b.sum(idAgentQueueLength, none, start, now, int64(waiting.Batches))
	b.sum(idAgentQueueSize, none, start, now, waiting.Bytes)
	if waiting.Batches > 0 {
		b.gauge(idAgentQueueAge, none, start, now, waiting.Age.Seconds())
	}
	a.addExports(b, start, now)

	a.mu.Lock()
	defer a.mu.Unlock()
	delay := a.delay.snapshot(delayBounds)
	b.sum(idAgentStarted, none, start, now, int64(delay.count))
	b.histogram(idAgentStartDelay, none, start, now, delay)
	b.sum(idAgentOverloaded, none, start, now, a.overload)
	for _, cause := range slices.Sorted(maps.Keys(a.skipped)) {
		b.sum(idAgentSkipped, with(text(keySkipCause, cause)), start, now, a.skipped[cause])
	}
	for kind, n := range a.failures {
		b.sum(idAgentSpoolFailures, with(attribute.String(keyErrorType, kind)), start, now, n)
	}
	b.sum(idAgentSpoolUnrecognizedFiles, none, start, now, a.unrecognized)
}

// addExports adds the points about the export of each signal.
func (a *agent) addExports(b *batcher, start, now time.Time) {
	a.metrics.addRequests(b, start, now)
	a.metrics.addTo(b, idAgentSent, idAgentDropped, start, now)
	if a.records != nil {
		a.records.addTo(b, idAgentRecordsSent, idAgentRecordsDropped, start, now)
	}
	if a.traces != nil {
		a.traces.addTo(b, idAgentTracesSent, idAgentTracesDropped, start, now)
	}
}

func (k requestKind) attributes() []attribute.KeyValue {
	kvs := []attribute.KeyValue{attribute.String(keyOutcome, string(k.outcome))}
	if k.errorType != "" {
		kvs = append(kvs, attribute.String(keyErrorType, k.errorType))
	}
	return kvs
}
