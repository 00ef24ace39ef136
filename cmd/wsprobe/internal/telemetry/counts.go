package telemetry

import (
	"maps"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// DropPendingFull is a cause of dropped points beside those of the package outbox: too many runs waited for a
// collection, and these were the oldest.
const DropPendingFull outbox.DropCause = "pending_full"

// DropCauses returns every cause of dropped points.
func DropCauses() []outbox.DropCause { return append(outbox.DropCauses(), DropPendingFull) }

// requestKind is what export requests are counted by. The error type is a gRPC or HTTP status, or empty.
type requestKind struct {
	outcome   outbox.Outcome
	errorType string
}

// signalCounts counts the fate of the items of one signal.
type signalCounts struct {
	mu       sync.Mutex
	requests map[requestKind]int64
	sent     int64
	dropped  map[outbox.DropCause]int64
	untold   map[outbox.DropCause]int64 // dropped, and the log does not know yet
}

// newSignalCounts begins all counters at 0, because a back end then sees the first increase.
func newSignalCounts(causes []outbox.DropCause) *signalCounts {
	c := &signalCounts{
		requests: map[requestKind]int64{{outcome: outbox.Accepted}: 0},
		dropped:  make(map[outbox.DropCause]int64),
		untold:   make(map[outbox.DropCause]int64),
	}
	for _, cause := range causes {
		c.dropped[cause] = 0
	}
	return c
}

// answered counts a request.
func (c *signalCounts) answered(a outbox.Answer, accepted int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[requestKind{a.Outcome, a.ErrorType}]++
	c.sent += int64(accepted)
}

// drop counts items that the log knows of.
func (c *signalCounts) drop(cause outbox.DropCause, items int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped[cause] += int64(items)
}

// dropUntold counts items that the log learns of at the next collection. The caller is a probe, which must not wait for
// a log.
func (c *signalCounts) dropUntold(cause outbox.DropCause, items int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped[cause] += int64(items)
	c.untold[cause] += int64(items)
}

// takeUntold returns what the log does not know yet, by cause.
func (c *signalCounts) takeUntold() map[outbox.DropCause]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := maps.Clone(c.untold)
	clear(c.untold)
	return news
}

// addTo adds the points about the items, as two metrics.
func (c *signalCounts) addTo(b *batcher, sent, dropped metricID, start, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.sum(sent, b.attributes(), start, now, c.sent)
	for cause, n := range c.dropped {
		b.sum(dropped, b.attributes(attribute.String(keyDropCause, string(cause))), start, now, n)
	}
}

// addRequests adds the points about the requests.
func (c *signalCounts) addRequests(b *batcher, start, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, n := range c.requests {
		b.sum(idAgentRequests, b.attributes(kind.attributes()...), start, now, n)
	}
}
