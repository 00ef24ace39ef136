package telemetry

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// agent counts what the agent does itself.
type agent struct {
	inFlight func() int // or nil
	build    []attribute.KeyValue
	loads    loads
	queue    func(now time.Time) queueState

	mu           sync.Mutex
	delay        histogram[uint64]
	overload     int64
	skipped      map[string]int64
	requests     map[requestKind]int64
	sent         int64
	dropped      map[DropCause]int64
	told         map[DropCause]int64 // how many of these the log knows of
	failures     map[string]int64    // of the spool, by kind
	unrecognized int64               // files in the spool

	recordsOut  int64 // log records that the receiver took
	tracesOut   int64
	tracesLost  map[DropCause]int64
	recordsLost map[DropCause]int64 // log records given up
}

// requestKind is what export requests are counted by. The error type is a gRPC or HTTP status, or
// empty.
type requestKind struct {
	outcome   Outcome
	errorType string
}

// queueState is how much waits in the queue.
type queueState struct {
	batches int
	bytes   int64
	age     time.Duration
}

func newAgent(inFlight func() int, queue func(time.Time) queueState) *agent {
	a := &agent{
		inFlight: inFlight,
		queue:    queue,
		skipped:  make(map[string]int64),
		requests: make(map[requestKind]int64),
		dropped:  make(map[DropCause]int64),
		told:     make(map[DropCause]int64),
		failures: make(map[string]int64),

		recordsLost: make(map[DropCause]int64),
		tracesLost:  make(map[DropCause]int64),
	}
	// Counters that begin at 0 let a back end see the first increase.
	for _, cause := range DropCauses() {
		a.dropped[cause] = 0
	}
	a.requests[requestKind{outcome: Accepted}] = 0
	return a
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

func (a *agent) request(kind requestKind, sent int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests[kind]++
	a.sent += int64(sent)
}

func (a *agent) drop(cause DropCause, points int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropped[cause] += int64(points)
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

// untold returns what was dropped since the last call, by cause.
func (a *agent) untold() map[DropCause]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	news := make(map[DropCause]int64)
	for cause, n := range a.dropped {
		if n > a.told[cause] {
			news[cause] = n - a.told[cause]
			a.told[cause] = n
		}
	}
	return news
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
	q := a.queue(now)
	b.sum(idAgentQueueLength, none, start, now, int64(q.batches))
	b.sum(idAgentQueueSize, none, start, now, q.bytes)
	if q.batches > 0 {
		b.gauge(idAgentQueueAge, none, start, now, q.age.Seconds())
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	delay := a.delay.snapshot(delayBounds)
	b.sum(idAgentStarted, none, start, now, int64(delay.count))
	b.histogram(idAgentStartDelay, none, start, now, delay)
	b.sum(idAgentOverloaded, none, start, now, a.overload)
	for _, cause := range slices.Sorted(maps.Keys(a.skipped)) {
		b.sum(idAgentSkipped, with(text(keySkipCause, cause)), start, now, a.skipped[cause])
	}
	for kind, n := range a.requests {
		b.sum(idAgentRequests, with(kind.attributes()...), start, now, n)
	}
	b.sum(idAgentSent, none, start, now, a.sent)
	for _, cause := range DropCauses() {
		b.sum(idAgentDropped, with(attribute.String(keyDropCause, string(cause))), start, now, a.dropped[cause])
	}
	for kind, n := range a.failures {
		b.sum(idAgentSpoolFailures, with(attribute.String(keyErrorType, kind)), start, now, n)
	}
	b.sum(idAgentSpoolUnrecognizedFiles, none, start, now, a.unrecognized)
	a.addRecords(b, start, now)
	a.addTraces(b, start, now)
}

func (k requestKind) attributes() []attribute.KeyValue {
	kvs := []attribute.KeyValue{attribute.String(keyOutcome, string(k.outcome))}
	if k.errorType != "" {
		kvs = append(kvs, attribute.String(keyErrorType, k.errorType))
	}
	return kvs
}
